"""A model of RabbitMQ's quorum queues: confirms, redelivery, delivery limits of two kinds, single active consumers."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from imagemill.wire import topology
from imagemill.wire.broker import BrokerUnavailable, Delivery, Outgoing, Refused
from simulation.scheduler import FOREVER, Process, Scheduler

DELIVERY_LIMIT = 3
RESULTS_QUEUES = topology.RESULTS_QUEUES[:2]
_HIGH_PRIORITY = 5


@dataclass(eq=False)
class Message:
    """A message in a queue. `count`: how often it came back."""

    outgoing: Outgoing
    count: int = 0

    @property
    def is_high(self) -> bool:
        return (self.outgoing.priority or 0) >= _HIGH_PRIORITY


@dataclass(eq=False)
class Channel:
    """A consumer's channel, as a Delivery uses it."""

    broker: BrokerModel
    queue: Queue
    process: Process
    is_open: bool = True
    unacked: dict[int, Message] = field(default_factory=dict)
    tag: int = 0

    def basic_ack(self, tag: int) -> None:
        self.unacked.pop(tag, None)
        self.broker.scheduler.ring()

    def basic_nack(self, tag: int, requeue: bool) -> None:
        message = self.unacked.pop(tag, None)
        if message is not None:
            self.queue.give_back(message, crashed=False)
            self.broker.scheduler.ring()

    def close(self) -> None:
        """The connection is lost, or its process died: what was not acknowledged comes again."""
        if self.is_open:
            self.is_open = False
            for message in reversed(self.unacked.values()):
                self.queue.give_back(message, crashed=True)
            self.unacked.clear()
            if self in self.queue.consumers:
                self.queue.consumers.remove(self)
            self.broker.scheduler.ring()


@dataclass(eq=False)
class Queue:
    """A quorum queue. `counts_returns`: does what is given back count as a delivery (3.10), or a crash alone (4.3)?"""

    name: str
    counts_returns: bool
    dead: Queue | None = None
    single_active: bool = False
    ready: deque[Message] = field(default_factory=deque)
    consumers: list[Channel] = field(default_factory=list)

    def add(self, message: Message) -> None:
        self.ready.append(message)

    def give_back(self, message: Message, crashed: bool) -> None:
        message.count += int(crashed or self.counts_returns)
        if self.dead is not None and message.count > DELIVERY_LIMIT:
            self.dead.add(Message(message.outgoing))
        else:
            self.ready.appendleft(message)

    def take(self) -> Message:
        """The next one: those of high priority first."""
        found = next((message for message in self.ready if message.is_high), self.ready[0])
        self.ready.remove(found)
        return found

    def may_take(self, channel: Channel, prefetch: int) -> bool:
        if not self.ready or len(channel.unacked) >= prefetch:
            return False
        return not self.single_active or self.consumers[0] is channel


class BrokerModel:
    """The server."""

    def __init__(self, scheduler: Scheduler, pools: Iterable[str], counts_returns: bool) -> None:
        self.scheduler = scheduler
        self.blocked_until = 0.0
        self.full_until = 0.0
        self.queues: dict[str, Queue] = {}
        self.announced: Callable[[Outgoing], None] = lambda _: None
        self.republished: Callable[[Outgoing], None] = lambda _: None
        for pool in pools:
            dead = self._declare(topology.dead_queue(pool), counts_returns, None, single_active=False)
            self._declare(topology.work_queue(pool), counts_returns, dead, single_active=False)
        for name in RESULTS_QUEUES:
            self._declare(name, counts_returns, None, single_active=True)

    def _declare(self, name: str, counts_returns: bool, dead: Queue | None, single_active: bool) -> Queue:
        self.queues[name] = Queue(name, counts_returns, dead, single_active)
        return self.queues[name]

    def route(self, outgoing: Outgoing) -> None:
        """Where a message goes."""
        self.scheduler.ring()
        if outgoing.exchange == topology.OUTCOMES:
            self.announced(outgoing)
        elif outgoing.exchange == topology.IMAGES:
            if outgoing.headers.get("redriven"):
                self.republished(outgoing)
            self.queues[topology.work_queue(outgoing.key.removeprefix("image."))].add(Message(outgoing))
        elif outgoing.exchange == topology.RESULTS:
            number = zlib.crc32(str(outgoing.message_id).encode()) % len(RESULTS_QUEUES)
            self.queues[RESULTS_QUEUES[number]].add(Message(outgoing))

    def ready_in(self, names: Iterable[str]) -> int:
        """Messages that wait."""
        return sum(len(self.queues[name].ready) for name in names)

    def is_empty(self) -> bool:
        """Does nothing wait, and has nobody anything?"""
        return not any(q.ready or any(c.unacked for c in q.consumers) for q in self.queues.values())

    def lose_everything(self) -> None:
        """As when its disk is lost: queues are declared anew, and all connections are closed."""
        for queue in self.queues.values():
            for channel in list(queue.consumers):
                channel.unacked.clear()
                channel.close()
            queue.ready.clear()

    def cut(self, process: Process) -> None:
        """Close the connections of one program."""
        for queue in self.queues.values():
            for channel in [channel for channel in queue.consumers if channel.process is process]:
                channel.close()

    def consume(self, process: Process, name: str, prefetch: int, on_delivery: Callable[[Delivery], None]) -> None:
        """A consumer that connects again whenever it lost its channel. Deliveries are handled one at a time."""
        queue = self.queues[name]
        while True:
            channel = Channel(self, queue, process)
            queue.consumers.append(channel)
            self.scheduler.ring()
            process.at_death.append(channel.close)
            while channel.is_open:
                if queue.may_take(channel, prefetch):
                    on_delivery(self._delivery(channel, queue.take()))
                    self.scheduler.ring()
                self.scheduler.pause(FOREVER, until=lambda c=channel: not c.is_open or queue.may_take(c, prefetch))
            self.scheduler.pause(1.0)

    def _delivery(self, channel: Channel, message: Message) -> Delivery:
        channel.tag += 1
        channel.unacked[channel.tag] = message
        properties = message.outgoing.properties(0)
        if message.count:
            properties.headers["x-delivery-count"] = message.count
        self.scheduler.tell(f"takes {message.outgoing.message_id} from {channel.queue.name}")
        arguments: tuple[Any, ...] = (channel.tag, message.count > 0, message.outgoing.key, channel, _at_once)
        return Delivery(channel.queue.name, message.outgoing.body, properties, *arguments)


def _at_once(function: Callable[[], None]) -> None:
    function()


class ModelBroker:
    """What a program has of it, in the place of `Broker`."""

    def __init__(self, model: BrokerModel, request: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._model, self._request = model, request

    @property
    def ready(self) -> bool:
        return self._model.blocked_until <= self._model.scheduler.now

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        return [self.submit(message).exception(0) for message in list(messages)]

    def publish(self, message: Outgoing) -> None:
        for error in self.publish_all([message]):
            if error is not None:
                raise error

    def submit(self, message: Outgoing) -> Future[None]:
        future: Future[None] = Future()
        try:
            self._request(
                f"publish {message.exchange or message.key} {message.message_id}", lambda: self._route(message)
            )
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(None)
        return future

    def _route(self, message: Outgoing) -> None:
        if not self.ready:
            raise BrokerUnavailable("the broker blocks publishers")
        if message.exchange == topology.IMAGES and self._model.full_until > self._model.scheduler.now:
            raise Refused("the queue is full")
        self._model.route(message)


def refused() -> Exception:
    """There was no connection."""
    return BrokerUnavailable("not connected")


failed = refused


def timed_out() -> Exception:
    """No confirm came."""
    return BrokerUnavailable("the broker did not confirm in time")
