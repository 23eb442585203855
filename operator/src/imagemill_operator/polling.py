"""Looks at the brokers for all pools in one go: each broker once, for the queues of all pools that it serves."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from imagemill_operator.brokers import BrokerReader
from imagemill_operator.depth import BrokerProblem, BrokerReading, QueueName
from imagemill_operator.pools import PoolResource

MOST_QUEUES_BETWEEN_TICKS = 100
"""More would cost the broker more than the wait is worth; they are looked at by the ticks alone."""

LOG = logging.getLogger(__name__)


class BrokersReader(Protocol):
    """Finds the reader of each broker."""

    async def readers(self, names: Collection[str]) -> Mapping[str, BrokerReader | BrokerProblem]:
        """Return a reader for each name, or why there is none."""


@dataclass(frozen=True, slots=True)
class Look:
    """A pool whose queues are looked at.

    ``is_asleep`` also for a while after it woke; ``wants_channels`` is whether to ask which pods hold messages.
    """

    pool: PoolResource
    is_at_zero: bool
    is_asleep: bool
    wants_channels: bool

    @property
    def queues(self) -> list[QueueName]:
        """The pool's queues."""
        return [(self.pool.vhost, name) for name in self.pool.queues]


class BrokerPoller:
    """Keeps what one look hands to the next: which queues were empty, and what was said already."""

    def __init__(self, brokers: BrokersReader) -> None:
        self._brokers = brokers
        self._readers: Mapping[str, BrokerReader | BrokerProblem] = {}
        self._errors: list[str] = []
        self._empty: dict[str, set[QueueName]] = {}

    async def read(self, looks: Iterable[Look]) -> dict[str, BrokerReading]:
        """Read every broker that one of the pools is served by."""
        by_broker: dict[str, list[Look]] = {}
        for look in looks:
            by_broker.setdefault(look.pool.broker, []).append(look)
        self._readers = await self._brokers.readers(list(by_broker))
        readings = await asyncio.gather(*(self._read(name, part) for name, part in by_broker.items()))
        found = dict(zip(by_broker, readings, strict=True))
        self._empty = {name: _empty(by_broker[name], reading) for name, reading in found.items()}
        self._say([error for reading in readings for error in reading.errors])
        return found

    async def _read(self, name: str, looks: Collection[Look]) -> BrokerReading:
        reader = self._readers[name]
        if isinstance(reader, BrokerProblem):
            return BrokerReading(errors=[reader.message], problem=reader)
        own = [look for look in looks if look.pool.worker_metrics is None]
        return await reader.read(
            {queue for look in looks for queue in look.queues},
            asleep={queue for look in looks if look.is_asleep for queue in look.queues},
            with_acks=bool(own),
            channels_of=sorted({look.pool.vhost for look in looks if look.wants_channels}),
        )

    def _say(self, errors: list[str]) -> None:
        for error in errors:
            if error not in self._errors:
                LOG.warning("%s", error)
        self._errors = errors

    async def has_new_messages(self) -> bool:
        """Whether a message came to a pool that stood at 0 with nothing to do when it was looked at last."""
        empty = {name: queues for name, queues in self._empty.items() if queues}
        if not 0 < sum(map(len, empty.values())) <= MOST_QUEUES_BETWEEN_TICKS:
            return False
        readers = {name: self._readers[name] for name in empty}
        found = (
            reader.any_waiting(empty[name]) for name, reader in readers.items() if not isinstance(reader, BrokerProblem)
        )
        return any(await asyncio.gather(*found))

    def forget(self) -> None:
        """Look for nothing between ticks."""
        self._empty = {}


def _empty(looks: Iterable[Look], reading: BrokerReading) -> set[QueueName]:
    at_zero = {queue for look in looks if look.is_at_zero for queue in look.queues}
    return {queue for queue in at_zero if queue in reading.live and reading.live[queue].ready == 0}
