"""A RabbitMQ whose connections go wrong on demand: a proxy which reads the frames that pass."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_HEADER = struct.Struct(">BHI")
_METHOD, _PROTOCOL_BYTES = 1, 8
_PUBLISH, _DELIVER, _ACK = (60, 40), (60, 60), (60, 80)
_NAMES = {_PUBLISH: "publish", _DELIVER: "deliver", _ACK: "ack"}


@dataclass(frozen=True)
class Frame:
    """A method that passes: `publish` and `deliver` with their exchange; `ack` of a client, `confirm` of the server."""

    method: str
    exchange: str


@dataclass
class AmqpFault:
    """What goes wrong with the first frame that matches.

    `refuse`: the connection is cut before it; `lose`: after it, or after a message was confirmed, whose confirm is
    lost; `late`: it is held up; `after`: it passes, and then something happens.
    """

    kind: str
    matches: Callable[[Frame], bool]
    late_seconds: float = 0.0
    after: Callable[[], None] = lambda: None
    met: int = 0


@dataclass
class _Pair:
    """The two sockets of a connection. `losing`: its next confirm is lost, and the connection with it."""

    client: socket.socket
    server: socket.socket
    losing: bool = False
    closed: threading.Event = field(default_factory=threading.Event)

    def cut(self) -> None:
        """Close both sides at once."""
        self.closed.set()
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class AmqpProxy:
    """Listens on a port of its own; `fault` is the one that is armed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 5672))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{parts.port}/", f":{self._listener.getsockname()[1]}/")
        self.fault: AmqpFault | None = None
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end those that are there."""
        self._listener.close()
        for pair in self._pairs:
            pair.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    client.close()
                    continue
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pair = _Pair(client, server)
                self._pairs.append(pair)
                threading.Thread(target=self._pump, args=(pair, client, server, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(pair, server, client, False), daemon=True).start()

    def _pump(self, pair: _Pair, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(OSError, EOFError, struct.error):
            if from_client:
                target.sendall(_exactly(source, _PROTOCOL_BYTES))
            while not pair.closed.is_set():
                head = _exactly(source, _HEADER.size)
                kind, _, size = _HEADER.unpack(head)
                rest = _exactly(source, size + 1)
                frame = _frame(rest, from_client) if kind == _METHOD else None
                if frame and not self._passes(pair, frame):
                    break
                target.sendall(head + rest)
        pair.cut()

    def _passes(self, pair: _Pair, frame: Frame) -> bool:
        """Let a frame go on, or not; what shall happen happens."""
        if pair.losing and frame.method == "confirm":
            return False
        fault = self._met(frame)
        if fault is None:
            return True
        if fault.kind == "refuse":
            return False
        if fault.kind == "late":
            time.sleep(fault.late_seconds)
        elif fault.kind == "lose" and frame.method == "publish":
            pair.losing = True
        elif fault.kind == "lose":
            threading.Timer(0.05, pair.cut).start()
        elif fault.kind == "after":
            threading.Timer(0.05, fault.after).start()
        return True

    def _met(self, frame: Frame) -> AmqpFault | None:
        with self._lock:
            fault = self.fault
            if fault is None or fault.met or not fault.matches(frame):
                return None
            fault.met += 1
            return fault


def _frame(payload: bytes, from_client: bool) -> Frame | None:
    method = _NAMES.get(struct.unpack_from(">HH", payload)[:2])
    if method is None:
        return None
    if method == "publish":
        return Frame(method, _short_string(payload, 6)[0])
    if method == "deliver":
        _, after_tag = _short_string(payload, 4)
        return Frame(method, _short_string(payload, after_tag + 9)[0])
    return Frame("ack" if from_client else "confirm", "")


def _short_string(payload: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + payload[at]
    return payload[at + 1 : end].decode(), end


def _exactly(source: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = source.recv(min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
