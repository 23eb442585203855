"""From a file to events: reader, broker, analyzer and database together."""

from pathlib import Path
from typing import Any

import numpy as np

from camera.conftest import LONG_LEASE_SECONDS
from camera.test_away import counted
from cameras.feeds.videos import FPS, SHORT_MOTIONS, SHORT_SECONDS, short_yard_video
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore
from mill import Mill, wait_for


def test_a_video_gives_one_event_for_every_motion_and_every_frame_is_counted(
    mill: Mill, folder: Path, store: Couch
) -> None:
    short_yard_video(folder / "walks.avi", np.random.default_rng(5))
    mill.start("api", "writer", "analyzer", "camera", camera_lease_seconds=LONG_LEASE_SECONDS)
    motion = {"quiet_seconds": 2.5}
    given = {"name": "walks", "address": "walks.avi", "frames_per_second": 4, "loop": False, "motion": motion}
    assert mill.post("/api/v1/cameras", json=given).status_code == 201
    events = EventStore(store)
    wait_for(lambda: len(ended(events)) == len(SHORT_MOTIONS), "an event for each motion", 120)
    wait_for(lambda: status(mill)["state"] == "ended", "the end of the file")
    # A reader on a busy machine leaves frames out rather than pile them up; whatever it does is counted.
    wait_for(lambda: counted(mill) == SHORT_SECONDS * FPS, "every frame of the video to be counted")
    counts = wait_for(lambda: counts_of(mill, counted(mill, "sent")), "every frame that was sent to be looked at")
    assert (counts["late"], counts["unreadable"]) == (0, 0)
    assert counts["frames"] + counts["missed"] <= SHORT_SECONDS * FPS
    assert len(ended(events)) == len(events.events(10).found) == len(SHORT_MOTIONS)


def counts_of(mill: Mill, frames: float) -> dict[str, int] | None:
    """What the analyzer has counted, once it is that many frames."""
    counts: dict[str, int] | None = status(mill)["counts"]
    return counts if counts and counts["frames"] == frames else None


def status(mill: Mill) -> dict[str, Any]:
    found: dict[str, Any] = mill.get("/api/v1/cameras/walks").json()["status"]
    return found


def ended(events: EventStore) -> list[str]:
    return [one.event.kind for one in events.events(10).found if one.event.ended_at is not None]
