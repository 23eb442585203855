"""`make bench-peers`: photos over HTTP until the last result is stored, Imagemill and five peers in turns."""

import argparse
import http.client
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import requests

import pictures
from bench.accounting import Meter, Usage
from bench.contenders import ALL_OURS, OURS, OURS_FOLDER, OURS_S3, PEERS, Addresses, Running, contender
from bench.cpu import bare_loop
from bench.surroundings import chosen_servers
from bench.table import show
from imagemill import recipes
from imagemill.local.ports import listener
from mill import wait_for

CLIENTS = 8
_WARM_UP = 16
_BARE = 40
_BASES = 8
# Views, logs and write-ahead logs are written a little later: that is counted too, with everybody.
_SETTLING_SECONDS = 2
_TIMEOUT_SECONDS = 600
GOALS = {
    OURS: {"rate": "≥ 1.1", "cpu_ms": "≤ 0.95"},
    OURS_FOLDER: {"rate": "≥ 1.3", "cpu_ms": "≤ 0.75"},
    OURS_S3: {"rate": "≥ 1.3", "cpu_ms": "≤ 0.75"},
}
GROUPS = ("front", "workers", "writer, journal", "CouchDB", "RabbitMQ", "S3")


@dataclass(frozen=True)
class Turn:
    """What one contender needed for one set of photos, per photo; `usage` by group of processes."""

    rate: float
    usage: Mapping[str, Usage]

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of all processes and servers."""
        return sum(item.cpu_seconds for item in self.usage.values()) * 1000


Round = Mapping[str, Turn]


def best_peer(rounds: Sequence[Round], figure: str) -> str:
    """Whose median is best: the highest rate, or the least CPU time."""
    names = [name for name in rounds[0] if name not in ALL_OURS]
    key = {name: statistics.median(getattr(turns[name], figure) for turns in rounds) for name in names}
    return (max if figure == "rate" else min)(key, key=key.__getitem__)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median, and what the rounds lay between."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def per_photo(usage: Mapping[str, Usage], photos: int) -> dict[str, Usage]:
    """The share of one photo."""
    return {name: Usage(item.cpu_seconds / photos, item.written_bytes // photos) for name, item in usage.items()}


def photos_of(count: int, seed: int = 0, height: int = 1080) -> list[bytes]:
    """Photos of 16:9 whose results all differ: a store of contents must not win by storing nothing."""
    bases = [pictures.photo(height * 16 // 9, height, seed + number) for number in range(min(count, _BASES))]
    made = []
    for number in range(count):
        pixels = bases[number % len(bases)].copy()
        cv2.putText(pixels, f"{seed}.{number}", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
        made.append(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes())
    return made


def upload(url: str, photos: Sequence[bytes]) -> None:
    """All photos from `CLIENTS` clients, each over one connection."""
    failures: list[str] = []

    def client(mine: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        for item in mine:
            connection.request("POST", "/image", item, {"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != http.HTTPStatus.ACCEPTED:
                failures.append(f"{answer.status}: {text[:300]!r}")
                return
        connection.close()

    threads = [threading.Thread(target=client, args=(photos[number::CLIENTS],)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def measure(running: Running, photos: Sequence[bytes], servers: Mapping[str, Sequence[int]]) -> Turn:
    """Warm up, then the photos until the last result is stored."""
    warm = photos_of(_WARM_UP, seed=1000)
    upload(running.url, warm)
    wait_for(lambda: running.done() >= len(warm), "the warm-up", _TIMEOUT_SECONDS)
    time.sleep(_SETTLING_SECONDS)
    meter = Meter({**running.groups, **servers})
    began, total = time.monotonic(), len(warm) + len(photos)
    upload(running.url, photos)
    wait_for(lambda: running.done() >= total, "the last result", _TIMEOUT_SECONDS)
    took = time.monotonic() - began
    time.sleep(_SETTLING_SECONDS)
    usage = meter.stop()
    running.check(total)
    return Turn(len(photos) / took, per_photo(usage, len(photos)))


@contextmanager
def servers_met(folder: Path) -> Iterator[tuple[Addresses, dict[str, Sequence[int]]]]:
    """The servers, and their processes where they run on this machine."""
    with chosen_servers(folder) as (amqp_url, couchdb_url):
        found = requests.get(couchdb_url, timeout=30).json()
        if "git_sha" in found:
            print(f"CouchDB {found['version']} and the RabbitMQ at port {urlsplit(amqp_url).port}")
        else:
            print("WARNING: a stand-in of CouchDB, not CouchDB: never quote these figures.")
        s3_url = os.environ.get("S3_URL")
        urls = {"CouchDB": couchdb_url, "RabbitMQ": amqp_url} | ({"S3": s3_url} if s3_url else {})
        pids = {name: listener(urlsplit(url).port or 0) for name, url in urls.items()}
        for name in [name for name, pid in pids.items() if pid is None]:
            print(f"{name} does not run on this machine, or as another user: what it uses is not counted.")
        yield Addresses(amqp_url, couchdb_url, s3_url), {name: [pid] for name, pid in pids.items() if pid is not None}


def report(rounds: Sequence[Round], bare: Sequence[float], photos: Sequence[bytes]) -> None:
    """The table, and the ratios to the best peer."""
    rows = []
    for name in rounds[0]:
        turns = [turns[name] for turns in rounds]
        rates, all_cpu = [turn.rate for turn in turns], [turn.cpu_ms for turn in turns]
        rows.append([name, spread(rates), *_groups(turns), spread(all_cpu)])
    size = statistics.mean(len(item) for item in photos) / 1000
    show(
        f"{len(photos)} photos, {size:.0f} kB each, {len(rounds)} rounds in turns; CPU in ms per photo",
        ["what", "images/s", *GROUPS, "servers write, kB", "CPU of all"], rows,
    )  # fmt: skip
    for figure, label in (("rate", "images/s"), ("cpu_ms", "CPU per image")):
        peer = best_peer(rounds, figure)
        for name in [name for name in rounds[0] if name in ALL_OURS]:
            ratios = [getattr(turns[name], figure) / getattr(turns[peer], figure) for turns in rounds]
            print(f"{label} of {name} ÷ the best peer's ({peer}): {spread(ratios, 2)}, goal {GOALS[name][figure]}")
    for name in rounds[0]:
        ratios = [turns[name].usage["workers"].cpu_seconds / loop for turns, loop in zip(rounds, bare, strict=True)]
        print(f"CPU of the workers of {name} ÷ OpenCV alone: {spread(ratios, 2)}")


def _groups(turns: Sequence[Turn]) -> list[str]:
    def middle(name: str) -> str:
        found = [turn.usage[name].cpu_seconds * 1000 for turn in turns if name in turn.usage]
        return f"{statistics.median(found):.1f}" if found else "–"

    written = [sum(turn.usage[name].written_bytes for name in GROUPS[3:] if name in turn.usage) for turn in turns]
    return [*map(middle, GROUPS), f"{statistics.median(written) / 1000:.0f}"]


def main() -> None:
    """Run the rounds."""
    parser = argparse.ArgumentParser(prog="make bench-peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--height", type=int, default=1080, help="pixels; small photos show what all else costs")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--folder", action="store_true", help="Imagemill with its bytes in a folder too")
    wanted = parser.parse_args()
    ours = [OURS, *([OURS_FOLDER] if wanted.folder else []), *([OURS_S3] if "S3_URL" in os.environ else [])]
    recipes.single_threaded()
    photos = photos_of(wanted.photos, height=wanted.height)
    rounds: list[Round] = []
    bare = []
    with tempfile.TemporaryDirectory(prefix="imagemill-peers-") as text, servers_met(Path(text)) as (addresses, pids):
        for _ in range(wanted.rounds):
            loops, turns = [bare_loop(photos[:_BARE], cv2.IMREAD_GRAYSCALE)], {}
            for name in (*ours, *wanted.only):
                with contender(name, Path(text), addresses) as running:
                    turns[name] = measure(running, photos, pids)
                print(f"{name}: {turns[name].rate:.1f} images/s, {turns[name].cpu_ms:.1f} ms", flush=True)
                loops.append(bare_loop(photos[:_BARE], cv2.IMREAD_GRAYSCALE))
            rounds.append(turns)
            bare.append(statistics.median(loops))
    print(f"OpenCV alone: {spread([loop * 1000 for loop in bare])} ms per photo")
    report(rounds, bare, photos)


if __name__ == "__main__":
    main()
