"""A connection which lives in its own thread, comes back after every loss, and is spoken to from any thread."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any

import pika
import structlog
from pika.adapters.utils.io_services_utils import _AsyncTransportBase
from pika.channel import Channel

from imagemill.concurrency.retry import pause_seconds
from imagemill.wire.broker.advice import advice
from imagemill.wire.broker.consumer import Consumer, Consumption, Delivery
from imagemill.wire.broker.publisher import BrokerUnavailable, Outgoing, Publisher

_HEARTBEAT_SECONDS = 20
_BLOCKED_TIMEOUT_SECONDS = 60
_SOCKET_TIMEOUT_SECONDS = 5
_ALIVE_SECONDS = 1.0
# pika reads 4 KiB at a time and joins what it has anew after each: 55 reads for a picture of 220 kB, and a third more
# time for taking it in. A frame has 128 KiB. There is no public setting.
_AsyncTransportBase._MAX_RECV_BYTES = 131_072

log = structlog.get_logger(__name__)


def parameters_of(url: str, name: str) -> pika.URLParameters:
    """Connection parameters with every timeout set; `name` is what the broker's own tools show."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = _HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = _BLOCKED_TIMEOUT_SECONDS
    parameters.socket_timeout = _SOCKET_TIMEOUT_SECONDS
    parameters.stack_timeout = 2 * _SOCKET_TIMEOUT_SECONDS
    parameters.client_properties = {"connection_name": name}
    return parameters


class Broker:
    """Publishes and consumes. `prepare` runs before each connecting: it declares what is needed."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        prepare: Callable[[], None] = lambda: None,
        confirm_window: int = 200,
        confirm_timeout_seconds: float = 10,
    ) -> None:
        self._parameters, self._prepare = parameters, prepare
        self._consumers: list[Consumer] = []
        self._timeout = confirm_timeout_seconds
        self._window = threading.BoundedSemaphore(confirm_window)
        self._connection: pika.SelectConnection | None = None
        self._publisher: Publisher | None = None
        self._consumptions: list[Consumption] = []
        self._outbox: deque[tuple[Outgoing, Future[None]]] = deque()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._consuming = True
        self._blocked = False
        self._alive_at = time.monotonic()
        self._thread = threading.Thread(target=self._live, name="broker", daemon=True)

    # --- for any thread ---------------------------------------------------------------------------

    def consume(
        self, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int = 10, auto_ack: bool = False
    ) -> None:
        """Add a consumer before `start`; `on_delivery` must hand over, not work: it is the connection's thread."""
        if self._thread.ident is not None:
            raise RuntimeError(f"the consumer of {queue} must be added before the broker is started")
        self._consumers.append(Consumer(queue, on_delivery, prefetch, auto_ack))

    def start(self) -> "Broker":
        """Connect in the background."""
        self._thread.start()
        return self

    @property
    def ready(self) -> bool:
        """Is it connected, its consumers set up, and the broker willing to take messages?"""
        return self._ready.is_set() and not self._blocked

    @property
    def heartbeat_age_seconds(self) -> float:
        """Seconds since the connection's thread was last seen alive; 0 before it was started."""
        return 0.0 if self._thread.ident is None else time.monotonic() - self._alive_at

    def submit(self, message: Outgoing) -> "Future[None]":
        """Publishes; the future settles with the broker's confirm. Waits while the window is full."""
        if not self.ready:
            raise BrokerUnavailable("the broker is not connected; try again in a moment")
        if not self._window.acquire(timeout=self._timeout):
            raise BrokerUnavailable("the broker does not confirm what was published before; try again in a moment")
        future: Future[None] = Future()
        future.add_done_callback(lambda _: self._window.release())
        self._outbox.append((message, future))
        self._run(self._flush)
        if not self._ready.is_set():
            self._abandon_outbox()  # the connection went between the check and the append
        return future

    def publish(self, message: Outgoing) -> None:
        """Publishes and waits for the confirm; raises BrokerUnavailable or Unroutable."""
        for error in self.publish_all([message]):
            if error is not None:
                raise error

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        """Publishes in one window; tells for each message what went wrong, None when it is confirmed."""
        deadline = time.monotonic() + self._timeout
        return [_error_of(future, deadline) for future in [self._submitted(message) for message in messages]]

    def stop_consuming(self) -> None:
        """No more deliveries, also not after a reconnect."""
        self._consuming = False
        self._run(self._cancel_consumptions)

    def close(self, timeout_seconds: float = 5) -> None:
        """Closes the connection, orderly if the broker answers in time."""
        self._stopping.set()
        self._run(self._close)
        self._thread.join(timeout_seconds)

    # --- in the connection's thread ---------------------------------------------------------------

    def _submitted(self, message: Outgoing) -> "Future[None]":
        try:
            return self.submit(message)
        except BrokerUnavailable as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed

    def _run(self, callback: Callable[[], Any]) -> None:
        connection = self._connection
        if connection is not None and threading.get_ident() == self._thread.ident:
            callback()  # an acknowledgement out of a confirm: waking oneself would cost more than it
        elif connection is not None:
            # A loop which was closed meanwhile runs nothing more; what waited in it is abandoned with the connection.
            with contextlib.suppress(Exception):
                connection.ioloop.add_callback_threadsafe(callback)

    def _cancel_consumptions(self) -> None:
        for consumption in self._consumptions:
            consumption.cancel()

    def _flush(self) -> None:
        while self._publisher is not None and self._outbox:
            self._publisher.publish(*self._outbox.popleft())

    def _abandon_outbox(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                _, future = self._outbox.popleft()
                future.set_exception(BrokerUnavailable("the connection to the broker was lost before it was used"))

    def _live(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            self._alive_at = time.monotonic()
            try:
                self._prepare()
                self._connect_and_serve()
            except Exception as error:
                log.warning("broker unavailable", error=repr(error), **_advised(error))
            attempt = 1 if self._ready.is_set() else attempt + 1
            self._forget()
            self._stopping.wait(pause_seconds(attempt))

    def _connect_and_serve(self) -> None:
        connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_failed,
            on_close_callback=self._on_closed,
        )
        self._connection = connection
        connection.ioloop.call_later(0, self._heartbeat)
        connection.ioloop.start()

    def _heartbeat(self) -> None:
        self._alive_at = time.monotonic()
        if self._connection is not None:
            self._connection.ioloop.call_later(_ALIVE_SECONDS, self._heartbeat)

    def _on_open(self, connection: pika.SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
        if self._stopping.is_set():
            self._close()
        else:
            connection.channel(on_open_callback=self._on_publishing_channel)

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("broker blocks publishers" if blocked else "broker takes messages again")
        self._blocked = blocked

    def _on_publishing_channel(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        self._publisher = Publisher(channel)
        self._open_next_consumer(0)

    def _open_next_consumer(self, index: int) -> None:
        if index == len(self._consumers) or not self._consuming:
            self._ready.set()
            log.info("broker connected", consumers=[consumer.queue for consumer in self._consumers])
        elif self._connection is not None:
            self._connection.channel(on_open_callback=partial(self._on_consuming_channel, index))

    def _on_consuming_channel(self, index: int, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_cancel_callback(partial(self._on_consumer_cancelled, self._consumers[index].queue, channel))
        self._consumptions.append(Consumption(channel, self._consumers[index], self._run))
        self._open_next_consumer(index + 1)

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        # A channel which the broker closed lost its consumer or its confirms: begin anew with a fresh connection.
        if not self._stopping.is_set() and channel.connection.is_open:
            log.warning("broker closed a channel", reason=str(reason), **_advised(reason))
            channel.connection.close()

    def _on_consumer_cancelled(self, queue: str, channel: Channel, _frame: Any) -> None:
        # Its queue was deleted, or went with its node; `prepare` declares it anew before the next connecting.
        if not self._stopping.is_set() and channel.connection.is_open:
            log.warning("broker cancelled a consumer", queue=queue)
            channel.connection.close()

    def _on_failed(self, connection: pika.SelectConnection, error: Any) -> None:
        log.warning("cannot connect to the broker", error=str(error) or repr(error), **_advised(error))
        connection.ioloop.stop()

    def _on_closed(self, connection: pika.SelectConnection, reason: Exception) -> None:
        if not self._stopping.is_set():
            log.warning("lost the broker", reason=str(reason), **_advised(reason))
        connection.ioloop.stop()

    def _close(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close()
        elif self._connection is not None and self._connection.is_closed:
            self._connection.ioloop.stop()

    def _forget(self) -> None:
        self._ready.clear()
        publisher, self._publisher = self._publisher, None
        connection, self._connection = self._connection, None
        self._consumptions = []
        self._blocked = False
        if publisher is not None:
            publisher.abandon("the connection to the broker was lost before it confirmed")
        self._abandon_outbox()
        if connection is not None:
            connection.ioloop.close()


def _advised(error: object) -> dict[str, str]:
    what = advice(repr(error))
    return {"advice": what} if what else {}


def _error_of(future: "Future[None]", deadline: float) -> BaseException | None:
    try:
        return future.exception(timeout=max(0.0, deadline - time.monotonic()))
    except FutureTimeout:
        return BrokerUnavailable("the broker did not confirm in time")
