"""The poller sees to all connections: nothing that is wrong with one may end it."""

import selectors
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from imagemill.api.serving.worker import Worker


class Connection:
    """One of which something is wrong."""

    def __init__(self) -> None:
        self.sock, self.client = socket.socketpair()
        self.handed_over = False
        self.deadline = 0.0

    def feed(self, data: bytes) -> None:
        raise RuntimeError(f"nobody expected {data!r}")

    def start_anew(self, alive: bool) -> None:
        raise RuntimeError("nobody expected that")

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def worker() -> Iterator[Any]:
    made: Any = Worker.__new__(Worker)
    made.limits = SimpleNamespace(reading_requests=1)
    made.poller, made.alive, made.nr_conns = selectors.DefaultSelector(), True, 2
    made._waiting, made._queued, made._reading = {}, {}, set()
    yield made
    made.poller.close()


def gone(connection: Connection, worker: Any) -> bool:
    assert connection.client.recv(1) == b""
    connection.client.close()
    return bool(worker.nr_conns == 1 and not worker._waiting and not worker.poller.get_map())


def test_a_request_that_breaks_its_reader_ends_its_connection_alone(worker: Any) -> None:
    connection = Connection()
    worker._await_request(connection)
    connection.client.sendall(b"G")
    worker._read(connection, connection.sock)
    assert gone(connection, worker)


def test_an_end_that_goes_wrong_ends_its_connection_alone(worker: Any) -> None:
    connection, done = Connection(), Future[bool]()
    done.set_result(True)
    worker.finish_request(connection, done)
    assert gone(connection, worker)


def test_a_socket_that_is_closed_already_is_forgotten(worker: Any) -> None:
    connection, done = Connection(), Future[bool]()
    done.set_result(True)
    connection.start_anew = lambda alive: None  # type: ignore[method-assign]
    connection.sock.close()
    worker.finish_request(connection, done)
    assert gone(connection, worker)
