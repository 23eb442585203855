"""Clients that are slow on purpose keep nobody from being served."""

import contextlib
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

import trickling
from imagemill.api.serving.reception import WHOLE_BODY_BYTES
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from pictures import photo_jpeg
from trickling import seconds_of

THREADS = 8
CLIENTS = 4 * THREADS
LIMIT_SECONDS = 3
PICTURE = photo_jpeg(64, 48, seed=1)
LARGE_PICTURE = photo_jpeg(2400, 1600, seed=1, quality=98)
RAW = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """With few threads, so that few slow clients would take them all."""
    settings = {"api_threads": THREADS, "api_slow_requests": 2, "api_request_seconds": LIMIT_SECONDS}
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), **settings) as running:
        yield running


def upload(mill: Mill) -> None:
    answer = requests.post(f"{mill.url}/image", PICTURE, headers=RAW, timeout=60)
    assert answer.status_code == 202, answer.text


def asked(mill: Mill, request: bytes, timeout_seconds: float = 60) -> bytes:
    """Everything that is answered until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", mill.port), timeout=timeout_seconds) as client:
        client.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
        return answer


@pytest.mark.parametrize("beginning", [*trickling.KINDS.values(), b""], ids=[*trickling.KINDS, "nothing at all"])
def test_slow_clients_keep_nobody_waiting(mill: Mill, beginning: bytes) -> None:
    upload(mill)
    with trickling.trickling(mill.port, beginning, CLIENTS):
        for _ in range(5):
            assert seconds_of(lambda: upload(mill)) < LIMIT_SECONDS
            assert seconds_of(lambda: mill.health("api", "/healthz")) < 1


def test_of_clients_that_a_thread_waits_for_only_a_few_may_be_slow(mill: Mill) -> None:
    with trickling.trickling(mill.port, trickling.STARTED_LARGE_BODY, THREADS, again=False) as slow:
        wait_for(lambda: slow.ended >= THREADS - 2, "those that are too many to be cut off")
        assert seconds_of(lambda: upload(mill)) < LIMIT_SECONDS
    assert 'imagemill_http_slow_clients_total{why="too many of them"}' in mill.metrics("api")


@pytest.mark.parametrize("beginning", [trickling.STARTED_BODY, trickling.STARTED_LARGE_BODY], ids=["small", "large"])
def test_bodies_that_stop_keep_no_picture_waiting(mill: Mill, beginning: bytes) -> None:
    upload(mill)
    assert len(LARGE_PICTURE) > WHOLE_BODY_BYTES
    with trickling.trickling(mill.port, beginning, 10 * THREADS):
        for _ in range(5):
            assert seconds_of(lambda: upload(mill)) < LIMIT_SECONDS
            answer = requests.post(f"{mill.url}/image", LARGE_PICTURE, headers=RAW, timeout=60)
            assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("beginning", [b"", trickling.HEAD, trickling.BODY])
def test_who_sends_no_whole_request_in_time_is_let_go(mill: Mill, beginning: bytes) -> None:
    began = time.monotonic()
    assert asked(mill, beginning) == b""
    assert LIMIT_SECONDS - 0.5 <= time.monotonic() - began < LIMIT_SECONDS + 5


def test_who_falls_behind_with_a_body_is_told_so(mill: Mill) -> None:
    answer = asked(mill, trickling.STARTED_LARGE_BODY)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code": "too-slow"' in answer
    assert b"Connection: close" in answer


def test_who_reads_nothing_of_a_large_answer_is_let_go(mill: Mill) -> None:
    large = photo_jpeg(4000, 3000, seed=2, quality=98)
    assert len(large) > 5_500_000, "it must not fit into the kernel's buffers"
    (image_id,) = mill.accepted(large)
    before = slow_ones(mill, "below the least rate")
    request = f"GET /api/v1/images/{image_id}/original HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", mill.port)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(request)
        wait_for(lambda: slow_ones(mill, "below the least rate") >= before + 2, "both to be let go")


def slow_ones(mill: Mill, why: str) -> float:
    lines = [line for line in mill.metrics("api").splitlines() if f'slow_clients_total{{why="{why}"}}' in line]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else 0.0


def test_a_head_without_end_is_refused(mill: Mill) -> None:
    assert asked(mill, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 40_000).startswith(b"HTTP/1.1 431 ")


def test_there_is_always_room_for_one_connection_more(rabbit: RabbitServer, couch: CouchServer, tmp_path: Path) -> None:
    with (
        running_mill(rabbit, couch, tmp_path, api_connections=20) as mill,
        trickling.trickling(mill.port, trickling.HEAD, 60, again=False) as slow,
    ):
        wait_for(lambda: slow.ended >= 40, "the oldest to be closed")
        upload(mill)
        upload(mill)


def test_those_who_wait_for_results_leave_threads_to_the_others(mill: Mill) -> None:
    mill.signal("worker", signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(2 * THREADS) as pool:
            waiting = [
                pool.submit(mill_post, mill, photo_jpeg(64, 48, seed=10 + n), "?wait=30") for n in range(2 * THREADS)
            ]
            wait_for(lambda: sum(call.done() for call in waiting) >= THREADS, "those for whom there is no room")
            assert seconds_of(lambda: upload(mill)) < LIMIT_SECONDS
            mill.signal("worker", signal.SIGCONT)
            assert {call.result().status_code for call in waiting} <= {200, 202}
    finally:
        mill.signal("worker", signal.SIGCONT)


def mill_post(mill: Mill, data: bytes, query: str) -> requests.Response:
    return requests.post(f"{mill.url}/api/v1/images{query}", data, headers=RAW, timeout=120)


# --- what must go on working ---------------------------------------------------------------------


def test_requests_that_come_byte_by_byte_or_together_are_answered_in_order(mill: Mill) -> None:
    get = b"GET /api/v1/recipes HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", mill.port), timeout=30) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(get)):
            client.sendall(get[number : number + 1])
        client.sendall(get + last)
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"404"]


def test_who_asks_before_sending_is_told_to_go_on_once(mill: Mill) -> None:
    head = f"POST /image HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(PICTURE)}\r\nExpect: 100-continue\r\n"
    with socket.create_connection(("127.0.0.1", mill.port), timeout=30) as client:
        client.sendall(head.encode() + b"Content-Type: image/jpeg\r\nConnection: close\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(PICTURE)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 202 ")


def test_a_body_in_chunks_is_taken(mill: Mill) -> None:
    pieces = iter([PICTURE[:1000], PICTURE[1000:]])
    assert requests.post(f"{mill.url}/image", pieces, headers=RAW, timeout=60).status_code == 202


def test_a_refusal_of_a_body_that_nobody_reads_reaches_its_client(mill: Mill) -> None:
    body = bytes(8 << 20)
    answer = requests.post(f"{mill.url}/api/v1/nothing", body, headers=RAW, timeout=60)
    assert (answer.status_code, answer.headers["Connection"]) == (404, "close")
    small = requests.post(f"{mill.url}/api/v1/nothing", bytes(1000), headers=RAW, timeout=60)
    assert (small.status_code, small.headers["Connection"]) == (404, "keep-alive")
