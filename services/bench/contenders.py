"""Who is measured in `make bench-peers`: Imagemill, and Flask with each queue library, behind one interface."""

import contextlib
import os
import re
import secrets
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pika
import requests

from databases import remove_databases
from imagemill.local.ports import accepts, free_ports
from imagemill.local.process import kill_child, last_lines, start_child
from mill import Mill, adds_up, wait_for

PEERS = ("celery", "dramatiq", "faststream", "taskiq", "pika")
OURS = "Imagemill"
OURS_FOLDER, OURS_S3 = "Imagemill, bytes in a folder", "Imagemill, bytes in S3"
ALL_OURS = (OURS, OURS_FOLDER, OURS_S3)
WORKERS = 2
_PYTHON = Path(__file__).parent / "peers" / ".venv" / "bin" / "python"
_STORED = re.compile(r'^imagemill_outcomes_total\{status="stored"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Addresses:
    """The servers that all contenders use; of S3 `http://key:secret@host:port/bucket`, where there is one."""

    amqp_url: str
    couchdb_url: str
    s3_url: str | None = None


class Running(ABC):
    """A contender that takes photos at `url`; `groups` are its processes by what they do."""

    url: str
    groups: dict[str, Sequence[int]]

    @abstractmethod
    def done(self) -> int:
        """How many results are stored; asking costs the servers next to nothing."""

    @abstractmethod
    def check(self, photos: int) -> None:
        """Fail unless every photo has its result."""


class _OurRunning(Running):
    def __init__(self, running: Mill, settings: Mapping[str, str]) -> None:
        running.start("writer", "api", *(f"worker:{number}" for number in range(WORKERS)), "journal", **settings)
        self._mill, self.url = running, running.url
        self.groups = {
            "front": [running.pid("api")],
            "workers": [running.pid(f"worker:{number}") for number in range(WORKERS)],
            "writer, journal": [running.pid("writer"), running.pid("journal")],
        }

    def done(self) -> int:
        found = _STORED.search(self._mill.metrics("writer"))
        return int(float(found[1])) if found else 0

    def check(self, photos: int) -> None:
        counts = self._mill.all_ended()
        assert adds_up(counts), counts
        assert counts["stored"] == photos, counts


class _PeerRunning(Running):
    def __init__(self, address: str, url: str, front: int, workers: Sequence[int]) -> None:
        self._address, self.url = address, url
        self.groups = {"front": [front], "workers": workers}

    def done(self) -> int:
        # A document for each photo, changed once more for its result.
        known = requests.get(self._address, timeout=30).json()
        return int(str(known["update_seq"]).partition("-")[0]) - int(known["doc_count"])

    def check(self, photos: int) -> None:
        rows = requests.get(f"{self._address}/_all_docs", params={"include_docs": "true"}, timeout=60).json()["rows"]
        both = [row["id"] for row in rows if set(row["doc"]["_attachments"]) == {"original", "result"}]
        assert len(both) == photos, f"{len(both)} of {photos} photos have their result"


@contextmanager
def contender(name: str, folder: Path, servers: Addresses) -> Iterator[Running]:
    """Start it with databases and queues of its own, which are removed afterwards."""
    mark = f"peers-{secrets.token_hex(4)}"
    folder = folder / f"{name}-{mark}"
    folder.mkdir()
    try:
        with (_ours if name in ALL_OURS else _peer)(name, folder, servers, mark) as running:
            yield running
    finally:
        remove_databases(servers.couchdb_url, mark)


@contextmanager
def _ours(name: str, folder: Path, servers: Addresses, mark: str) -> Iterator[Running]:
    blobs = {"blobs_url": f"file://{folder}/blobs"} if name == OURS_FOLDER else {}
    if name == OURS_S3:
        blobs = _s3(servers.s3_url or "", mark)
    # The peers make none either.
    settings = {"preview_pixels": "0", **blobs}
    with contextlib.closing(Mill(folder, servers.amqp_url, servers.couchdb_url, mark)) as running:
        yield _OurRunning(running, settings)


def _s3(url: str, mark: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {
        "blobs_url": f"s3://{parts.path.strip('/')}/{mark}",
        "s3_endpoint_url": f"{parts.scheme}://{parts.hostname}:{parts.port}",
        "s3_region": "us-east-1",
        "s3_access_key_id": parts.username or "",
        "s3_secret_access_key": parts.password or "",
    }


@contextmanager
def _peer(name: str, folder: Path, servers: Addresses, mark: str) -> Iterator[Running]:
    address = f"{servers.couchdb_url}/{mark}"
    requests.put(address, timeout=30).raise_for_status()
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "AMQP_URL": servers.amqp_url,
        "COUCHDB_URL": servers.couchdb_url,
        "PEER_DATABASE": mark,
        "PEER_QUEUE": mark,
        "PATH": f"{_PYTHON.parent}:{os.environ.get('PATH', os.defpath)}",
    }
    command, log = [str(_PYTHON), "-m", f"imagemill_peers.with_{name}"], folder / "log"
    started: list[subprocess.Popen[bytes]] = []

    def start(*part: str) -> None:
        with log.open("ab") as output:
            started.append(start_child([*command, *part], environment=environment, output=output))

    try:
        # One after the other: two that declare the same quorum queue at once may end a connection of RabbitMQ 3.10.
        for number in range(1, WORKERS + 1):
            start("worker")
            wait_for(
                lambda number=number: _all_run(started, log) and _consumers(servers.amqp_url, mark) >= number,
                f"a worker of {name}",
            )
        start("front", str(port))
        wait_for(lambda: _all_run(started, log) and accepts(port), f"Flask with {name}")
        *workers, front = [process.pid for process in started]
        yield _PeerRunning(address, f"http://127.0.0.1:{port}", front, workers)
    finally:
        for process in started:
            kill_child(process)
        _remove_queues(servers.amqp_url, mark)


def _all_run(started: Sequence["subprocess.Popen[bytes]"], log: Path) -> bool:
    assert all(process.poll() is None for process in started), last_lines(log, 15)
    return True


def _consumers(amqp_url: str, queue: str) -> int:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as connection:
        try:
            return int(connection.channel().queue_declare(queue, passive=True).method.consumer_count)
        except pika.exceptions.ChannelClosedByBroker:
            return 0  # its workers have not declared it yet


def _remove_queues(amqp_url: str, mark: str) -> None:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as connection:
        channel = connection.channel()
        for name in (mark, f"{mark}.DQ", f"{mark}.XQ", f"{mark}.dead"):
            channel.queue_delete(name)
