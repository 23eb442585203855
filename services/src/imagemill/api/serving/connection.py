"""One connection, in the hands of the poller or of a thread."""

import contextlib
import fcntl
import socket
import termios
import time
from array import array
from dataclasses import dataclass
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn

from imagemill.api.serving.pace import SlowPlaces
from imagemill.api.serving.paced_socket import PacedSocket
from imagemill.api.serving.received import ReceivedBytes
from imagemill.api.serving.reception import Reception, Stage

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LEAVING_SECONDS = 10.0
_LEAVING_BYTES = 32 * 1024 * 1024
_STOPPING_SECONDS = 2.0


@dataclass(frozen=True)
class ClientLimits:
    """What clients may do to the server; from the settings."""

    connections: int
    slow_requests: int
    request_seconds: float
    min_bytes_per_second: float
    keepalive_seconds: float
    max_body_bytes: int
    reading_requests: int
    received_bytes: int


class ClientConnection(TConn):  # type: ignore[misc]
    """`deadline` is that of the poller, while no thread has the connection."""

    def __init__(
        self,
        cfg: Any,
        accepted: socket.socket,
        client: Any,
        server: Any,
        limits: ClientLimits,
        places: SlowPlaces,
        received: ReceivedBytes,
    ) -> None:
        paced = PacedSocket(accepted, places, limits.request_seconds, limits.min_bytes_per_second)
        super().__init__(cfg, paced, client, server)
        self.parser: Any = None
        self._limits, self._received, self._received_bytes = limits, received, 0
        self.handed_over = False
        self._leaving_bytes: int | None = None
        self._expect(limits.request_seconds)

    def _expect(self, seconds: float) -> None:
        self._reception = Reception(self._limits.max_body_bytes)
        self.continued = False
        self._began: float | None = None
        self.deadline = time.monotonic() + seconds

    def feed(self, data: bytes) -> Stage:
        """What came while no thread had it."""
        if self._leaving_bytes is not None:
            self._leaving_bytes -= len(data)
            self.deadline = self.deadline if self._leaving_bytes > 0 else 0.0
            return Stage.HEAD
        if self._began is None:
            self._began = time.monotonic()
        self._received_bytes += len(data)
        self._received.add(len(data))
        stage = self._reception.feed(data, self._received.has_room)
        came_bytes = len(self._reception.data) if stage is Stage.BODY else 0
        self.deadline = self._began + self._limits.request_seconds + came_bytes / self._limits.min_bytes_per_second
        if stage is Stage.BODY and self._reception.expects_continue and not self.continued:
            self.continued = True
            with contextlib.suppress(OSError):
                socket.socket.send(self.sock, _CONTINUE)
        return stage

    @property
    def is_whole(self) -> bool:
        """Is the whole request there, so that no thread waits for its client?"""
        return self._reception.is_whole

    def readable_bytes(self) -> int:
        """How much more has come that nobody has read yet."""
        count = array("i", [0])
        fcntl.ioctl(self.sock, termios.FIONREAD, count)
        return count[0]

    def queue_up(self) -> None:
        """It waits for a thread that may wait for its client."""
        self.deadline = time.monotonic() + self._limits.request_seconds

    def _release(self) -> None:
        self._received.add(-self._received_bytes)
        self._received_bytes = 0
        self._reception.data.clear()

    def close(self, graceful: bool = False) -> None:
        """Close it, whatever state it is in."""
        self._release()
        super().close(graceful)

    def init(self) -> None:
        """HTTP/1 without TLS, and nothing else: a proxy does those."""
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
        self.initialized = True

    def begin(self) -> None:
        """A thread takes it, with all that came so far."""
        self.sock.begin()
        self.data_ready = True
        self.init()
        self.parser.unreader.unread(bytes(self._reception.data))
        self._release()

    def start_anew(self, alive: bool) -> Stage:
        """Its request was answered, and another may come, or has come already."""
        came = self.parser.unreader.take_buffered()
        self._expect(self._limits.keepalive_seconds if alive else _STOPPING_SECONDS)
        return self.feed(came) if came else Stage.HEAD

    def detach(self) -> socket.socket:
        """Its socket, which is somebody else's from now on."""
        family, kind, protocol = self.sock.family, self.sock.type, self.sock.proto
        return socket.socket(family, kind, protocol, self.sock.detach())

    def start_leaving(self, alive: bool) -> None:
        """Everything was said; what still comes is thrown away, up to a bound."""
        self._release()
        self._leaving_bytes = _LEAVING_BYTES
        self.deadline = time.monotonic() + (_LEAVING_SECONDS if alive else _STOPPING_SECONDS)
