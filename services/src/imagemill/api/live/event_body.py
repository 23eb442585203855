"""The body of an event stream: the server takes its socket for it, everything else may iterate over it."""

import socket
import time
from collections.abc import Iterator

from imagemill.api.live.broadcaster import Broadcaster, is_allowed
from imagemill.api.live.listeners import Listener
from imagemill.api.live.ring import PING, Ring

_PING_EVERY_SECONDS = 15.0
_LOOK_EVERY_SECONDS = 1.0
_PIECE_BYTES = 64 * 1024


class EventBody:
    """`first` is what a listener is told before any event."""

    def __init__(self, ring: Ring, broadcaster: Broadcaster, listener: Listener, first: bytes) -> None:
        self._ring, self._broadcaster, self._listener, self._first = ring, broadcaster, listener, first
        self._handed_over = False

    def hand_over(self, sock: socket.socket, chunked: bool) -> None:
        """From now on another thread writes to this socket, and closes it; the headers are sent."""
        self._handed_over = True
        self._broadcaster.add(sock, self._listener, chunked, self._first)

    def __iter__(self) -> Iterator[bytes]:
        """For servers which know nothing of this, and for tests: it waits in the caller's thread."""
        yield self._first
        pinged = time.monotonic()
        while is_allowed(self._listener):
            if self._ring.wait_after(self._listener.place, _LOOK_EVERY_SECONDS):
                data, self._listener.place = self._ring.after(self._listener.place, self._listener.batch, _PIECE_BYTES)
                if data:
                    yield data
            elif time.monotonic() - pinged > _PING_EVERY_SECONDS:
                pinged = time.monotonic()
                yield PING

    def close(self) -> None:
        """The response has ended here."""
        if not self._handed_over:
            self._listener.close()
