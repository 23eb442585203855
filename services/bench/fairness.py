"""What one token's batch does to another's single pictures: time until stored, alone and with the batch waiting."""

import contextlib
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import requests

import pictures
from bench.surroundings import mill, servers, variants
from bench.table import show
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill

BATCH = 20_000
IN_A_REQUEST = 500
SENDERS = 3
SINGLES = 30
_ADMIN_TOKEN = "only-for-this-benchmark-and-not-longer"
_EVERYTHING = 1_000_000


class Client:
    """Somebody with a token of their own."""

    def __init__(self, running: Mill, name: str) -> None:
        made = running.post("/api/v1/tokens", json={"name": name, "role": "uploader"}).json()
        self._url, self._http = f"{running.url}/api/v1", requests.Session()
        self._http.headers["Authorization"] = f"Bearer {made['token']}"

    def upload(self, data: Sequence[bytes]) -> str:
        files = [("file", (f"{n}.jpg", one, "image/jpeg")) for n, one in enumerate(data)]
        answer = self._http.post(f"{self._url}/images", files=files, timeout=300)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["accepted"][0]["id"])

    def seconds_until_stored(self, data: bytes) -> float:
        began = time.monotonic()
        image_id = self.upload([data])
        while self._http.get(f"{self._url}/images/{image_id}", timeout=300).json()["status"] != "stored":
            time.sleep(0.02)
        return time.monotonic() - began


def singles(client: Client, data: Sequence[bytes]) -> list[float]:
    return [client.seconds_until_stored(one) for one in data]


def bench_fairness(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    """With shares, and without (a share of everything, on a server of its own so that nothing waits from before)."""
    rows = []
    for name, share in (("a share of 100", 100), ("none: first in, first out", _EVERYTHING)):
        own = folder / str(share)
        own.mkdir()
        with contextlib.ExitStack() as ends:
            if share == _EVERYTHING:
                rabbit, couch = ends.enter_context(servers(own))
            running = ends.enter_context(mill(own, rabbit, couch, "fair"))
            settings = {
                "login": "true",
                "admin_token": _ADMIN_TOKEN,
                "dispatch_share": share,
                "max_request_files": 1000,
            }
            running.http.headers["Authorization"] = f"Bearer {_ADMIN_TOKEN}"
            running.start("writer", "api", "worker", **settings)
            rows.append([name, *_figures(running, most_singles=SINGLES if share < _EVERYTHING else 1)])
    head = [
        "dispatch",
        "batch accepted, s",
        "waiting at the first",
        "alone, s",
        "beside it, s (median, worst)",
        "ratio",
    ]
    show(f"Single pictures of one token beside {BATCH:,} small ones of another, one worker", head, rows)


def _figures(running: Mill, most_singles: int) -> list[str]:
    ann, bob = Client(running, "ann"), Client(running, "bob")
    base = [pictures.photo_jpeg(160, 120, seed) for seed in range(4)]
    alone = statistics.median(singles(bob, variants(base, SINGLES, "alone")))
    began = time.monotonic()
    _send_batch(ann, variants(base, BATCH, "batch"))
    accepted_seconds = time.monotonic() - began
    waiting = running.totals()["in_flight"]
    beside = singles(bob, variants(base, most_singles, "beside"))
    assert running.totals()["in_flight"] > 0 or most_singles == 1, "the batch ended before the singles"
    median = statistics.median(beside)
    return [
        f"{accepted_seconds:.0f}", f"{waiting:,}", f"{alone:.2f}", f"{median:.2f}, {max(beside):.2f}",
        f"{median / alone:.1f}",
    ]  # fmt: skip


def _send_batch(client: Client, data: list[bytes]) -> None:
    """In a few requests at a time."""
    portions = [data[start : start + IN_A_REQUEST] for start in range(0, len(data), IN_A_REQUEST)]
    threads = [
        threading.Thread(target=lambda n=n: [client.upload(one) for one in portions[n::SENDERS]])
        for n in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
