"""Camera readers as real processes, with file feeds, and eyes on what they send."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cameras.feeds.conftest import gstreamer, rtsp_server  # noqa: F401 - fixtures
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.store import leases
from imagemill.store.camera_leases import ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.cameras import prepare as prepare_cameras
from imagemill.store.couch import Couch
from imagemill.wire import declaring, topology
from imagemill.wire.broker import Broker, Delivery, parameters_of
from imagemill.wire.events import EventNews, news_of
from imagemill.wire.frames import SourceFrame, frame_of
from mill import Mill, wait_for
from pictures import photo_jpeg

LEASE_SECONDS = 2.0
# For what must not lose its cameras when the machine stalls: with a lease of two seconds a reader that is late by more
# than a second falls silent, and its frames are a new series then.
LONG_LEASE_SECONDS = 8.0


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of pictures to be read as cameras: `yard`, `door` …"""
    made = tmp_path_factory.mktemp("cameras")
    for number, name in enumerate(("yard", "door", "gate", "roof")):
        (made / name).mkdir()
        for picture in range(4):
            (made / name / f"{picture}.jpg").write_bytes(photo_jpeg(320, 180, 10 * number + picture))
    return made


class Eyes:
    """What arrives of frames and events, as the analyzer and the alerter would get it."""

    def __init__(self, amqp_url: str, settings: Settings) -> None:
        self.frames: list[SourceFrame] = []
        self.news: list[EventNews] = []
        self.settings = settings
        parameters = parameters_of(amqp_url, "eyes")
        wanted = topology.shared(settings, ["gray"])
        self.broker = Broker(parameters, lambda: declaring.declare_at(parameters, wanted))
        for number in range(settings.frame_partitions):
            self.broker.consume(topology.frames_queue(number), self._frame, 100, auto_ack=True)
        self.broker.consume(topology.ALERTER_QUEUE, self._event)
        self.broker.start()

    def of(self, source: str) -> list[SourceFrame]:
        return [frame for frame in list(self.frames) if frame.source == source]

    def _frame(self, delivery: Delivery) -> None:
        self.frames.append(frame_of(delivery))

    def _event(self, delivery: Delivery) -> None:
        self.news.append(news_of(delivery))
        delivery.ack()


@pytest.fixture
def store(couchdb_url: str, couchdb_prefix: str) -> Couch:
    """This test's databases, prepared as any program prepares them."""
    made = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    prepare_cameras(made)
    leases.prepare(made)
    return made


@pytest.fixture
def known(store: Couch) -> Cameras:
    return Cameras(store)


@pytest.fixture
def states(store: Couch) -> ReadingStates:
    return ReadingStates(store)


@pytest.fixture
def eyes(amqp_url: str) -> Iterator[Eyes]:
    made = Eyes(amqp_url, Settings(pools={"default": ["*"]}))
    wait_for(lambda: made.broker.ready, "the connection")
    yield made
    made.broker.close()


@pytest.fixture
def mill(tmp_path: Path, amqp_url: str, couchdb_url: str, couchdb_prefix: str, folder: Path) -> Iterator[Mill]:
    """Not started yet."""
    made = Mill(
        tmp_path, amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), pools='{"default": ["*"]}', camera_folder=folder,
        camera_lease_seconds=LEASE_SECONDS, camera_offline_alert_seconds=2, camera_allow_loopback="true",
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def add(known: Cameras) -> Callable[..., Camera]:
    """Adds a camera."""

    def adding(name: str, **members: Any) -> Camera:
        given = {"name": name, "address": name, "frames_per_second": 5.0} | members
        return known.put(Camera.parse(given))

    return adding


USER, PASSWORD = "viewer", "p@ss/w:rd hunter2"


@pytest.fixture
def credentials_file(tmp_path: Path) -> Path:
    """As from a Secret."""
    file = tmp_path / "credentials.yaml"
    entries = {
        "cam-1": {"user": USER, "password": PASSWORD, "hosts": ["rtsp://127.0.0.1:*"]},
        "elsewhere": {"user": USER, "password": PASSWORD, "hosts": ["*.cams.example"]},
        "wrong": {"user": USER, "password": "hunter2hunter2", "hosts": ["rtsp://127.0.0.1:*"]},
    }
    file.write_text(yaml.safe_dump(entries))
    return file
