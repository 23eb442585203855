"""The connection which publishes: nothing is consumed over it, since the broker may stop to read it (an alarm)."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import pika
import structlog
from pika.channel import Channel

from imagemill.wire.broker.connection import Connection
from imagemill.wire.broker.publisher import BrokerUnavailable, Outgoing, Publisher

log = structlog.get_logger(__name__)


class PublishingConnection(Connection):
    """Publishes with a bounded window of outstanding confirms."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        prepare: Callable[[], None],
        confirm_window: int,
        confirm_timeout_seconds: float,
    ) -> None:
        super().__init__(parameters, prepare, "publishing")
        self._timeout = confirm_timeout_seconds
        self._window = threading.BoundedSemaphore(confirm_window)
        self._publisher: Publisher | None = None
        self._outbox: deque[tuple[Outgoing, Future[None]]] = deque()
        self._blocked = False

    @property
    def ready(self) -> bool:
        """Is it connected, and the broker willing to take messages?"""
        return super().ready and not self._blocked

    def submit(self, message: Outgoing) -> "Future[None]":
        """Publish; the future settles with the broker's confirm. Waits while the window is full."""
        if not self.ready:
            raise BrokerUnavailable("the broker is not connected; try again in a moment")
        if not self._window.acquire(timeout=self._timeout):
            raise BrokerUnavailable("the broker does not confirm what was published before; try again in a moment")
        future: Future[None] = Future()
        future.add_done_callback(lambda _: self._window.release())
        self._outbox.append((message, future))
        self.run(self._flush)
        if not self._ready.is_set():
            self._abandon_outbox()  # the connection went between the check and the append
        return future

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        """Publish in one window; for each message what went wrong, None when it is confirmed."""
        deadline = time.monotonic() + self._timeout
        return [_error_of(future, deadline) for future in [self._submitted(message) for message in messages]]

    def _submitted(self, message: Outgoing) -> "Future[None]":
        try:
            return self.submit(message)
        except BrokerUnavailable as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed

    # --- in the connection's thread ---------------------------------------------------------------

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(False))
        connection.channel(on_open_callback=self._on_channel)

    def _set_blocked(self, blocked: bool) -> None:
        log.warning("broker blocks publishers" if blocked else "broker takes messages again")
        self._blocked = blocked

    def _on_channel(self, channel: Channel) -> None:
        self._watch(channel)
        self._publisher = Publisher(channel)
        self._set_ready()

    def _flush(self) -> None:
        while self._publisher is not None and self._outbox:
            self._publisher.publish(*self._outbox.popleft())

    def _abandon_outbox(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                _, future = self._outbox.popleft()
                future.set_exception(BrokerUnavailable("the connection to the broker was lost before it was used"))

    def _lost(self) -> None:
        publisher, self._publisher = self._publisher, None
        self._blocked = False
        if publisher is not None:
            publisher.abandon("the connection to the broker was lost before it confirmed")
        self._abandon_outbox()


def _error_of(future: "Future[None]", deadline: float) -> BaseException | None:
    try:
        return future.exception(timeout=max(0.0, deadline - time.monotonic()))
    except FutureTimeout:
        return BrokerUnavailable("the broker did not confirm in time")
