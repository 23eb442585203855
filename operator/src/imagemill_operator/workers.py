"""Asks the workers how busy they are and what they have done."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from imagemill_operator.http import get_text
from imagemill_operator.pool_metrics import MetricNames
from imagemill_operator.promtext import Sample, samples

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


@dataclass(frozen=True, slots=True)
class Source:
    """Where metrics are, and what they are called: of one pod, or with ``pod_label`` of several.

    The label's value is a pod's name, or ends with it behind an ``@`` as the names of Celery's workers do.
    """

    url: str
    names: MetricNames
    pod_label: str = ""
    pods: frozenset[str] = frozenset()


def read_worker(text: str, at_seconds: float, names: MetricNames) -> WorkerReading | None:
    """Read a worker's metrics, all recipes together; None when it does not tell whether it is busy."""
    return _reading(samples(text, names.all), at_seconds, names)


def read_workers(text: str, at_seconds: float, source: Source) -> Mapping[str, WorkerReading]:
    """Read the metrics of several pods, by their names; those of others are left out."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples(text, source.names.all):
        pod = sample.labels.get(source.pod_label, "").rpartition("@")[2]
        if pod in source.pods:
            found[pod].append(sample)
    readings = {pod: _reading(told, at_seconds, source.names) for pod, told in found.items()}
    return {pod: reading for pod, reading in readings.items() if reading is not None}


def _reading(told: Iterable[Sample], at_seconds: float, names: MetricNames) -> WorkerReading | None:
    totals: dict[str, float] = defaultdict(float)
    for name, _, value in told:
        totals[name] += value
    if names.busy not in totals:
        return None
    seconds = totals[names.seconds_sum] * names.seconds_a_unit
    threads = totals[names.threads] or names.assumed_threads
    return WorkerReading(at_seconds, int(totals[names.busy]), threads, totals[names.seconds_count], seconds)


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

    async def read(
        self, pods: Mapping[str, Source], exporters: Mapping[str, Source], now: float
    ) -> Mapping[str, WorkerReading]:
        """Ask pods by name, and exporters by pool, and return what is fresh; pods that are gone are forgotten."""
        there = {*pods, *(pod for exporter in exporters.values() for pod in exporter.pods)}
        self._known = {pod: reading for pod, reading in self._known.items() if pod in there}
        sources = {**pods, **{f"exporter of {pool}": exporter for pool, exporter in exporters.items()}}
        self._asked = {place: self._asked.get(place, _Asked()) for place in sources}
        due = [place for place in sources if self._asked[place].is_due(now)]
        turn = sorted(due, key=lambda place: self._asked[place].at_seconds)[:SCRAPES_PER_TICK]
        gate = asyncio.Semaphore(SCRAPES_AT_ONCE)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._most_seconds):
                await asyncio.gather(*(self._ask(place, sources[place], now, gate) for place in turn))
        return {pod: reading for pod, reading in self._known.items() if now - reading.at_seconds <= FRESH_SECONDS}

    async def _ask(self, place: str, source: Source, now: float, gate: asyncio.Semaphore) -> None:
        async with gate:
            asked = self._asked[place] = _Asked(now, self._asked[place].silent)
            try:
                text = await get_text(self._session, source.url, self._timeout_seconds, LARGEST_ANSWER_BYTES)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
                asked.silent += 1
                return
        asked.silent = 0
        if source.pod_label:
            self._known |= read_workers(text, now, source)
        elif (reading := read_worker(text, now, source.names)) is not None:
            self._known[place] = reading
