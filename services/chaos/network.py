"""The network between a program and a server: a forwarder which can be cut."""

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit

_PIECE_BYTES = 256 * 1024


class Link:
    """Forwards connections to a server. While it is cut nothing passes and nobody is told, as behind a firewall."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        assert parts.port, upstream
        self._target = (str(parts.hostname), parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        login, at, _ = parts.netloc.rpartition("@")
        self.url = parts._replace(netloc=f"{login}{at}127.0.0.1:{self._listener.getsockname()[1]}").geturl()
        self._passes = threading.Event()
        self._passes.set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, seconds: float) -> None:
        """Let nothing pass for a while; what was sent meanwhile arrives late, on connections that still are there."""
        self._passes.clear()
        time.sleep(seconds)
        self._passes.set()

    def close(self) -> None:
        """Take no more connections; those that are there end with their programs."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._passes.wait()
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE_BYTES):
                self._passes.wait()
                sink.sendall(data)
        # Both ends hear of it, the other direction too: a half-open connection is nobody's protocol here.
        self._passes.wait()
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
