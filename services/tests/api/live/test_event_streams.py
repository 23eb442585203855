"""Open pages take no thread, are bounded in number, and miss nothing when a connection is lost."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from pictures import photo_jpeg

THREADS = 8
STREAMS = 60
OF_AN_ADDRESS = 50
PATH = "/api/v1/events"


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    settings = {
        "api_threads": THREADS,
        "api_event_streams": STREAMS,
        "api_event_streams_per_address": OF_AN_ADDRESS,
    }
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_else(mill: Mill) -> Iterator[None]:
    """No test begins with the pages of another."""
    yield
    wait_for(lambda: taken(mill) == 0, "all places to be free")


def opened(mill: Mill, stack: ExitStack, *headers: str, version: str = "1.1", of: str = "127.0.0.1") -> socket.socket:
    """A page of somebody at one of the machine's own addresses."""
    there = ("127.0.0.1", mill.port)
    client = stack.enter_context(socket.create_connection(there, timeout=60, source_address=(of, 0)))
    client.sendall("\r\n".join([f"GET {PATH} HTTP/{version}", "Host: localhost", *headers, "", ""]).encode())
    return client


def read_until(client: socket.socket, wanted: str) -> str:
    got = b""
    while not re.search(wanted.encode(), got):
        piece = client.recv(65536)
        assert piece, f"ended without {wanted}: {got.decode()}"
        got += piece
    return got.decode()


def taken(mill: Mill) -> int:
    found = re.search(r"^imagemill_event_streams (\S+)", mill.metrics("api"), re.MULTILINE)
    return int(float(found[1])) if found else 0


def test_many_more_pages_than_threads_are_told_while_uploads_go_on(mill: Mill) -> None:
    with ExitStack() as stack:
        pages = [opened(mill, stack) for _ in range(OF_AN_ADDRESS)]
        for page in pages:
            assert "HTTP/1.1 200 OK" in read_until(page, "event: totals")
        assert taken(mill) == OF_AN_ADDRESS
        (image_id,) = mill.accepted(photo_jpeg(64, 48, seed=1))
        for page in pages:
            read_until(page, f'event: outcome\\ndata: {{"id": "{image_id}"')
    wait_for(lambda: taken(mill) == 0, "all places to be free")


def test_no_address_takes_all_places_and_nobody_more_than_there_are(mill: Mill) -> None:
    with ExitStack() as stack:
        for host, count in (("127.0.0.1", OF_AN_ADDRESS), ("127.0.0.2", STREAMS - OF_AN_ADDRESS)):
            for _ in range(count):
                read_until(opened(mill, stack, of=host), "event: totals")
            assert "event: busy" in requests.get(mill.url + PATH, timeout=60).text
        assert "event: busy" in read_until(opened(mill, stack, of="127.0.0.3"), "busy")
    wait_for(lambda: taken(mill) == 0, "all places to be free")


def test_after_a_lost_connection_a_page_is_told_what_it_missed(mill: Mill) -> None:
    with ExitStack() as stack:
        page = opened(mill, stack)
        read_until(page, "event: totals")
        mill.accepted(photo_jpeg(64, 48, seed=2))
        last = re.findall(r"^id: (\S+)", read_until(page, "event: outcome"), re.MULTILINE)[-1]
        page.close()
        (missed,) = mill.accepted(photo_jpeg(64, 48, seed=3))
        mill.ended(missed)
        again = read_until(opened(mill, stack, f"Last-Event-ID: {last}"), f'event: outcome\\ndata: {{"id": "{missed}"')
        assert "event: lost" not in again
        strange = read_until(opened(mill, stack, "Last-Event-ID: another-1"), "event: lost")
        assert "event: totals" in strange


def test_plain_clients_get_a_plain_stream_and_heads_take_no_place(mill: Mill) -> None:
    with ExitStack() as stack:
        page = opened(mill, stack, version="1.0")
        assert "Transfer-Encoding" not in read_until(page, "event: totals\n")
        (image_id,) = mill.accepted(photo_jpeg(64, 48, seed=4))
        assert re.match(r"id: \S+\nevent: ", read_until(page, image_id))
        assert taken(mill) == 1
        assert requests.head(mill.url + PATH, timeout=60).status_code == 200
        assert taken(mill) == 1
