"""Writes events to all open pages, in one thread that waits for none of them."""

import contextlib
import selectors
import socket
import time
from collections import deque

import structlog

from imagemill.api.live.listeners import Listener
from imagemill.api.live.ring import PING, Ring
from imagemill.concurrency.loop import Loop

log = structlog.get_logger(__name__)
_TICK_SECONDS = 0.1
_LOOK_EVERY_SECONDS = 1.0
_PING_EVERY_SECONDS = 15.0
_STALLED_SECONDS = 30.0
_PIECE_BYTES = 16 * 1024
_PIECES_A_TICK = 8
_SEND_BUFFER_BYTES = 32 * 1024
_RECEIVED_BYTES = 4096
_END_OF_CHUNKS = b"0\r\n\r\n"


class OpenPage:
    """A listener at the end of a socket."""

    __slots__ = ("chunked", "listener", "rest", "sock", "wrote_at")

    def __init__(self, sock: socket.socket, listener: Listener, chunked: bool, first: bytes) -> None:
        self.sock, self.listener, self.chunked = sock, listener, chunked
        self.rest = framed(first, chunked)
        self.wrote_at = time.monotonic()

    def write(self, data: bytes = b"") -> bool:
        """Send what is left, else `data`; True when nothing is left. Raises OSError when the page is gone."""
        data = self.rest or data
        if data:
            try:
                sent = self.sock.send(data)
                self.wrote_at = time.monotonic()
            except BlockingIOError:
                sent = 0
            self.rest = data[sent:]
        return not self.rest


class Broadcaster:
    """Several times a second every page is sent what came since; what it does not take at once waits for it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._pages: dict[int, OpenPage] = {}
        self._new: deque[OpenPage] = deque()
        self._told, self._looked_at = ring.head, time.monotonic()
        self._framed: dict[tuple[int, str | None, bool], tuple[bytes, int]] = {}
        self._loop = Loop("event streams", self._round, at_end=self._end)

    def start(self) -> None:
        """Begin to serve pages."""
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._loop.start()

    def close(self, timeout_seconds: float) -> bool:
        """End all of them in order."""
        self._loop.stop()
        self._wake()
        return self._loop.close(timeout_seconds)

    def add(self, sock: socket.socket, listener: Listener, chunked: bool, first: bytes) -> None:
        """Serve one page more, which has got its headers (from any thread)."""
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._new.append(OpenPage(sock, listener, chunked, first))
        self._wake()

    def _wake(self) -> None:
        # Not begun, awake already, or closed.
        with contextlib.suppress(AttributeError, OSError):
            self._waker.send(b"w")

    # --- in the thread ----------------------------------------------------------------------------

    def _round(self) -> None:
        for key, events in self._selector.select(_TICK_SECONDS if self._pages else 1.0):
            page = key.data
            if page is None:
                self._welcome()
            elif events & selectors.EVENT_READ:
                self._drop(page)  # it is gone; or it says something, and has nothing to say here
            else:
                self._tell(page)
        if self._told != self._ring.head:
            self._tell_all()
        if time.monotonic() - self._looked_at > _LOOK_EVERY_SECONDS:
            self._look_after_all()

    def _welcome(self) -> None:
        self._woken.recv(_RECEIVED_BYTES)
        while self._new:
            page = self._new.popleft()
            self._pages[page.sock.fileno()] = page
            self._selector.register(page.sock, selectors.EVENT_READ, page)
            self._tell(page)

    def _tell_all(self) -> None:
        self._told = self._ring.head
        for page in list(self._pages.values()):
            if not page.rest:
                self._tell(page)
        self._framed.clear()

    def _tell(self, page: OpenPage) -> None:
        """Whatever there is for it, as long as it takes it; the rest when it can be written to again."""
        try:
            taken = page.write()
            for _ in range(_PIECES_A_TICK):
                if not taken or page.listener.place == self._ring.head:
                    break
                data, page.listener.place = self._next(page)
                taken = page.write(data)
            wanted = selectors.EVENT_READ if taken else selectors.EVENT_READ | selectors.EVENT_WRITE
            if self._selector.get_key(page.sock).events != wanted:
                self._selector.modify(page.sock, wanted, page)
            if taken and page.listener.place != self._ring.head:
                self._told = -1  # there is more for it: in the next round
        except OSError:
            self._drop(page)

    def _next(self, page: OpenPage) -> tuple[bytes, int]:
        # Most pages are at the same place: what comes after it is made once.
        key = (page.listener.place, page.listener.batch, page.chunked)
        if key not in self._framed:
            data, place = self._ring.after(page.listener.place, page.listener.batch, _PIECE_BYTES)
            self._framed[key] = framed(data, page.chunked), place
        return self._framed[key]

    def _look_after_all(self) -> None:
        """Pings, and the end of pages that stand still or whose reader may not read any more."""
        now = self._looked_at = time.monotonic()
        self._framed.clear()
        for page in list(self._pages.values()):
            if not is_allowed(page.listener):
                self._say_goodbye(page)
            elif page.rest and now - page.wrote_at > _STALLED_SECONDS:
                self._drop(page)
            elif not page.rest and now - page.wrote_at > _PING_EVERY_SECONDS:
                self._ping(page)

    def _ping(self, page: OpenPage) -> None:
        try:
            page.write(framed(PING, page.chunked))
        except OSError:
            self._drop(page)

    def _say_goodbye(self, page: OpenPage) -> None:
        with contextlib.suppress(OSError):
            if page.write() and page.chunked:
                page.write(_END_OF_CHUNKS)
        self._drop(page)

    def _drop(self, page: OpenPage) -> None:
        if self._pages.pop(page.sock.fileno(), None) is not None:
            self._selector.unregister(page.sock)
            page.sock.close()
            page.listener.close()

    def _end(self) -> None:
        for page in self._new:
            page.listener.close()
            page.sock.close()
        for page in list(self._pages.values()):
            self._say_goodbye(page)
        for open_file in (self._selector, self._woken, self._waker):
            open_file.close()


def is_allowed(listener: Listener) -> bool:
    """May its reader still read? Not when nobody can tell."""
    try:
        return listener.allowed()
    except Exception:
        log.exception("nobody can tell whether a page may still be told; it is not")
        return False


def framed(data: bytes, chunked: bool) -> bytes:
    """As a chunk of HTTP/1.1, if it goes in chunks."""
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked and data else data
