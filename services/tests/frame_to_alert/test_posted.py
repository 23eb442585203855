"""Pictures posted with a source, as somebody tries it first: drawn, all at once, of a source that nobody has set up."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from motion.scenes import frames, place, walk


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("posted")) as mill:
        yield mill.start("analyzer", "alerter")


def test_forty_posted_pictures_make_an_event_and_an_alert(mill: Mill) -> None:
    before = frames_seen(mill)
    drawn = frames(walk(place(flat=True), 8, 30, speed=40, y=120, width=80, stripes=0.0), 40, noise=0)
    for frame in drawn:
        mill.accepted(frame.data, source="drawn")
    wait_for(lambda: frames_seen(mill) == before + len(drawn), "the pictures to be looked at")
    (alert,) = wait_for(lambda: mill.get("/api/v1/alerts").json()["alerts"], "the alert")
    # The event's side of the number is written after the alert's.
    (event,) = wait_for(lambda: events(mill)[0]["alert"] and events(mill), "the event to know its alert")
    assert (alert["camera"], event["source"], event["kind"], event["alert"]) == ("drawn", "drawn", "motion", 1)
    assert "best.jpg" in [picture["name"] for picture in event["pictures"]]


def test_the_same_view_again_and_again_is_no_event(mill: Mill) -> None:
    before = frames_seen(mill)
    still = frames(lambda _: place(2), 10)
    mill.accepted(*(frame.data for frame in still), source="still")
    wait_for(lambda: frames_seen(mill) == before + len(still), "the pictures to be looked at")
    assert not [event for event in events(mill) if event["source"] == "still"]


def events(mill: Mill) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mill.get("/api/v1/camera-events").json()["events"]
    return found


def frames_seen(mill: Mill) -> int:
    seen = re.search(r'^imagemill_frames_total{result="seen"} (.+)$', mill.metrics("analyzer"), re.MULTILINE)
    return int(float(seen[1])) if seen else 0
