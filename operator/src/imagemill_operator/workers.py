"""Asks the workers how busy they are and what they have done."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
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
LONGEST_PAUSE_SECONDS = 60.0
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


@dataclass(slots=True)
class _Asked:
    """When a pod was asked last, and how often in a row it did not answer."""

    at_seconds: float = 0.0
    silent: int = 0

    def is_due(self, now: float) -> bool:
        """A pod that never answers, behind a network policy for instance, is asked less and less often."""
        return now - self.at_seconds >= min(LONGEST_PAUSE_SECONDS, 2.0**self.silent) if self.silent > 1 else True


class Workers:
    """Keeps the last answer of each pod and asks the longest unasked first, a bounded number in each tick.

    ``most_seconds`` is how long one round may take: who was not asked by then is first in the next.
    """

    def __init__(self, session: aiohttp.ClientSession, most_seconds: float = 2.0) -> None:
        self._session, self._most_seconds = session, most_seconds
        self._timeout_seconds = min(TIMEOUT_SECONDS, most_seconds * 0.75)
        self._known: dict[str, WorkerReading] = {}
        self._asked: dict[str, _Asked] = {}

    async def read(self, urls: Mapping[str, str], now: float) -> Mapping[str, WorkerReading]:
        """Ask the pods (name to URL) and return what is fresh; pods that are gone are forgotten."""
        self._known = {pod: reading for pod, reading in self._known.items() if pod in urls}
        self._asked = {pod: self._asked.get(pod, _Asked()) for pod in urls}
        due = [pod for pod in urls if self._asked[pod].is_due(now)]
        turn = sorted(due, key=lambda pod: self._asked[pod].at_seconds)[:SCRAPES_PER_TICK]
        gate = asyncio.Semaphore(SCRAPES_AT_ONCE)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._most_seconds):
                await asyncio.gather(*(self._ask(pod, urls[pod], now, gate) for pod in turn))
        return {pod: reading for pod, reading in self._known.items() if now - reading.at_seconds <= FRESH_SECONDS}

    async def _ask(self, pod: str, url: str, now: float, gate: asyncio.Semaphore) -> None:
        async with gate:
            asked = self._asked[pod] = _Asked(now, self._asked[pod].silent)
            try:
                text = await get_text(self._session, url, self._timeout_seconds, LARGEST_ANSWER_BYTES)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                asked.silent += 1
                return
        asked.silent = 0
        reading = read_worker(text, now)
        if reading is not None:
            self._known[pod] = reading
