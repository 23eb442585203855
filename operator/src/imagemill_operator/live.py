"""Passive declares: how many messages wait right now, at the price of one frame for each queue."""

from typing import Any

import pika
import pika.exceptions

from imagemill_operator.depth import QueueName

HEARTBEAT_SECONDS = 10


class LiveDepth:
    """One connection per virtual host, kept between ticks. Used from one thread at a time.

    The answer counts ready messages only, and is 0 for a quorum queue without leader.
    """

    def __init__(self, amqp_url: str, timeout_seconds: float) -> None:
        self._url, self._timeout = amqp_url, timeout_seconds
        self._connections: dict[str, Any] = {}
        self._channels: dict[str, Any] = {}

    def ready(self, queues: list[QueueName]) -> tuple[dict[QueueName, int], str | None]:
        """Return what waits, and a sentence when the broker did not answer. Queues that do not exist are missing."""
        used_before = bool(self._connections)
        try:
            return self._declare_all(queues), None
        except (pika.exceptions.AMQPError, OSError) as problem:
            self.close()
            if used_before:
                return self.ready(queues)
            return {}, f"The broker does not answer over AMQP: {problem!r}"

    def _declare_all(self, queues: list[QueueName]) -> dict[QueueName, int]:
        counts = {queue: self._declare(queue) for queue in queues}
        return {queue: count for queue, count in counts.items() if count is not None}

    def _declare(self, queue: QueueName) -> int | None:
        vhost, name = queue
        try:
            return int(self._channel(vhost).queue_declare(name, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            self._channels.pop(vhost, None)
            return None

    def _channel(self, vhost: str) -> Any:
        channel = self._channels.get(vhost)
        if channel is None or not channel.is_open:
            channel = self._channels[vhost] = self._connection(vhost).channel()
        return channel

    def _connection(self, vhost: str) -> Any:
        connection = self._connections.get(vhost)
        if connection is None or not connection.is_open:
            connection = self._connections[vhost] = pika.BlockingConnection(self._parameters(vhost))
        return connection

    def _parameters(self, vhost: str) -> Any:
        """A short heartbeat ends a wait for a broker that is gone; an idle connection may end by it, and is renewed."""
        parameters = pika.URLParameters(self._url)
        parameters.virtual_host = vhost
        parameters.heartbeat = HEARTBEAT_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = self._timeout
        parameters.blocked_connection_timeout = self._timeout
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": "imagemill-operator"}
        return parameters

    def close(self) -> None:
        """Close what is open."""
        for connection in self._connections.values():
            try:
                if connection.is_open:
                    connection.close()
            except (pika.exceptions.AMQPError, OSError):
                continue
        self._connections.clear()
        self._channels.clear()
