"""RabbitMQ as a program sees it: one connection to publish, and one to consume if it consumes."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future

import pika

from imagemill.wire.broker.consumer import Consumer, ConsumingConnection, Delivery, OwnQueue
from imagemill.wire.broker.publisher import Outgoing
from imagemill.wire.broker.publishing import PublishingConnection


class Broker:
    """Publishes and consumes, over a connection each: while the broker blocks publishers, deliveries are settled.

    `prepare` runs before each connecting: it declares what is needed.
    """

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        prepare: Callable[[], None] = lambda: None,
        confirm_window: int = 200,
        confirm_timeout_seconds: float = 10,
    ) -> None:
        self._publishing = PublishingConnection(parameters, prepare, confirm_window, confirm_timeout_seconds)
        self._consuming = ConsumingConnection(parameters, prepare)

    def consume(
        self,
        queue: str,
        on_delivery: Callable[[Delivery], None],
        prefetch: int = 10,
        auto_ack: bool = False,
        own: OwnQueue | None = None,
    ) -> None:
        """Add a consumer before `start`; `on_delivery` must hand over, not work: it is the connection's thread.

        `own` declares the queue on the consumer's connection, exclusive to it.
        """
        if self._publishing.started:
            raise RuntimeError(f"the consumer of {queue} must be added before the broker is started")
        self._consuming.consumers.append(Consumer(queue, on_delivery, prefetch, auto_ack, own))

    def start(self) -> "Broker":
        """Connect in the background."""
        for connection in self._connections:
            connection.start()
        return self

    @property
    def ready(self) -> bool:
        """Is it connected, its consumers set up, and the broker willing to take messages?"""
        return all(connection.ready for connection in self._connections)

    @property
    def heartbeat_age_seconds(self) -> float:
        """Seconds since the slower of its threads was last seen alive; 0 before it was started."""
        return max(connection.heartbeat_age_seconds for connection in self._connections)

    def submit(self, message: Outgoing) -> "Future[None]":
        """Publish; the future settles with the broker's confirm. Raises BrokerUnavailable."""
        return self._publishing.submit(message)

    def publish(self, message: Outgoing) -> None:
        """Publish and wait for the confirm; raises BrokerUnavailable or Unroutable."""
        for error in self.publish_all([message]):
            if error is not None:
                raise error

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        """Publish in one window; for each message what went wrong, None when it is confirmed."""
        return self._publishing.publish_all(messages)

    def stop_consuming(self) -> None:
        """No more deliveries, also not after a reconnect."""
        self._consuming.stop()

    def close(self, timeout_seconds: float = 5) -> None:
        """Close the connections, orderly if the broker answers in time."""
        for connection in self._connections:
            connection.close(timeout_seconds)

    @property
    def _connections(self) -> list[PublishingConnection | ConsumingConnection]:
        return [self._publishing, self._consuming] if self._consuming.consumers else [self._publishing]
