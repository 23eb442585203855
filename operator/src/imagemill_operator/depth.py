"""What the broker's answers say about a queue: a number, nothing, or unknown. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill_operator.channels import ChannelList
from imagemill_operator.policy import Backlog
from imagemill_operator.promtext import samples

READY = "rabbitmq_detailed_queue_messages_ready"
UNACKED = "rabbitmq_detailed_queue_messages_unacked"
CONSUMERS = "rabbitmq_detailed_queue_consumers"
QUEUE_ACKED = "rabbitmq_detailed_queue_messages_acked_total"
CHANNEL_ACKED = "rabbitmq_detailed_channel_messages_acked_total"
INFO = "rabbitmq_detailed_queue_info"
WANTED = frozenset({READY, UNACKED, CONSUMERS, QUEUE_ACKED, CHANNEL_ACKED, INFO})

STREAM = "rabbit_stream_queue"

ELECTION_SECONDS = 30.0
"""A quorum queue that has a majority has a leader again long before."""

QueueName = tuple[str, str]
"""Virtual host and name."""


@dataclass(frozen=True, slots=True)
class QueueReading:
    """Messages of one queue."""

    ready: int
    unacked: int
    consumers: int = 0


@dataclass(frozen=True, slots=True)
class LiveReading:
    """What a passive declare tells of one queue: what waits, not what is in work."""

    ready: int
    consumers: int = 0


@dataclass(frozen=True, slots=True)
class QueueKind:
    """What a queue is, as far as it matters to scaling."""

    is_stream: bool = False
    has_single_consumer: bool = False


@dataclass(frozen=True, slots=True)
class BrokerProblem:
    """Why nobody can even ask a broker: a reason in one word, and a sentence without anything secret."""

    reason: str
    message: str


@dataclass(slots=True)
class BrokerReading:
    """Everything the broker told in one tick.

    ``acked`` are counters by queue: each node's and channel's own, which come and go. ``live`` is what passive declares
    told. ``channels`` are those of each virtual host that was asked for them. ``errors`` are sentences;
    ``problem`` says why it could not even be asked.
    """

    queues: dict[QueueName, QueueReading] = field(default_factory=dict)
    acked: dict[QueueName, dict[str, float]] = field(default_factory=dict)
    live: dict[QueueName, LiveReading] = field(default_factory=dict)
    channels: dict[str, ChannelList] = field(default_factory=dict)
    kinds: dict[QueueName, QueueKind] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    problem: BrokerProblem | None = None


def read_detailed(text: str, node: str) -> BrokerReading:
    """Read one node's ``/metrics/detailed``. A queue needs both numbers to count as told."""
    values: dict[str, dict[QueueName, float]] = {READY: {}, UNACKED: {}, CONSUMERS: {}}
    followers: set[QueueName] = set()
    reading = BrokerReading()
    for name, labels, value in samples(text, WANTED):
        queue = labels.get("vhost", "/"), labels.get("queue", "")
        if name in values:
            values[name][queue] = value
        elif name == INFO:
            if labels.get("membership") == "follower":
                followers.add(queue)
            reading.kinds[queue] = QueueKind(labels.get("queue_type") == STREAM)
        else:
            reading.acked.setdefault(queue, {})[f"{node}/{labels.get('channel', '')}"] = value
    for queue in values[READY].keys() & values[UNACKED].keys() - followers:
        numbers = (int(values[name].get(queue, 0)) for name in (READY, UNACKED, CONSUMERS))
        reading.queues[queue] = QueueReading(*numbers)
    return reading


def read_list(queues: Iterable[Mapping[str, Any]]) -> BrokerReading:
    """Read the management API's list; a queue without numbers is not told."""
    reading = BrokerReading()
    for queue in queues:
        single = bool((queue.get("arguments") or {}).get("x-single-active-consumer"))
        reading.kinds[queue["vhost"], queue["name"]] = QueueKind(queue.get("type") == "stream", single)
        if queue.get("messages_ready") is not None and queue.get("messages_unacknowledged") is not None:
            numbers = int(queue["messages_ready"]), int(queue["messages_unacknowledged"])
            reading.queues[queue["vhost"], queue["name"]] = QueueReading(*numbers)
    return reading


def merge(readings: Iterable[BrokerReading]) -> BrokerReading:
    """Put the nodes together. Where two tell a queue the larger number counts: demand is not to be lost."""
    whole = BrokerReading()
    for reading in readings:
        for queue, seen in reading.queues.items():
            known = whole.queues.get(queue, seen)
            whole.queues[queue] = QueueReading(
                max(known.ready, seen.ready), max(known.unacked, seen.unacked), max(known.consumers, seen.consumers)
            )
        for queue, counters in reading.acked.items():
            whole.acked.setdefault(queue, {}).update(counters)
        whole.live.update(reading.live)
        whole.channels.update(reading.channels)
        for queue, kind in reading.kinds.items():
            other = whole.kinds.get(queue, kind)
            whole.kinds[queue] = QueueKind(
                kind.is_stream or other.is_stream, kind.has_single_consumer or other.has_single_consumer
            )
        whole.errors.extend(reading.errors)
    return whole


def backlog_of(queues: Iterable[QueueName], reading: BrokerReading) -> Backlog | None:
    """Add up those of a pool's queues that are known, None when none is: ``untold_of`` names the others."""
    known = [part for queue in queues if (part := _queue_backlog(queue, reading)) is not None]
    return Backlog(sum(part.ready for part in known), sum(part.unacked for part in known)) if known else None


def consumers_of(queues: Iterable[QueueName], reading: BrokerReading) -> int | None:
    """Add up the consumers of a pool's queues; None when the broker tells of none, as the management API does."""
    return sum(reading.queues[queue].consumers for queue in queues if queue in reading.queues) or None


def useful_replicas_of(queues: Iterable[QueueName], reading: BrokerReading) -> int | None:
    """Count the replicas that can have work when each queue serves a single consumer; None when any serves more."""
    kinds = [reading.kinds.get(queue, QueueKind()) for queue in queues]
    return len(kinds) if kinds and all(kind.has_single_consumer for kind in kinds) else None


def untold_of(queues: Iterable[QueueName], reading: BrokerReading) -> str | None:
    """Name the queues that are unknown: "queue work.gray"."""
    names = [queue[1] for queue in queues if _queue_backlog(queue, reading) is None]
    if not names:
        return None
    return f"{'queue' if len(names) == 1 else 'queues'} {', '.join(names)}"


def _queue_backlog(queue: QueueName, reading: BrokerReading) -> Backlog | None:
    """A passive declare answers 0 for a quorum queue without leader, so its 0 alone says nothing."""
    seen, live = reading.queues.get(queue), reading.live.get(queue, LiveReading(0))
    if seen is None:
        return Backlog(live.ready) if live.ready > 0 else None
    return Backlog(max(seen.ready, live.ready), seen.unacked)


class LiveAlone:
    """Turns passive declares into readings where nothing else tells a queue.

    An empty queue is believed when it has consumers, which a quorum queue without leader has not, or has been empty for
    longer than an election takes.
    """

    def __init__(self) -> None:
        self._empty_since: dict[QueueName, float] = {}

    def believe(self, reading: BrokerReading, now_seconds: float) -> None:
        """Add what is believed to the reading's queues. What is in work nobody tells."""
        empty = {queue for queue, seen in reading.live.items() if seen.ready == 0 and seen.consumers == 0}
        self._empty_since = {queue: self._empty_since.get(queue, now_seconds) for queue in empty}
        for queue, seen in reading.live.items():
            if now_seconds - self._empty_since.get(queue, 0.0) >= ELECTION_SECONDS or queue not in empty:
                reading.queues[queue] = QueueReading(seen.ready, 0, seen.consumers)


def acked_of(queues: Iterable[QueueName], reading: BrokerReading) -> Mapping[str, float]:
    """Return the counters of acknowledged messages of a pool's queues, by a name that is unique among them."""
    return {
        f"{vhost}/{name}/{source}": value
        for vhost, name in queues
        for source, value in reading.acked.get((vhost, name), {}).items()
    }
