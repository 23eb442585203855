"""The brokers of the pools: the operator's own, told by its environment, and those that pools name by a Secret."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import aiohttp

from imagemill_operator.broker import Broker
from imagemill_operator.broker_secret import SecretProblem, read_broker_secret
from imagemill_operator.depth import BrokerProblem, BrokerReading, QueueName
from imagemill_operator.kube import KubeError
from imagemill_operator.settings import Settings

LOG = logging.getLogger(__name__)
OWN = ""
"""Name of the operator's own broker."""
REFRESH_SECONDS = 15.0
"""So often a Secret is read again."""
GetSecret = Callable[[str], Awaitable[Mapping[str, Any] | None]]
NOT_FOUND, FORBIDDEN = 404, 403
REDACTED = "…"
NO_BROKER = BrokerProblem("NoBroker", "The operator has no broker of its own: name one in brokerRef.")


class BrokerReader(Protocol):
    """Tells the depth of queues."""

    async def read(
        self,
        queues: Collection[QueueName],
        *,
        asleep: Collection[QueueName],
        with_acks: bool,
        channels_of: Collection[str],
    ) -> BrokerReading:
        """Read all queues, those of sleeping pools live, and the channels of those virtual hosts."""

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        """Look live whether a message waits in one of them."""


@dataclass(frozen=True, slots=True)
class NamedBroker:
    """A broker of a Secret. What it says of its troubles names the Secret and holds no password."""

    secret: str
    broker: Broker
    passwords: Collection[str]

    async def read(
        self,
        queues: Collection[QueueName],
        *,
        asleep: Collection[QueueName],
        with_acks: bool,
        channels_of: Collection[str],
    ) -> BrokerReading:
        """Read it."""
        reading = await self.broker.read(queues, asleep=asleep, with_acks=with_acks, channels_of=channels_of)
        reading.channels = {
            vhost: replace(told, problem=self._without_passwords(told.problem))
            for vhost, told in reading.channels.items()
        }
        reading.errors = [f"Broker of Secret {self.secret}: {self._without_passwords(text)}" for text in reading.errors]
        return reading

    def _without_passwords(self, text: str) -> str:
        for word in sorted(self.passwords, key=len, reverse=True):
            text = text.replace(word, REDACTED)
        return text

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        """Look live."""
        return await self.broker.any_waiting(queues)


@dataclass(slots=True)
class _Known:
    """What was made of a Secret, of which version of it, and when it was read."""

    reader: BrokerReader | BrokerProblem
    version: str
    read_at: float


class Brokers:
    """Makes a reader for each broker that pools name, anew when its Secret changes."""

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        get_secret: GetSecret,
        clock: Callable[[], float],
    ) -> None:
        self._settings, self._session, self._get_secret, self._clock = settings, session, get_secret, clock
        self._own = Broker(settings, session) if settings.has_broker else None
        self._known: dict[str, _Known] = {}

    async def readers(self, names: Collection[str]) -> Mapping[str, BrokerReader | BrokerProblem]:
        """Return a reader for each name, or why there is none; those that nobody names any more are given up."""
        for name in self._known.keys() - set(names):
            await self._close(self._known.pop(name).reader)
        found = await asyncio.gather(*(self._reader(name) for name in names))
        return dict(zip(names, found, strict=True))

    async def close(self) -> None:
        """Close every connection."""
        for known in self._known.values():
            await self._close(known.reader)
        if self._own is not None:
            await self._own.close()

    async def _close(self, reader: BrokerReader | BrokerProblem) -> None:
        if isinstance(reader, NamedBroker):
            await reader.broker.close()

    async def _reader(self, name: str) -> BrokerReader | BrokerProblem:
        if name == OWN:
            return self._own or NO_BROKER
        known = self._known.get(name)
        if known is None or self._clock() - known.read_at >= REFRESH_SECONDS:
            known = self._known[name] = await self._refreshed(name, known)
        return known.reader

    async def _refreshed(self, name: str, known: _Known | None) -> _Known:
        try:
            body = await self._secret(name)
        except SecretProblem as problem:
            return await self._replaced(known, BrokerProblem(problem.reason, problem.message), "")
        except KubeError as error:
            return self._kept(name, known, error)
        version = str((body.get("metadata") or {}).get("resourceVersion", ""))
        if known is not None and known.version == version:
            return _Known(known.reader, version, self._clock())
        return await self._replaced(known, self._made(name, body), version)

    async def _secret(self, name: str) -> Mapping[str, Any]:
        if name not in self._settings.broker_secrets:
            raise SecretProblem("SecretNotAllowed", _not_allowed(name))
        try:
            body = await self._get_secret(name)
        except KubeError as error:
            if error.status == FORBIDDEN:
                raise SecretProblem("SecretForbidden", _not_allowed(name)) from None
            raise
        if body is None:
            raise SecretProblem("SecretMissing", f"There is no Secret {name}, which brokerRef names.")
        return body

    def _made(self, name: str, body: Mapping[str, Any]) -> BrokerReader | BrokerProblem:
        try:
            secret = read_broker_secret(body, name, self._settings.request_timeout_seconds)
        except SecretProblem as problem:
            return BrokerProblem(problem.reason, problem.message)
        return NamedBroker(name, Broker(secret, self._session, secret.tls), secret.passwords)

    async def _replaced(self, known: _Known | None, reader: BrokerReader | BrokerProblem, version: str) -> _Known:
        if known is not None:
            await self._close(known.reader)
        return _Known(reader, version, self._clock())

    def _kept(self, name: str, known: _Known | None, error: KubeError) -> _Known:
        """An API server that does not answer takes no broker away."""
        LOG.warning("Secret %s cannot be read: %s", name, error)
        if known is not None:
            return _Known(known.reader, known.version, self._clock())
        problem = BrokerProblem("SecretUnread", f"Secret {name} cannot be read now ({error}); it is tried again.")
        return _Known(problem, "", self._clock())


def _not_allowed(name: str) -> str:
    return f"The operator may not read Secret {name}: add it to brokerSecrets of its chart."
