"""gunicorn's worker with threads, but a connection gets a thread only when its request is there."""

import contextlib
import select
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import structlog
from gunicorn.http import wsgi
from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Message
from gunicorn.workers.gthread import ThreadWorker

from imagemill.api.serving.connection import ClientConnection, ClientLimits
from imagemill.api.serving.pace import SlowPlaces
from imagemill.api.serving.received import ReceivedBytes
from imagemill.api.serving.reception import Stage
from imagemill.api.web.problems import Problem

log = structlog.get_logger(__name__)
_READ_BYTES = 64 * 1024
_SWEEP_SECONDS = 0.5
# Of a body which nobody read, gunicorn discards no more before it reads the next request.
_DISCARDED_BYTES = 64 * 1024
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Worker(ThreadWorker):  # type: ignore[misc]
    """The poller, which never waits, reads heads and starts of bodies, and sees connections off.

    Everything here but `handle…` runs in its thread.
    """

    def init_process(self) -> None:
        """In the worker process, before the app is loaded."""
        self.limits: ClientLimits = self.app.limits
        self._places = SlowPlaces(self.limits.slow_requests)
        self._received = ReceivedBytes(self.limits.received_bytes)
        self._waiting: dict[ClientConnection, None] = {}
        self._queued: dict[ClientConnection, None] = {}
        self._reading: set[ClientConnection] = set()
        self._swept = 0.0
        super().init_process()

    # --- connections come -------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and read what it has sent already."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of file descriptors, most likely: one less is open then.
            log.warning("a connection cannot be accepted", error=str(error))
            self._make_room()
            return
        conn = ClientConnection(
            self.cfg, client, address, listener.getsockname(), self.limits, self._places, self._received
        )
        self.nr_conns += 1
        if self.nr_conns > self.limits.connections and not self._make_room():
            self._refuse(conn, _BUSY)
            return
        self._await_request(conn)
        self._read(conn, conn.sock)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When it stops, it also stops listening: else whoever comes would wait for the end, and be cut off then."""
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)  # who came before is answered
            listener.close()

    def is_parent_alive(self) -> bool:
        """Without its parent it stops as if it were told to."""
        if super().is_parent_alive():
            return True
        self.alive = False
        return False

    def _make_room(self) -> bool:
        """Close the connection that has waited for its request for longest; False when there is none."""
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return False
        self._close(oldest)
        return True

    def _await_request(self, conn: ClientConnection) -> None:
        conn.sock.setblocking(False)
        self._waiting[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))

    def _read(self, conn: ClientConnection, _: socket.socket) -> None:
        if conn not in self._waiting:
            return  # closed to make room, while this event waited
        with self._alone(conn):
            self._receive(conn)

    def _receive(self, conn: ClientConnection) -> None:
        try:
            data = socket.socket.recv(conn.sock, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._act(conn, conn.feed(data))
        else:
            self._close(conn)

    def _act(self, conn: ClientConnection, stage: Stage) -> None:
        if stage is Stage.READY:
            self._stop_waiting(conn)
            if conn.is_whole:
                self.enqueue_req(conn)
            else:
                conn.queue_up()
                self._queued[conn] = None
                self._take_from_queue()
        elif stage is Stage.TOO_LARGE:
            self._stop_waiting(conn)
            self._refuse(conn, _HEAD_TOO_LARGE)

    def _take_from_queue(self) -> None:
        """Give threads to requests that are still coming, but not all threads; first to whom most has come of."""
        while self._queued and len(self._reading) < self.limits.reading_requests:
            conn = max(self._queued, key=ClientConnection.readable_bytes)
            del self._queued[conn]
            self._reading.add(conn)
            self.enqueue_req(conn)

    def _stop_waiting(self, conn: ClientConnection) -> None:
        if conn in self._waiting:
            del self._waiting[conn]
            self.poller.unregister(conn.sock)

    # --- and go -----------------------------------------------------------------------------------

    def murder_pending(self) -> None:
        """Close what has waited too long; gunicorn calls it whenever it has waited for events."""
        now = time.monotonic()
        if now - self._swept < _SWEEP_SECONDS:
            return
        self._swept = now
        for conn in [conn for conn in self._waiting if conn.deadline < now]:
            self._close(conn)
        for conn in [conn for conn in self._queued if conn.deadline < now]:
            del self._queued[conn]
            self._refuse(conn, _BUSY)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in self._waiting:
            conn.deadline = min(conn.deadline, deadline)

    def finish_request(self, conn: ClientConnection, future: "Future[bool]") -> None:
        """A thread is done with a request."""
        with self._alone(conn):
            self._finish(conn, future)

    def _finish(self, conn: ClientConnection, future: "Future[bool]") -> None:
        self._reading.discard(conn)
        self._take_from_queue()
        if conn.handed_over:
            self.nr_conns -= 1
        elif future.cancelled() or future.exception() is not None or not future.result():
            self._see_off(conn)
        else:
            stage = conn.start_anew(self.alive)
            self._await_request(conn)
            self._act(conn, stage)

    @contextlib.contextmanager
    def _alone(self, conn: ClientConnection) -> Iterator[None]:
        """Whatever is wrong with one connection ends that one; in the poller it would end all of them."""
        try:
            yield
        except Exception:
            log.exception("a connection cannot be seen to")
            self._waiting.pop(conn, None)
            self._queued.pop(conn, None)
            self._reading.discard(conn)
            with contextlib.suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            with contextlib.suppress(OSError):
                conn.close()

    def _refuse(self, conn: ClientConnection, answer: bytes) -> None:
        conn.sock.setblocking(False)
        with contextlib.suppress(OSError):
            socket.socket.send(conn.sock, answer)
        self._see_off(conn)

    def _see_off(self, conn: ClientConnection) -> None:
        """Say that no more will come, and let the client read: a reset would take the answer (RFC 9112, 9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.start_leaving(self.alive)
        self._await_request(conn)

    def _close(self, conn: ClientConnection) -> None:
        self._stop_waiting(conn)
        self.nr_conns -= 1
        conn.close()

    # --- in the threads ---------------------------------------------------------------------------

    def handle(self, conn: ClientConnection) -> bool:
        """See to one request; True when the connection may have another."""
        conn.begin()
        try:
            return bool(super().handle(conn))
        finally:
            conn.sock.end()

    def _keepalive_after(self, conn: ClientConnection, keepalive: bool) -> bool:
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except Problem:
            return False

    def handle_request(self, req: Message, conn: ClientConnection) -> bool:
        """Answer it; False when the connection is to be closed."""
        req._expected_100_continue = False  # the poller has asked for the body, unless it is refused unread
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
        response.default_headers = partial(_without_server, response)
        environ["wsgi.multithread"] = True
        body = self.wsgi(environ, response.start_response)
        try:
            if not self.alive or is_unread(req):
                response.force_close()
            if hasattr(body, "hand_over") and req.method != "HEAD":
                return hand_over(conn, response, body)
            for item in body:
                response.write(item)
            response.close()
        except OSError:
            raise
        except Exception:
            if not response.headers_sent:
                raise
            log.exception("an answer was broken off")
            return False
        finally:
            _close_body(body)
        return not response.should_close()


def _without_server(response: wsgi.Response) -> list[str]:
    # What serves here is nobody's business.
    return [line for line in type(response).default_headers(response) if not line.startswith("Server:")]


def hand_over(conn: ClientConnection, response: wsgi.Response, body: Any) -> bool:
    """Let the body have the socket: it is written to for hours, and no thread is to wait for that."""
    response.force_close()
    response.send_headers()
    conn.handed_over = True
    body.hand_over(conn.detach(), response.chunked)
    return False


def is_unread(req: Message) -> bool:
    """Is there so much left of the body that the connection cannot be used again?"""
    reader = req.body.reader
    if isinstance(reader, ChunkedReader):
        return reader.parser is not None
    return bool(reader.length > _DISCARDED_BYTES)


def _close_body(body: Any) -> None:
    close: Callable[[], None] | None = getattr(body, "close", None)
    if close is not None:
        close()
