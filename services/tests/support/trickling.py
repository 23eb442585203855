"""Clients that hold connections open and send next to nothing."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEAD = b"GET /api/v1/recipes HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /image HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n"
IDLE = HEAD + b"\r\n"
KINDS = {"heads that never end": HEAD, "bodies of a byte a second": BODY, "idle connections": IDLE}
STARTED_BODY = BODY + bytes(64 * 1024)
# Too large to be waited for whole, so that a thread begins to read it.
STARTED_LARGE_BODY = BODY.replace(b"1000000", b"2000000") + bytes(64 * 1024)


class Trickle:
    """`count` connections that send `beginning`, and then a byte a second; who is cut off comes again."""

    def __init__(self, port: int, beginning: bytes, count: int, again: bool = True) -> None:
        self._port, self._beginning, self._again = port, beginning, again
        self._sends_more = beginning != IDLE
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self.ended = 0
        self._open: list[socket.socket] = []
        for _ in range(count):
            self._connect()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _connect(self) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        with contextlib.suppress(OSError):
            client.sendall(self._beginning)
        client.setblocking(False)
        self._selector.register(client, selectors.EVENT_READ)
        self._open.append(client)

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stopping.is_set():
            for key, _ in self._selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                self._read(key.fileobj)
            if self._sends_more and time.monotonic() - last > 1:
                last = time.monotonic()
                for client in self._open:
                    with contextlib.suppress(OSError):
                        client.send(b"x")

    def _read(self, client: socket.socket) -> None:
        try:
            there = client.recv(65536)
        except OSError:
            there = b""
        if not there:
            self.ended += 1
            self._selector.unregister(client)
            self._open.remove(client)
            client.close()
            if self._again:
                self._connect()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        for client in self._open:
            client.close()
        self._selector.close()


@contextmanager
def trickling(port: int, beginning: bytes, count: int, again: bool = True) -> Iterator[Trickle]:
    clients = Trickle(port, beginning, count, again)
    clients.start()
    try:
        yield clients
    finally:
        clients.close()


def seconds_of(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
