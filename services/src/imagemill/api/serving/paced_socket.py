"""A client's socket in a thread's hands: it is waited for no longer than its pace allows."""

import contextlib
import errno
import socket
import time
from collections.abc import Callable
from typing import Any

from imagemill.api.serving.pace import CUT, ClientPace, Lag, SlowPlaces
from imagemill.api.web.problems import Problem

_SEND_BYTES = 256 * 1024


class PacedSocket(socket.socket):
    """Takes over an accepted socket. Reading from a client that is too slow raises a Problem (408).

    Writing to one raises an OSError, as for a connection that is gone.
    """

    def __init__(
        self, accepted: socket.socket, places: SlowPlaces, limit_seconds: float, bytes_per_second: float
    ) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self._places, self._limits = places, (limit_seconds, bytes_per_second)
        self.begin()

    def begin(self) -> None:
        """A thread sees to a request of this client from now on."""
        self.pace = ClientPace(Lag(*self._limits))

    def end(self) -> None:
        """No thread does any more."""
        self._places.leave(self)

    def cut(self) -> None:
        """Whoever waits for this client goes on, and finds it gone."""
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def recv(self, size: int, _flags: int = 0, /) -> bytes:
        """Read what is there; raises Problem when the client is too slow."""
        try:
            data: bytes = self._in_time(super().recv, size, len)
        except TimeoutError:
            self.begin()  # or there would be no time to say so
            detail = f"The body comes too slowly: less than {self._limits[1]:,.0f} bytes a second."
            raise Problem(408, "too-slow", detail) from None
        return data

    def sendall(self, data: Any, _flags: int = 0, /) -> None:
        """Write all of it; raises OSError when the client is too slow, or gone."""
        rest = memoryview(data)
        while rest:
            try:
                sent: int = self._in_time(super().send, rest[:_SEND_BYTES], int)
            except TimeoutError:
                raise OSError(errno.EPIPE, "the client reads too slowly") from None
            rest = rest[sent:]

    def _in_time(self, call: Callable[[Any], Any], argument: Any, moved: Callable[[Any], int]) -> Any:
        with contextlib.suppress(TimeoutError):
            return self._within(self.pace.patience.left_seconds, call, argument, moved)
        self._places.take(self)
        try:
            return self._within(self.pace.least.left_seconds, call, argument, moved)
        except TimeoutError:
            CUT.labels("below the least rate").inc()
            raise

    def _within(self, seconds: float, call: Callable[[Any], Any], argument: Any, moved: Callable[[Any], int]) -> Any:
        """One call; raises TimeoutError."""
        if seconds <= 0:
            raise TimeoutError
        self.settimeout(seconds)
        began = self.pace.waiting_since = time.monotonic()
        done = None
        try:
            done = call(argument)
            return done
        finally:
            self.pace.waiting_since = None
            self.pace.note(time.monotonic() - began, moved(done) if done is not None else 0)
