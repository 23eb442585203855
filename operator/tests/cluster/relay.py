"""A way to the broker from an address of its own, as a pod has one."""

import socket
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
