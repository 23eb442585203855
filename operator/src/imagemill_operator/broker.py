"""Reads the broker: one scrape per node and tick, a live look at queues of pools that sleep, management as fallback."""

import asyncio
import json
import logging
import math
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import aiohttp

from imagemill_operator.channels import ChannelList, read_channels
from imagemill_operator.depth import (
    QUEUE_ACKED,
    BrokerReading,
    LiveAlone,
    QueueName,
    merge,
    read_detailed,
    read_list,
)
from imagemill_operator.http import TooLongError, get_text
from imagemill_operator.live import LiveDepth
from imagemill_operator.renewal import Renewal, read_uptimes

LOG = logging.getLogger(__name__)
DEPTH_FAMILIES = ("queue_coarse_metrics", "queue_consumer_count")
KINDS_SECONDS = 300.0
"""A queue cannot become another kind, only be deleted and declared anew."""
LARGEST_ANSWER_BYTES = 64 * 2**20
"""More than any broker tells of tens of thousands of queues."""
LARGEST_CHANNELS_BYTES = 8 * 2**20
"""Some 50,000 channels. To read more every few seconds would cost more than it is worth."""
CHANNEL_COLUMNS = "columns=name,messages_unacknowledged,connection_details.peer_host"
CONSUMER_COLUMNS = "columns=queue.name,channel_details.name,channel_details.peer_host"
NODE_COLUMNS = "columns=name,uptime"
UNUSABLE = (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError, TypeError, AttributeError)
"""What an answer raises that does not come, or is not what it should be."""
NO_MANAGEMENT = "The operator has no address of the management API (management-url)."
FORBIDDEN, SERVER_ERROR = (401, 403), 500


class Addresses(Protocol):
    """Where a broker is: the operator's settings, or a Secret."""

    @property
    def broker_metrics_urls(self) -> tuple[str, ...]:
        """Base addresses of the Prometheus plugin."""

    @property
    def amqp_url(self) -> str | None:
        """For live looks."""

    @property
    def management_url(self) -> str | None:
        """For queues that no node's metrics tell."""

    @property
    def request_timeout_seconds(self) -> float:
        """How long an answer may take."""


class Broker:
    """Reads what the pools need. Never raises for a broker that is away: what it did not tell is missing."""

    def __init__(self, settings: Addresses, session: aiohttp.ClientSession, tls: ssl.SSLContext | None = None) -> None:
        self._settings, self._session, self._tls = settings, session, tls
        self._live = self._new_live()
        self._alone = (
            LiveAlone() if self._live and not (settings.broker_metrics_urls or settings.management_url) else None
        )
        self._channel_counters: set[str] = set()
        self._renewal = Renewal()
        self._kinds, self._kinds_at = BrokerReading(), dict[str, float]()

    def _new_live(self) -> LiveDepth | None:
        """A thread that waits for a broker which is gone keeps its own connection until the heartbeat ends it."""
        url = self._settings.amqp_url
        return LiveDepth(url, self._settings.request_timeout_seconds, tls=self._tls) if url else None

    async def read(
        self,
        queues: Collection[QueueName],
        *,
        asleep: Collection[QueueName],
        with_acks: bool,
        channels_of: Collection[str] = (),
    ) -> BrokerReading:
        """Read all queues; those of pools that stand at 0 also live, and all of them if nothing else is told.

        ``channels_of`` are virtual hosts whose channels are asked for too.
        """
        looked_at = asleep if self._alone is None else queues
        scraped, *others = await asyncio.gather(
            self._scrape({vhost for vhost, _ in queues}, with_acks=with_acks),
            self._look(looked_at),
            self._ask_kinds({vhost for vhost, _ in queues}),
            self._ask_channels(channels_of),
        )
        reading = merge([*scraped, *others])
        if self._alone is not None:
            self._alone.believe(reading, time.monotonic())
        missing = [queue for queue in queues if queue not in reading.queues]
        if missing and self._settings.management_url:
            reading = merge([reading, await self._ask_management(missing)])
        reading.errors = list(dict.fromkeys(reading.errors))
        return reading

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        """Look live whether a message waits in one of them; a broker that does not answer tells of none."""
        looked = await self._look(queues)
        return any(seen.ready for seen in looked.live.values())

    async def close(self) -> None:
        """Close the connection for live looks."""
        if self._live is not None:
            await asyncio.to_thread(self._live.close)

    async def _look(self, queues: Collection[QueueName]) -> BrokerReading:
        if self._live is None or not queues:
            return BrokerReading()
        try:
            look = asyncio.to_thread(self._live.look, list(queues))
            found, errors = await asyncio.wait_for(look, self._settings.request_timeout_seconds)
        except TimeoutError:
            self._live = self._new_live()
            return BrokerReading(errors=["The broker does not answer over AMQP in time."])
        return BrokerReading(live=found, errors=errors)

    async def _scrape(self, vhosts: Collection[str], *, with_acks: bool) -> list[BrokerReading]:
        nodes = await self._nodes()
        return await asyncio.gather(*(self._scrape_node(node, vhosts, with_acks=with_acks) for node in nodes))

    async def _nodes(self) -> list[str]:
        """Every address behind the given names: a headless Service has one for each node."""
        found = await asyncio.gather(*(addresses(url) for url in self._settings.broker_metrics_urls))
        return sorted({node for nodes in found for node in nodes})

    async def _scrape_node(self, node: str, vhosts: Collection[str], *, with_acks: bool) -> BrokerReading:
        """Ask for the virtual hosts of the pools alone; a broker before 3.10 tells all of them."""
        families = [*DEPTH_FAMILIES, *self._ack_families(node, with_acks=with_acks)]
        seconds = self._settings.request_timeout_seconds
        asked = [("family", family) for family in families] + [("vhost", vhost) for vhost in sorted(vhosts)]
        query = urlencode(asked)
        try:
            text = await self._get(f"{node}/metrics/detailed?{query}", seconds)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as problem:
            return BrokerReading(errors=[f"{without_password(node)} does not tell its metrics: {said(problem)}"])
        if with_acks and f"# TYPE {QUEUE_ACKED} " not in text:
            self._channel_counters.add(node)
        return read_detailed(text, node)

    def _ack_families(self, node: str, *, with_acks: bool) -> tuple[str, ...]:
        """RabbitMQ 4 counts acknowledgements by queue; before, only by channel and queue."""
        if not with_acks:
            return ()
        return ("channel_queue_metrics",) if node in self._channel_counters else ("queue_delivery_metrics",)

    async def _ask_management(self, queues: Iterable[QueueName]) -> BrokerReading:
        """One list for each virtual host: totals of a single queue are not told by every version."""
        wanted = set(queues)
        lists = await asyncio.gather(*(self._list(vhost) for vhost in sorted({vhost for vhost, _ in wanted})))
        whole = merge(lists)
        whole.queues = {queue: seen for queue, seen in whole.queues.items() if queue in wanted}
        return whole

    async def _list(self, vhost: str, what: str = "enable_queue_totals=true") -> BrokerReading:
        """For a second after a change the list may be partial: a queue that is missing is not empty."""
        path = f"queues/{quote(vhost, safe='')}?disable_stats=true&{what}"
        return await self._manage(path, read_list, f"list the queues of {vhost}")

    async def _ask_kinds(self, vhosts: Collection[str]) -> BrokerReading:
        """Ask now and then what the queues are: the metrics tell streams from 4.1 on, and single consumers never."""
        if not self._settings.management_url:
            return BrokerReading()
        now = time.monotonic()
        due = [vhost for vhost in vhosts if now - self._kinds_at.get(vhost, -math.inf) >= KINDS_SECONDS]
        lists = await asyncio.gather(*(self._list(vhost, "columns=name,vhost,type,arguments") for vhost in due))
        self._kinds_at |= {vhost: now for vhost, told in zip(due, lists, strict=True) if not told.errors}
        self._kinds = merge([self._kinds, *(BrokerReading(kinds=told.kinds) for told in lists)])
        return merge([self._kinds, *(BrokerReading(errors=told.errors) for told in lists)])

    async def _ask_channels(self, vhosts: Collection[str]) -> BrokerReading:
        """Ask who consumes and what each channel holds; connections are not asked for, as channels name their host."""
        if not self._settings.management_url:
            return BrokerReading(channels=dict.fromkeys(vhosts, ChannelList(problem=NO_MANAGEMENT)))
        refusal = await self._ask_renewal() if vhosts else None
        lists = await asyncio.gather(*(self._list_channels(vhost) for vhost in vhosts if refusal is None))
        told = dict(zip(vhosts, lists, strict=True)) if refusal is None else dict.fromkeys(vhosts, refusal)
        return BrokerReading(channels=told, errors=[one.problem for one in told.values() if one.problem])

    async def _ask_renewal(self) -> ChannelList | None:
        """Learn how old statistics may be; return what to say of the channels when not even that is told."""
        try:
            uptimes = read_uptimes(await self._get_channels(f"nodes?{NODE_COLUMNS}"))
        except UNUSABLE as problem:
            return untold(problem)
        self._renewal.take(uptimes, time.monotonic())
        return None

    async def _list_channels(self, vhost: str) -> ChannelList:
        """In one piece, not page by page: a channel that moved between two pages would be missing."""
        name = quote(vhost, safe="")
        paths = f"vhosts/{name}/channels?{CHANNEL_COLUMNS}", f"consumers/{name}?{CONSUMER_COLUMNS}"
        try:
            channels, consumers = await asyncio.gather(*(self._get_channels(path) for path in paths))
            told = read_channels(channels, consumers)
        except UNUSABLE as problem:
            return untold(problem)
        return replace(told, interval_seconds=self._renewal.interval_seconds)

    async def _get_channels(self, path: str) -> Any:
        url, seconds = f"{self._settings.management_url}/api/{path}", self._settings.request_timeout_seconds
        return json.loads(await get_text(self._session, url, seconds, LARGEST_CHANNELS_BYTES, self._tls))

    async def _manage(self, path: str, read: Callable[[Any], BrokerReading], what: str) -> BrokerReading:
        url, seconds = f"{self._settings.management_url}/api/{path}", self._settings.request_timeout_seconds
        try:
            return read(json.loads(await self._get(url, seconds)))
        except UNUSABLE as problem:
            return BrokerReading(errors=[f"The management API does not {what}: {said(problem)}"])

    async def _get(self, url: str, seconds: float) -> str:
        return await get_text(self._session, url, seconds, LARGEST_ANSWER_BYTES, self._tls)


async def addresses(url: str) -> list[str]:
    """Return the URL once for each address of its host; as it is when it cannot be resolved or needs its name."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return [url]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError:
        return [url]
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    hosts = {str(entry[4][0]) for entry in found}
    return [
        urlunsplit(parts._replace(netloc=f"{user}{f'[{host}]' if ':' in host else host}:{parts.port or 80}"))
        for host in sorted(hosts)
    ]


def without_password(url: str) -> str:
    """Return the URL as it may be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def untold(problem: Exception) -> ChannelList:
    """Say why the channels are not told."""
    return ChannelList(problem=channels_problem(problem), is_passing=not is_refusal(problem))


def is_refusal(problem: Exception) -> bool:
    """Whether the management API answers, and says no or too much: to ask again soon changes nothing."""
    is_no = isinstance(problem, aiohttp.ClientResponseError) and problem.status < SERVER_ERROR
    return is_no or isinstance(problem, TooLongError)


def channels_problem(problem: Exception) -> str:
    """Say why the channels are not known, and what would help."""
    if isinstance(problem, aiohttp.ClientResponseError) and problem.status in FORBIDDEN:
        return f"The management API does not let its user list channels ({problem.status}): give it the tag monitoring."
    if isinstance(problem, TooLongError):
        return f"There are more channels in the virtual host than are read ({problem})."
    return f"The management API does not list the channels: {_without_address(problem)}."


def _without_address(problem: Exception) -> str:
    """Say what went wrong for a status, which others read who need not know where the broker is."""
    if isinstance(problem, aiohttp.ClientResponseError):
        return f"{problem.status} {problem.message}"
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"no connection ({type(problem.os_error).__name__})"
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not believed"
    return said(problem)


def said(problem: Exception) -> str:
    """What an exception says, or what it is when it says nothing."""
    return str(problem) or type(problem).__name__
