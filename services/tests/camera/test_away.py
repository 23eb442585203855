"""Feeds that end or break, a broker that nobody empties, and a database that is away."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from camera.conftest import LEASE_SECONDS, LONG_LEASE_SECONDS, Eyes
from imagemill.domain.cameras import Camera
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import WAL_BYTES, RabbitServer
from imagemill.settings import MEBIBYTE, Settings
from imagemill.store.camera_leases import ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore
from mill import Mill, wait_for
from pictures import photo_jpeg

Add = Callable[..., Camera]


def changes(eyes: Eyes, camera: str) -> list[tuple[str, str]]:
    return [(change, kind) for change, kind, _ in told(eyes, camera)]


def told(eyes: Eyes, camera: str) -> list[tuple[str, str, str]]:
    """Changes of events with their kinds and ids; one that is told twice is the same again."""
    about = [news for news in list(eyes.news) if news.event.source == camera]
    return list(dict.fromkeys((news.change, news.event.kind, news.event.id) for news in about))


def wait_until_noted(states: ReadingStates, camera: str) -> None:
    """The event is told before that is written down: a reader that dies in between leaves it to be told again."""
    wait_for(lambda: states.view().leases[camera].alerted, "the event to be noted")


def test_a_camera_that_stays_away_is_one_event_though_its_reader_dies(
    mill: Mill, add: Add, eyes: Eyes, folder: Path, states: ReadingStates, store: Couch
) -> None:
    shutil.copytree(folder / "yard", folder / "shed")
    add("shed")
    add("yard")
    mill.start("camera:1")
    wait_for(lambda: eyes.of("shed"), "frames")
    shutil.rmtree(folder / "shed")
    wait_for(lambda: changes(eyes, "shed") == [("new", "offline")], "the event")
    assert "does not exist" in (eyes.news[0].event.reason or "")
    wait_until_noted(states, "shed")
    assert states.view().leases["shed"].state in ("stalled", "offline")
    mill.kill("camera:1")
    mill.start("camera:2")
    began = time.time()
    wait_for(lambda: eyes.of("yard")[-1].at > began, "the other camera's frames")
    shutil.copytree(folder / "yard", folder / "shed")
    wait_for(lambda: len(changes(eyes, "shed")) > 1, "its end")
    assert changes(eyes, "shed") == [("new", "offline"), ("end", "offline")]
    assert len({event_id for _, _, event_id in told(eyes, "shed")}) == 1
    kept = EventStore(store).get(eyes.news[0].event.id)
    assert kept is not None
    assert (kept.event.kind, kept.event.end_reason) == ("offline", "live")
    assert changes(eyes, "yard") == []
    shutil.rmtree(folder / "shed")


def test_a_camera_that_is_switched_off_while_it_is_away_ends_its_event(
    mill: Mill, add: Add, known: Cameras, eyes: Eyes, states: ReadingStates
) -> None:
    camera = add("nowhere")
    mill.start("camera")
    wait_for(lambda: changes(eyes, "nowhere"), "the event")
    wait_until_noted(states, "nowhere")
    known.put(Camera(**{**vars(camera), "enabled": False}))
    wait_for(lambda: len(changes(eyes, "nowhere")) > 1, "its end")
    assert changes(eyes, "nowhere") == [("new", "offline"), ("end", "offline")]
    assert eyes.news[-1].event.end_reason == "settings"


def test_a_file_played_once_ends_without_an_alert_and_plays_again_when_saved(
    mill: Mill, add: Add, known: Cameras, eyes: Eyes, states: ReadingStates
) -> None:
    camera = add("door", loop=False)
    mill.start("camera", camera_lease_seconds=LONG_LEASE_SECONDS)
    first = wait_for(lambda: played(states, camera), "its end")
    assert every_frame_is_counted(mill, 4)
    ended = time.time()
    time.sleep(LONG_LEASE_SECONDS / 2)  # what must not happen has no moment to wait for
    assert [frame for frame in eyes.of("door") if frame.at > ended] == []
    assert eyes.news == []
    again = known.put(Camera(**{**vars(camera), "name": "again"}))
    assert wait_for(lambda: played(states, again), "its end again") > first
    assert every_frame_is_counted(mill, 8)
    wait_for(lambda: len(eyes.of("door")) == sent(mill), "the frames that were sent")
    assert {frame.generation for frame in eyes.of("door")} == {first, first + 1}


def played(states: ReadingStates, camera: Camera) -> int | None:
    """The generation in which the camera's file came to its end."""
    lease = states.view().leases.get(camera.id)
    return lease.generation if lease and (lease.state, lease.ended) == ("ended", camera.revision) else None


def every_frame_is_counted(mill: Mill, number: int) -> bool:
    """A reader on a busy machine leaves frames out rather than pile them up; whatever it does is counted."""
    return bool(wait_for(lambda: counted(mill) >= number, "every frame to be counted")) and counted(mill) == number


@pytest.fixture
def lone_mill(tmp_path: Path, amqp_url: str, own_couch: CouchServer, folder: Path) -> Mill:
    made = Mill(
        tmp_path, amqp_url, own_couch.url, "lone", pools='{"default": ["*"]}', camera_folder=folder,
        camera_lease_seconds=LEASE_SECONDS,
    )  # fmt: skip
    yield made
    made.close()


def test_without_the_database_nothing_is_sent_for_longer_than_the_lease_and_then_it_goes_on(
    lone_mill: Mill, own_couch: CouchServer, eyes: Eyes
) -> None:
    mill = lone_mill.start("camera", "writer")
    Cameras(Couch(own_couch.url, "lone")).put(Camera(id="yard", name="Yard", address="yard", frames_per_second=5))
    wait_for(lambda: eyes.of("yard"), "frames")
    own_couch.kill()
    gone = time.time()
    wait_for(lambda: eyes.of("yard")[-1].at < time.time() - 2 * LEASE_SECONDS, "silence")
    assert eyes.of("yard")[-1].at < gone + LEASE_SECONDS
    own_couch.start()
    back = time.time()
    wait_for(lambda: eyes.of("yard")[-1].at > back, "frames again")
    frames = eyes.of("yard")
    assert frames[-1].generation > frames[0].generation
    assert mill.running("camera")


def test_frames_that_nobody_takes_stay_under_the_cap_in_memory_and_on_disk(
    tmp_path: Path, own_rabbit: RabbitServer, couchdb_url: str, couchdb_prefix: str, known: Cameras, folder: Path
) -> None:
    """No analyzer runs. Far more is sent than the cap; the broker keeps the newest and gives back the rest."""
    cap = 4 * MEBIBYTE
    (folder / "big").mkdir(exist_ok=True)
    for number in range(4):
        (folder / "big" / f"{number}.jpg").write_bytes(photo_jpeg(1920, 1080, number))
    size = (folder / "big" / "0.jpg").stat().st_size
    mill = Mill(
        tmp_path, own_rabbit.amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), pools='{"default": ["*"]}',
        camera_folder=folder, frames_max_bytes=cap, frame_partitions=1, camera_lease_seconds=LEASE_SECONDS,
    )  # fmt: skip
    for number in range(4):
        known.put(Camera(id=f"big-{number}", name="Big", address="big", frames_per_second=20))
    try:
        mill.start("camera")
        wait_for(lambda: sent(mill) * size > 8 * WAL_BYTES, "far more than the cap to be sent", 180)
        queue = wait_for(lambda: "message_bytes" in (q := broker(own_rabbit, "/queues/%2F/frames.0")) and q, "its size")
        assert queue["message_bytes"] <= cap + size
        # While more is sent; what is given back is given back a little later, on a busy machine later still.
        wait_for(lambda: broker(own_rabbit, "/nodes")[0]["mem_used"] < 400 * MEBIBYTE, "memory to be given back")
        wait_for(lambda: disk(own_rabbit) < cap + 3 * WAL_BYTES, "room on the disk to be given back")
        assert mill.stop("camera") == 0
        assert_gaps_show(Eyes(own_rabbit.amqp_url, Settings(frame_partitions=1, frames_max_bytes=cap)))
    finally:
        mill.close()


def counted(mill: Mill, result: str = "") -> float:
    """Frames that were wanted, by what became of them."""
    lines = [line for line in mill.metrics("camera").splitlines() if line.startswith("imagemill_camera_frames_total")]
    return sum(float(line.split()[-1]) for line in lines if f'result="{result}' in line)


def sent(mill: Mill) -> float:
    return counted(mill, "sent")


def broker(server: RabbitServer, path: str) -> Any:
    answer = requests.get(f"{server.management_url}/api{path}", auth=(server.user, server.password), timeout=30)
    answer.raise_for_status()
    return answer.json()


def disk(server: RabbitServer) -> int:
    files = (Path(folder) / name for folder, _, names in os.walk(server.folder) for name in names)
    return sum(size_of(file) for file in files)


def size_of(file: Path) -> int:
    with contextlib.suppress(FileNotFoundError):  # the broker removes files all the time
        return file.stat().st_size
    return 0


def assert_gaps_show(eyes: Eyes) -> None:
    """What an analyzer that comes back finds: the newest, whose numbers tell how many are missing."""
    try:
        frames = wait_for(lambda: eyes.frames, "what is left")
        assert min(frame.sequence or 0 for frame in frames) > 100
    finally:
        eyes.broker.close()
