"""Consuming: deliveries are handed out in the connection's thread and settled from any thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
import structlog
from pika.channel import Channel

from imagemill.wire.broker.connection import Connection

log = structlog.get_logger(__name__)

_DELIVERY_COUNT = "x-delivery-count"

RunInConnection = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, eq=False)
class Delivery:
    """A message and the right to settle it once. After a lost connection settling does nothing: it comes again."""

    queue: str
    body: bytes
    properties: pika.BasicProperties
    tag: int
    redelivered: bool
    key: str
    _channel: Channel
    _run: RunInConnection

    @property
    def headers(self) -> Mapping[str, Any]:
        """The message's headers."""
        return self.properties.headers or {}

    @property
    def failed_deliveries(self) -> int:
        """How often it was given out before without being acknowledged."""
        count = self.headers.get(_DELIVERY_COUNT)
        return int(count) if count is not None else int(self.redelivered)

    @property
    def channel_closed(self) -> bool:
        """Is the channel gone over which it could be settled?"""
        return not self._channel.is_open

    def ack(self) -> None:
        """It is done with."""
        self._run(partial(self._settle, self._channel.basic_ack))

    def requeue(self) -> None:
        """Somebody else shall have it."""
        self._run(partial(self._settle, self._channel.basic_nack, requeue=True))

    def _settle(self, method: Callable[..., None], **arguments: Any) -> None:
        if self._channel.is_open:
            method(self.tag, **arguments)


@dataclass(frozen=True)
class OwnQueue:
    """A queue of one process, with the exchanges and routing keys it is bound by; it goes with its connection.

    `on_bound` is told each time it was made anew, in the connection's thread: what was sent before it did not get.
    """

    arguments: Mapping[str, Any]
    bindings: tuple[tuple[str, str], ...]
    on_bound: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Consumer:
    """What to consume (see Broker.consume)."""

    queue: str
    on_delivery: Callable[[Delivery], None]
    prefetch: int
    auto_ack: bool
    own: OwnQueue | None = None


class Consumption:
    """A consumer on an open channel of its own."""

    def __init__(self, channel: Channel, consumer: Consumer, run: RunInConnection, ready: Callable[[], None]) -> None:
        self._channel, self._consumer, self._run, self._ready = channel, consumer, run, ready
        self._tag: str | None = None
        channel.basic_qos(prefetch_count=consumer.prefetch, callback=self._declare)

    def cancel(self) -> None:
        """No more deliveries; those which were given out stay to be settled."""
        if self._tag and self._channel.is_open:
            self._channel.basic_cancel(self._tag)
        self._tag = None

    def _declare(self, _frame: Any) -> None:
        own = self._consumer.own
        if own is None:
            self._consume()
        else:
            self._channel.queue_declare(
                self._consumer.queue, exclusive=True, arguments=dict(own.arguments), callback=self._bind
            )

    def _bind(self, _frame: Any, index: int = 0) -> None:
        bindings = self._consumer.own.bindings if self._consumer.own else ()
        if index == len(bindings):
            if self._consumer.own:
                self._consumer.own.on_bound()
            self._consume()
        else:
            exchange, key = bindings[index]
            self._channel.queue_bind(self._consumer.queue, exchange, key, callback=partial(self._bind, index=index + 1))

    def _consume(self) -> None:
        self._tag = self._channel.basic_consume(
            self._consumer.queue, self._on_message, auto_ack=self._consumer.auto_ack
        )
        self._ready()

    def _on_message(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        if self._tag is None and not self._consumer.auto_ack:
            channel.basic_nack(method.delivery_tag, requeue=True)
            return
        self._consumer.on_delivery(
            Delivery(
                self._consumer.queue,
                body,
                properties,
                method.delivery_tag,
                bool(method.redelivered),
                method.routing_key,
                channel,
                self._run,
            )
        )


class ConsumingConnection(Connection):
    """Consumes; each consumer has a channel of its own."""

    def __init__(self, parameters: pika.ConnectionParameters, prepare: Callable[[], None]) -> None:
        super().__init__(parameters, prepare, "consuming")
        self.consumers: list[Consumer] = []
        self._consumptions: list[Consumption] = []
        self._wanted = True

    def stop(self) -> None:
        """No more deliveries, also not after a reconnect."""
        self._wanted = False
        self.run(self._cancel)

    # --- in the connection's thread ---------------------------------------------------------------

    def _cancel(self) -> None:
        for consumption in self._consumptions:
            consumption.cancel()

    def _opened(self, connection: pika.SelectConnection) -> None:
        self._open_next(connection, 0)

    def _open_next(self, connection: pika.SelectConnection, index: int) -> None:
        if index == len(self.consumers) or not self._wanted:
            self._set_ready(queues=[consumer.queue for consumer in self.consumers])
        else:
            connection.channel(on_open_callback=partial(self._on_channel, connection, index))

    def _on_channel(self, connection: pika.SelectConnection, index: int, channel: Channel) -> None:
        consumer = self.consumers[index]
        self._watch(channel)
        channel.add_on_cancel_callback(partial(self._on_cancelled, consumer.queue, channel))
        following = partial(self._open_next, connection, index + 1)
        self._consumptions.append(Consumption(channel, consumer, self.run, following))

    def _on_cancelled(self, queue: str, channel: Channel, _frame: Any) -> None:
        # Its queue was deleted, or went with its node; `prepare` declares it anew before the next connecting.
        if not self._stopping.is_set() and channel.connection.is_open:
            log.warning("broker cancelled a consumer", queue=queue)
            self._begin_anew(channel)

    def _lost(self) -> None:
        self._consumptions = []
