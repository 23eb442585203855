"""Publishing with a bounded window of outstanding confirms. All methods run in the connection's thread."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import pika
from pika.channel import Channel
from pika.frame import Method

_SEQUENCE = "x-publish-sequence"
_PERSISTENT = 2
# What else is in the frame: properties, lengths, types.
_OTHER_BYTES = 2048


class BrokerUnavailable(Exception):
    """The broker is not reached, or it does not take messages now; nothing is known to be published."""


class Refused(BrokerUnavailable):
    """The broker said no: a queue is full."""


class Unroutable(Exception):
    """No queue takes the message: the topology is not what it should be."""


@dataclass(frozen=True)
class Outgoing:
    """A message to be published. `mandatory`: it is an error if no queue takes it.

    `extras` are headers that are left out where they do not fit into a frame of the connection.
    """

    exchange: str
    key: str
    body: bytes = b""
    _: KW_ONLY
    headers: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, bytes] = field(default_factory=dict)
    message_id: str | None = None
    type: str | None = None
    content_type: str | None = None
    reply_to: str | None = None
    priority: int | None = None
    mandatory: bool = True
    durable: bool = True

    def properties(self, sequence: int, frame_max: int = 0) -> pika.BasicProperties:
        """AMQP properties; the sequence lets a returned message be told from its neighbours.

        All of them have to fit into one frame of at most `frame_max` bytes; 0 means without a limit.
        """
        headers = {**self.headers, **(self.extras if self._fit(frame_max) else {})}
        if self.mandatory:
            headers[_SEQUENCE] = sequence
        return pika.BasicProperties(
            headers=headers,
            message_id=self.message_id,
            type=self.type,
            content_type=self.content_type,
            reply_to=self.reply_to,
            priority=self.priority,
            delivery_mode=_PERSISTENT if self.durable else None,
        )

    def _fit(self, frame_max: int) -> bool:
        sizes = [len(name) + len(str(value).encode()) for name, value in self.headers.items()]
        sizes += [len(name) + len(value) for name, value in self.extras.items()]
        return not frame_max or sum(sizes) + _OTHER_BYTES <= frame_max

    def with_headers(self, **headers: Any) -> "Outgoing":
        """The same with headers added."""
        return replace(self, headers={**self.headers, **headers})


class Publisher:
    """One channel in confirm mode; every message has a future which the broker's confirm settles."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._frame_max = channel, int(channel.connection.params.frame_max or 0)
        self._next_tag = 1
        self._waiting: dict[int, Future[None]] = {}
        self._returned: set[int] = set()
        channel.confirm_delivery(self._on_confirm)
        channel.add_on_return_callback(self._on_return)

    def publish(self, message: Outgoing, future: "Future[None]") -> None:
        """Sends; the future settles with the confirm, or with the exception that describes its absence."""
        tag = self._next_tag
        try:
            properties = message.properties(tag, self._frame_max)
            self._channel.basic_publish(
                message.exchange, message.key, message.body, properties, mandatory=message.mandatory
            )
        except Exception as error:
            future.set_exception(BrokerUnavailable(f"publishing to {message.exchange!r} failed: {error!r}"))
            return
        self._next_tag += 1
        self._waiting[tag] = future

    def abandon(self, reason: str) -> None:
        """The connection is gone: nobody will ever confirm."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(BrokerUnavailable(reason))

    def _on_return(self, _channel: Channel, _method: Any, properties: pika.BasicProperties, _body: bytes) -> None:
        self._returned.add((properties.headers or {}).get(_SEQUENCE, 0))

    def _on_confirm(self, frame: Method) -> None:
        method = frame.method
        acknowledged = isinstance(method, pika.spec.Basic.Ack)
        for tag in self._confirmed_tags(method.delivery_tag, method.multiple):
            self._settle(tag, acknowledged)

    def _confirmed_tags(self, tag: int, multiple: bool) -> list[int]:
        if not multiple:
            return [tag]
        # Insertion order is tag order.
        tags = []
        for waiting in self._waiting:
            if waiting > tag:
                break
            tags.append(waiting)
        return tags

    def _settle(self, tag: int, acknowledged: bool) -> None:
        future = self._waiting.pop(tag, None)
        returned = tag in self._returned
        self._returned.discard(tag)
        if future is None:
            return
        if returned:
            future.set_exception(
                Unroutable("no queue takes the message; was the topology declared with these recipes?")
            )
        elif acknowledged:
            future.set_result(None)
        else:
            future.set_exception(Refused("the broker refused the message: the queue is full"))
