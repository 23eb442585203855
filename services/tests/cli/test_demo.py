"""`imagemill demo`: what is drawn comes to every end there is, and somebody who walks by is an alert."""

import re
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from fake_api import Ended
from imagemill.cli import demo_drawing
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def whole(
    rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mill]:  # fmt: skip
    """An Imagemill which also looks at pictures with a source, and makes alerts."""
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        yield running.start("analyzer", "alerter")


def test_a_demo_shows_every_end_of_a_picture_and_an_alert_and_may_be_run_again(imagemill: Run, whole: Mill) -> None:
    first = imagemill("--api", whole.url, "demo")
    assert first.code == 0, first.err
    (number,) = re.findall(r"Alert (\d+): somebody walked by 'demo-", first.out)
    alert = whole.get(f"/api/v1/alerts/{number}").json()
    assert (alert["camera"][:5], alert["kind"]) == ("demo-", "motion")
    totals = whole.all_ended()
    assert totals["rejected"] == 2, "what was cut short, and what is no picture"
    assert totals["failed"] == 3, "what was garbled, by each recipe"
    assert totals["stored"] == 8 * 3 + 40

    again = imagemill("--api", whole.url, "demo", "--no-pictures")
    assert again.code == 0, again.err
    assert f"Alert {int(number) + 1}: " in again.out
    assert whole.all_ended()["stored"] == 8 * 3 + 2 * 40


def test_drawn_pictures_are_what_was_drawn() -> None:
    noon, night = (_decoded(demo_drawing.landscape(hour, seed=1)) for hour in (12, 0))
    assert noon.shape == night.shape == (540, 960, 3)
    assert noon.mean() > 2 * night.mean()
    empty, *_, last = (_decoded(frame) for frame in demo_drawing.walk(8))
    assert np.array_equal(empty, last), "who came has gone"


def test_somebody_walks_from_one_side_to_the_other() -> None:
    frames = [_decoded(frame).astype(int) for frame in demo_drawing.walk(24)]
    places = [
        float(np.nonzero(np.abs(frame - frames[0]).sum(axis=2))[1].mean())
        for frame in frames
        if np.abs(frame - frames[0]).any()
    ]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (pytest.approx(0, abs=60), pytest.approx(640, abs=80))


def _decoded(picture: bytes) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded
