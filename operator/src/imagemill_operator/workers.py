"""Asks the workers how busy they are and what they have done."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from imagemill_operator.http import get_text
from imagemill_operator.promtext import samples

BUSY = "imagemill_worker_busy"
THREADS = "imagemill_worker_threads"
IMAGES = "imagemill_worker_image_seconds_count"
SECONDS = "imagemill_worker_image_seconds_sum"
WANTED = frozenset({BUSY, THREADS, IMAGES, SECONDS})
TIMEOUT_SECONDS = 1.5
SCRAPES_AT_ONCE = 32
SCRAPES_PER_TICK = 400
LARGEST_ANSWER_BYTES = 2**20
FRESH_SECONDS = 12.0
"""An older answer says nothing about busy or idle."""


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """One pod's answer. ``busy`` is the number of images in work, ``images`` and ``seconds`` only grow."""

    at_seconds: float
    busy: int
    threads: float
    images: float
    seconds: float


def read_worker(text: str, at_seconds: float) -> WorkerReading | None:
    """Read a worker's metrics, all recipes together; None when it does not tell whether it is busy."""
    totals = dict.fromkeys(WANTED, 0.0)
    told = set()
    for name, _, value in samples(text, WANTED):
        totals[name] += value
        told.add(name)
    if BUSY not in told:
        return None
    return WorkerReading(at_seconds, int(totals[BUSY]), totals[THREADS] or 1.0, totals[IMAGES], totals[SECONDS])


class Workers:
    """Keeps the last answer of each pod and asks the longest unasked first, a bounded number in each tick."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._known: dict[str, WorkerReading] = {}
        self._asked: dict[str, float] = {}

    async def read(self, urls: Mapping[str, str], now: float) -> Mapping[str, WorkerReading]:
        """Ask the pods (name to URL) and return what is fresh; pods that are gone are forgotten."""
        self._known = {pod: reading for pod, reading in self._known.items() if pod in urls}
        self._asked = {pod: at for pod, at in self._asked.items() if pod in urls}
        turn = sorted(urls, key=lambda pod: self._asked.get(pod, 0.0))[:SCRAPES_PER_TICK]
        gate = asyncio.Semaphore(SCRAPES_AT_ONCE)
        await asyncio.gather(*(self._ask(pod, urls[pod], now, gate) for pod in turn))
        return {pod: reading for pod, reading in self._known.items() if now - reading.at_seconds <= FRESH_SECONDS}

    async def _ask(self, pod: str, url: str, now: float, gate: asyncio.Semaphore) -> None:
        self._asked[pod] = now
        async with gate:
            try:
                text = await get_text(self._session, url, TIMEOUT_SECONDS, LARGEST_ANSWER_BYTES)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                return
        reading = read_worker(text, now)
        if reading is not None:
            self._known[pod] = reading
