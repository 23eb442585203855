"""`make bench-cameras`: 50 file feeds on one machine, read by one program; what each costs, and what was missed.

Arguments: number of feeds (50) and seconds of measuring (60). Frames are counted as they come out of the broker.
"""

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

import pictures
from bench.surroundings import mill, servers
from bench.table import show
from imagemill.domain.cameras import Camera
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.settings import Settings
from imagemill.store.camera_leases import ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Couch
from imagemill.wire import topology
from imagemill.wire.broker import Broker, Delivery, parameters_of
from imagemill.wire.frames import SourceFrame, frame_of
from mill import Mill, wait_for

FEEDS, SECONDS = 50, 60
WIDTH, HEIGHT, VIDEO_FPS, VIDEO_SECONDS = 640, 360, 10, 20
PICTURES = 10
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Counted:
    """Frames of one camera, as an analyzer would count them."""

    frames: int = 0
    missed: int = 0
    bytes: int = 0
    ages: list[float] = field(default_factory=list)
    last: tuple[int, int] = (0, 0)

    def see(self, frame: SourceFrame) -> None:
        generation, sequence = self.last
        if frame.generation == generation:
            self.missed += (frame.sequence or 0) - sequence - 1
        self.last = (frame.generation, frame.sequence or 0)
        self.frames += 1
        self.bytes += len(frame.data)
        self.ages.append(time.time() - frame.at)


@dataclass(frozen=True)
class Used:
    """CPU seconds and resident bytes of a process at a moment."""

    at: float
    cpu_seconds: float
    memory_bytes: int


def used(pid: int) -> Used:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Used(time.monotonic(), (int(fields[11]) + int(fields[12])) / TICKS, pages * PAGE_BYTES)


def video(path: Path) -> None:
    """A square that walks over a photo; each second of it is different."""
    ground = pictures.photo(WIDTH, HEIGHT)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), VIDEO_FPS, (WIDTH, HEIGHT))
    for number in range(VIDEO_FPS * VIDEO_SECONDS):
        shown = ground.copy()
        left = number * (WIDTH - 40) // (VIDEO_FPS * VIDEO_SECONDS)
        cv2.rectangle(shown, (left, 160), (left + 40, 240), (40, 40, 220), -1)
        writer.write(np.ascontiguousarray(shown))
    writer.release()


def folder_of_pictures(path: Path) -> None:
    path.mkdir()
    for number in range(PICTURES):
        (path / f"{number}.jpg").write_bytes(pictures.photo_jpeg(1280, 720, number))


@contextmanager
def counting(amqp_url: str) -> Iterator[dict[str, Counted]]:
    counted: dict[str, Counted] = defaultdict(Counted)

    def see(delivery: Delivery) -> None:
        frame = frame_of(delivery)
        counted[frame.source].see(frame)

    broker = Broker(parameters_of(amqp_url, "bench"))
    for number in range(Settings().frame_partitions):
        broker.consume(topology.frames_queue(number), see, 100, auto_ack=True)
    broker.start()
    try:
        yield counted
    finally:
        broker.close()


def measure(running: Mill, couch: CouchServer, prefix: str, address: str, feeds: int, seconds: int) -> list[str]:
    database = Couch(couch.url, prefix)
    cameras, states = Cameras(database), ReadingStates(database)
    running.start("writer")
    running.start("camera", camera_capacity=feeds)
    idle = used(running.pid("camera"))
    with counting(running._settings["AMQP_URL"]) as counted:
        for number in range(feeds):
            cameras.put(Camera(id=f"cam-{number:03}", name=f"Camera {number}", address=address))
        wait_for(lambda: len(live(states)) == feeds, "all feeds to be live", 120)
        time.sleep(10)  # all have begun and the caches are warm: what is measured is the steady state
        counted.clear()
        begin = used(running.pid("camera"))
        time.sleep(seconds)
        end = used(running.pid("camera"))
        return row(address, feeds, idle, begin, end, dict(counted))


def live(states: ReadingStates) -> list[str]:
    return [lease.camera for lease in states.view().leases.values() if lease.state == "live"]


def row(address: str, feeds: int, idle: Used, begin: Used, end: Used, counted: dict[str, Counted]) -> list[str]:
    seconds = end.at - begin.at
    frames, missed = sum(c.frames for c in counted.values()), sum(c.missed for c in counted.values())
    ages = sorted(age for c in counted.values() for age in c.ages)
    cpu = (end.cpu_seconds - begin.cpu_seconds) / seconds
    growth = (end.memory_bytes - begin.memory_bytes) / feeds / 1024
    return [
        address,
        str(feeds),
        f"{100 * cpu / feeds:.2f} %",
        f"{100 * cpu:.0f} %",
        f"{(end.memory_bytes - idle.memory_bytes) / feeds / 1024**2:.1f} MiB",
        f"{end.memory_bytes / 1024**2:.0f} MiB",
        f"{growth:+.0f} KiB",
        f"{frames / seconds / feeds:.2f}/s",
        f"{missed} of {frames + missed}",
        f"{1000 * ages[len(ages) // 2]:.0f} / {1000 * ages[int(0.99 * len(ages))]:.0f} ms",
    ]


HEAD = [
    "feed", "feeds", "CPU per feed", "CPU in all", "memory per feed", "memory in all", "grown per feed",
    "frames per feed", "missed", "age at the analyzer, median / 99 %",
]  # fmt: skip


def run(feeds: int, seconds: int) -> list[list[str]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-cameras-") as name, servers(Path(name)) as (rabbit, couch):
        folder = Path(name) / "feeds"
        folder.mkdir()
        video(folder / "video.mp4")
        folder_of_pictures(folder / "pictures")
        for address in ("video.mp4", "pictures"):
            rows.append(one(Path(name), rabbit, couch, folder, address, feeds, seconds))
    return rows


def one(
    home: Path, rabbit: RabbitServer, couch: CouchServer, folder: Path, address: str, feeds: int, seconds: int
) -> list[str]:
    prefix = f"bench-{address.partition('.')[0]}"
    with mill(home, rabbit, couch, prefix) as running:
        running._settings["IMAGEMILL_CAMERA_FOLDER"] = str(folder)
        return measure(running, couch, prefix, address, feeds, seconds)


def main() -> None:
    given = [int(text) for text in sys.argv[1:3]]
    feeds, seconds = [*given, *(FEEDS, SECONDS)[len(given) :]]
    title = (
        f"{feeds} feeds at 1 frame a second, {seconds} s, one process, {os.cpu_count()} cores; CPU is of one core. "
        f"video: {WIDTH} × {HEIGHT}, {VIDEO_FPS} frames a second; pictures: 1280 × 720"
    )
    show(title, HEAD, run(feeds, seconds))


if __name__ == "__main__":
    main()
