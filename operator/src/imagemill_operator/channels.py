"""What the management API tells of channels: where each comes from, what it holds, and what it consumes. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Answer = Mapping[str, Any]
INTERVAL_SECONDS = 5.0
"""So often RabbitMQ renews its statistics unless ``collect_statistics_interval`` says otherwise."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: ``host`` is the address of its client, ``queues`` are those that it consumes.

    ``unacked`` is None for a channel that has not told yet how many messages it holds.
    """

    host: str
    unacked: int | None
    queues: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChannelList:
    """The channels of one virtual host, or why nobody tells them; ``is_passing`` is whether that may be over soon.

    ``interval_seconds`` is how often they are renewed, None while nobody knows.
    """

    channels: tuple[Channel, ...] = ()
    problem: str = ""
    is_passing: bool = False
    interval_seconds: float | None = INTERVAL_SECONDS


def read_channels(channels: Iterable[Answer], consumers: Iterable[Answer]) -> ChannelList:
    """Put channels and consumers together. A consumer whose channel is not listed yet holds nobody knows what."""
    queues: dict[str, set[str]] = {}
    hosts: dict[str, str] = {}
    for consumer in consumers:
        details = _details(consumer, "channel_details")
        queues.setdefault(details.get("name", ""), set()).add(consumer["queue"]["name"])
        hosts[details.get("name", "")] = details.get("peer_host", "")
    listed = {channel["name"]: channel for channel in channels}
    found = [_channel(channel, frozenset(queues.get(name, ()))) for name, channel in listed.items()]
    unlisted = [
        Channel(hosts[name], None, frozenset(consumed)) for name, consumed in queues.items() if name not in listed
    ]
    return ChannelList((*found, *unlisted))


def _channel(channel: Answer, queues: frozenset[str]) -> Channel:
    unacked = channel.get("messages_unacknowledged")
    host = _details(channel, "connection_details").get("peer_host", "")
    return Channel(host, None if unacked is None else int(unacked), queues)


def _details(answer: Answer, name: str) -> Mapping[str, str]:
    """What is not known RabbitMQ gives as an empty list."""
    details = answer.get(name)
    return details if isinstance(details, Mapping) else {}
