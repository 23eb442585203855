"""A connection which lives in its own thread, comes back after every loss, and is spoken to from any thread."""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika
import structlog
from pika.adapters.utils.io_services_utils import _AsyncTransportBase
from pika.channel import Channel

from imagemill.concurrency.retry import pause_seconds
from imagemill.wire.broker.advice import advice

_HEARTBEAT_SECONDS = 20
_BLOCKED_TIMEOUT_SECONDS = 60
_SOCKET_TIMEOUT_SECONDS = 5
_ALIVE_SECONDS = 1.0
# pika reads 4 KiB at a time and joins what it has anew after each: 55 reads for a picture of 220 kB, and a third more
# time for taking it in. A frame has 128 KiB. There is no public setting.
_AsyncTransportBase._MAX_RECV_BYTES = 131_072

log = structlog.get_logger(__name__)


def parameters_of(url: str, name: str, ca_file: Path | None = None) -> pika.URLParameters:
    """Connection parameters with every timeout set; `name` is what the broker's own tools show.

    With `amqps://` the broker must prove by a certificate that it is the host of the address; `ca_file` names who
    vouches for it.
    """
    parameters = pika.URLParameters(url)
    if parameters.ssl_options is not None:
        parameters.ssl_options = pika.SSLOptions(ssl.create_default_context(cafile=ca_file), parameters.host)
    parameters.heartbeat = _HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = _BLOCKED_TIMEOUT_SECONDS
    parameters.socket_timeout = _SOCKET_TIMEOUT_SECONDS
    parameters.stack_timeout = 2 * _SOCKET_TIMEOUT_SECONDS
    parameters.client_properties = {"connection_name": name}
    return parameters


class Connection:
    """Connects, and connects again after every loss. `prepare` runs before each connecting: it declares what is needed.

    A subclass opens its channels in `_opened`, calls `_set_ready` once they are, and lets go of them in `_lost`.
    """

    def __init__(self, parameters: pika.ConnectionParameters, prepare: Callable[[], None], purpose: str) -> None:
        self._parameters, self._prepare, self._purpose = parameters, prepare, purpose
        self._connection: pika.SelectConnection | None = None
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._alive_at = time.monotonic()
        self._thread = threading.Thread(target=self._live, name=purpose, daemon=True)

    # --- for any thread ---------------------------------------------------------------------------

    def start(self) -> None:
        """Connect in the background."""
        self._thread.start()

    @property
    def started(self) -> bool:
        """Was it started?"""
        return self._thread.ident is not None

    @property
    def ready(self) -> bool:
        """Is it connected, and are its channels open?"""
        return self._ready.is_set()

    @property
    def heartbeat_age_seconds(self) -> float:
        """Seconds since the connection's thread was last seen alive; 0 before it was started."""
        return time.monotonic() - self._alive_at if self.started else 0.0

    def run(self, callback: Callable[[], Any]) -> None:
        """Let the connection's thread call something; without a connection nothing is called."""
        connection = self._connection
        if connection is not None and threading.get_ident() == self._thread.ident:
            callback()  # waking oneself would cost more than it
        elif connection is not None:
            # A loop which was closed meanwhile runs nothing more; what waited in it is abandoned with the connection.
            with contextlib.suppress(Exception):
                connection.ioloop.add_callback_threadsafe(callback)

    def close(self, timeout_seconds: float) -> None:
        """Close the connection, orderly if the broker answers in time."""
        self._stopping.set()
        if self.started:
            self.run(self._close)
            self._thread.join(timeout_seconds)

    # --- for subclasses, in the connection's thread -----------------------------------------------

    def _opened(self, connection: pika.SelectConnection) -> None:
        raise NotImplementedError

    def _lost(self) -> None:
        raise NotImplementedError

    def _set_ready(self, **facts: object) -> None:
        self._ready.set()
        log.info("broker connected", purpose=self._purpose, **facts)

    def _watch(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)

    def _begin_anew(self, channel: Channel) -> None:
        if not self._stopping.is_set() and channel.connection.is_open:
            channel.connection.close()

    # --- in the connection's thread ---------------------------------------------------------------

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
        if self._stopping.is_set():
            self._close()
        else:
            self._opened(connection)

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        # A channel which the broker closed lost its consumer or its confirms: begin anew with a fresh connection.
        if not self._stopping.is_set() and channel.connection.is_open:
            log.warning("broker closed a channel", reason=str(reason), **_advised(reason))
            self._begin_anew(channel)

    def _on_failed(self, connection: pika.SelectConnection, error: Any) -> None:
        log.warning("cannot connect to the broker", error=str(error) or repr(error), **_advised(error))
        connection.ioloop.stop()

    def _on_closed(self, connection: pika.SelectConnection, reason: Exception) -> None:
        if not self._stopping.is_set():
            log.warning("lost the broker", reason=str(reason), purpose=self._purpose, **_advised(reason))
        connection.ioloop.stop()

    def _close(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close()
        elif self._connection is not None and self._connection.is_closed:
            self._connection.ioloop.stop()

    def _forget(self) -> None:
        self._ready.clear()
        connection, self._connection = self._connection, None
        self._lost()
        if connection is not None:
            connection.ioloop.close()


def _advised(error: object) -> dict[str, str]:
    what = advice(repr(error))
    return {"advice": what} if what else {}
