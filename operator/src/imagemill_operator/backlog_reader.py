"""Messages that wait outside of a pool's queues, as those who hold them back tell.

Imagemill's API keeps of each token no more than a share in a queue, so that nobody's batch makes others wait. What is
held back is work all the same: a pool scaled by its queue alone would never learn how much there is to do.
"""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from imagemill_operator.http import get_text
from imagemill_operator.pool_metrics import BacklogMetrics
from imagemill_operator.promtext import Sample, samples

TIMEOUT_SECONDS = 1.5
MOST_ADDRESSES = 64
LARGEST_ANSWER_BYTES = 2**20
FRESH_SECONDS = 12.0
"""What was told longer ago has been published, or is told by another pod now."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What one address told, of all metrics that are wanted from it."""

    at_seconds: float
    samples: tuple[Sample, ...]


class BacklogReader:
    """Asks every address behind a host name, and keeps the last answers for a while."""

    def __init__(self, session: aiohttp.ClientSession, most_seconds: float = 2.0) -> None:
        self._session, self._most_seconds = session, most_seconds
        self._told: dict[tuple[str, str], _Told] = {}

    async def read(self, wanted: Mapping[str, BacklogMetrics], now: float) -> Mapping[str, int]:
        """By pool, the messages that are held back; who never answered adds nothing."""
        urls = {metrics.url for metrics in wanted.values()}
        names = frozenset(metrics.metric for metrics in wanted.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._most_seconds):
                await asyncio.gather(*(self._ask(url, names, now) for url in urls))
        self._told = {
            place: told
            for place, told in self._told.items()
            if place[0] in urls and now - told.at_seconds <= FRESH_SECONDS
        }
        return {pool: self._sum(metrics) for pool, metrics in wanted.items()}

    def _sum(self, metrics: BacklogMetrics) -> int:
        told = (sample for (url, _), said in self._told.items() if url == metrics.url for sample in said.samples)
        return round(sum(max(0.0, sample.value) for sample in told if metrics.means(sample)))

    async def _ask(self, url: str, names: frozenset[str], now: float) -> None:
        addresses = await _addresses(url)
        answers = await asyncio.gather(*(self._get(address) for address in addresses.values()))
        for address, text in zip(addresses, answers, strict=True):
            if text is not None:
                self._told[url, address] = _Told(now, tuple(samples(text, names)))

    async def _get(self, url: str) -> str | None:
        try:
            return await get_text(self._session, url, TIMEOUT_SECONDS, LARGEST_ANSWER_BYTES)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return None


async def _addresses(url: str) -> dict[str, str]:
    """Of each address behind a URL's host the URL by which it alone is asked."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return {}
    return {
        address: f"http://{_in_url(address)}:{port}{parts.path}" for address in _first(item[4][0] for item in found)
    }


def _first(addresses: Iterable[str | int]) -> list[str]:
    return sorted({str(address) for address in addresses})[:MOST_ADDRESSES]


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address
