"""Looks at cameras: shared among all who look, at most one a second, bounded, and nothing when nobody looks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from imagemill.api.cameras import snapshot_cache as module
from imagemill.api.cameras.service import CameraService
from imagemill.api.cameras.snapshot_cache import SnapshotCache
from imagemill.api.images.posted_frames import MOST_FRAME_BYTES, PostedFrames
from imagemill.camera.snapshots import smaller
from imagemill.wire.broker import BrokerUnavailable, Outgoing
from imagemill.wire.snapshots import Snapshot, snapshot_message
from pictures import photo_jpeg


class Readers:
    """Stands in for the broker and a reader that answers at once, or not at all."""

    def __init__(self, answers: bool = True) -> None:
        self.asked: list[Outgoing] = []
        self.answers = answers
        self.sights = SnapshotCache("api.1", self.submit)
        self.may_answer = threading.Event()
        self.may_answer.set()

    def submit(self, message: Outgoing) -> None:
        self.asked.append(message)
        if self.answers:
            threading.Thread(target=self.answer, args=(message,)).start()

    def answer(self, message: Outgoing) -> None:
        self.may_answer.wait(60)
        look = message.headers
        sent = snapshot_message(Snapshot(look["camera"], look["width"], 12.5, b"picture"), "api.1")
        self.sights.arrived(SimpleNamespace(headers=sent.headers, body=sent.body))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes longer than people wait, and than a picture stays new."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(module, "_FRESH_SECONDS", 600.0)


def test_many_who_look_ask_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers()
    readers.may_answer.clear()
    with ThreadPoolExecutor(6) as pool:
        looking = [pool.submit(readers.sights.newest, "yard", 320) for _ in range(6)]
        readers.may_answer.set()
        assert {(found.result().at, found.result().data) for found in looking} == {(12.5, b"picture")}
    assert readers.sights.newest("yard", 320) is not None
    assert len(readers.asked) == 1
    assert readers.sights.newest("yard", 0) is not None
    assert len(readers.asked) == 2
    monkeypatch.setattr(module, "_FRESH_SECONDS", 0.0)
    readers.sights.newest("door", 320)
    readers.sights.newest("door", 320)
    assert len(readers.asked) == 4


def test_what_nobody_answers_is_nothing_and_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    readers = Readers(answers=False)
    assert readers.sights.newest("yard", 320) is None
    assert readers.sights.newest("yard", 320) is None
    assert len(readers.asked) == 1


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 3 * len(b"picture"))
    readers = Readers()
    for number in range(10):
        readers.sights.newest(f"cam-{number}", 320)
    assert len(readers.sights._kept) == 3


def test_a_large_frame_is_made_smaller_and_what_cannot_be_read_stays() -> None:
    frame = photo_jpeg(1920, 1080)
    assert len(smaller(frame, 320)) < len(frame) / 5
    assert smaller(frame, 0) is frame
    assert smaller(b"x" * 50_000, 320) == b"x" * 50_000


def test_posted_frames_under_way_are_bounded_in_bytes() -> None:
    sent: list[Outgoing] = []

    def submit(message: Outgoing) -> object:
        sent.append(message)
        return SimpleNamespace(add_done_callback=lambda _: None)

    posted = PostedFrames(submit)  # type: ignore[arg-type]
    for _ in range(10):
        posted.offer("door", b"x" * MOST_FRAME_BYTES)
    posted.offer("door", b"x" * (MOST_FRAME_BYTES + 1))
    assert len(sent) == 4


def test_a_broker_that_is_away_loses_the_frame_only() -> None:
    def submit(_: Outgoing) -> object:
        raise BrokerUnavailable("away")

    posted = PostedFrames(submit)  # type: ignore[arg-type]
    for _ in range(10):
        posted.offer("door", b"x" * MOST_FRAME_BYTES)
    assert posted._outstanding == 0


def test_counts_of_the_analyzer_are_remembered_and_nothing_else() -> None:
    desk = CameraService(*[None] * 7)  # type: ignore[arg-type]
    desk.notice({"kind": "camera-counts", "camera": "yard", "frames": 7, "missed": 1, "at": "now", "by": "analyzer-1"})
    desk.notice({"kind": "taken", "camera": "door"})
    assert {name: counts.model_dump(exclude_unset=True) for name, counts in desk.counts.items()} == {
        "yard": {"frames": 7, "missed": 1, "at": "now"}
    }
