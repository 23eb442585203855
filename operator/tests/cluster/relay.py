"""A way to the broker from an address of its own, as a pod has one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def connections_from(host: str, port: int) -> Iterator[int]:
    """Lead one connection to a port of 127.0.0.1; for who listens there it comes from ``host``."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", port), 30, source_address=(host, 0))
                far.settimeout(None)
                threading.Thread(target=_pump, args=(far, near), daemon=True).start()
                _pump(near, far)
                near.close()
                far.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join(30)


@contextmanager
def tls_front(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """Lead connections over TLS to a plain port of 127.0.0.1, as a broker that asks for certificates does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def lead(near: socket.socket) -> None:
            with suppress(OSError):
                secured = context.wrap_socket(near, server_side=True)
                far = socket.create_connection(("127.0.0.1", port), 30)
                far.settimeout(None)
                threading.Thread(target=_pump, args=(far, secured), daemon=True).start()
                _pump(secured, far)
                far.close()
                secured.close()
            near.close()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    near, _ = server.accept()
                    threading.Thread(target=lead, args=(near,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(30)
