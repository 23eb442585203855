"""What a program says of itself, over HTTP."""

import socket
import struct
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from imagemill.local.ports import free_ports
from imagemill.process.health import Health, HealthServer
from mill import wait_for

asked = threading.Event()
may_answer = threading.Event()


def slow() -> None:
    asked.set()
    may_answer.wait(30)


@pytest.fixture
def port() -> Iterator[int]:
    asked.clear()
    may_answer.clear()
    broker = cast(Any, SimpleNamespace(heartbeat_age_seconds=0.0, ready=True))
    (port,) = free_ports(1)
    server = HealthServer("127.0.0.1", port, Health(broker, alive={"slow": slow}))
    server.start()
    yield port
    may_answer.set()
    server.close()


def test_a_probe_that_does_not_wait_is_no_news(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as probe:
        probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        assert asked.wait(30)
        # Gone at once, as a process that was killed: what comes now is refused.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    others = threading.active_count()
    may_answer.set()
    wait_for(lambda: threading.active_count() < others, "the answer to nobody")
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=30).json()["status"] == "ok"
    assert "Traceback" not in "".join(capfd.readouterr())
