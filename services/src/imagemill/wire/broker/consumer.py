"""Consuming: deliveries are handed out in the connection's thread and settled from any thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
from pika.channel import Channel

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
class Consumer:
    """What to consume (see Broker.consume)."""

    queue: str
    on_delivery: Callable[[Delivery], None]
    prefetch: int
    auto_ack: bool


class Consumption:
    """A consumer on an open channel of its own."""

    def __init__(self, channel: Channel, consumer: Consumer, run: RunInConnection) -> None:
        self._channel, self._consumer, self._run = channel, consumer, run
        self._tag: str | None = None
        channel.basic_qos(prefetch_count=consumer.prefetch, callback=self._consume)

    def cancel(self) -> None:
        """No more deliveries; those which were given out stay to be settled."""
        if self._tag and self._channel.is_open:
            self._channel.basic_cancel(self._tag)
        self._tag = None

    def _consume(self, _frame: Any) -> None:
        self._tag = self._channel.basic_consume(
            self._consumer.queue, self._on_message, auto_ack=self._consumer.auto_ack
        )

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
