"""Events reach open pages through real sockets, and no page holds up another."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from imagemill.api.live import broadcaster as module
from imagemill.api.live.broadcaster import Broadcaster
from imagemill.api.live.event_body import EventBody
from imagemill.api.live.listeners import Places
from imagemill.api.live.ring import Ring
from mill import wait_for

Open = Callable[..., socket.socket]


class Site:
    def __init__(self) -> None:
        self.ring, self.places = Ring(max_events=500), Places(100, 100)
        self.broadcaster = Broadcaster(self.ring)
        self.clients: list[socket.socket] = []
        self.broadcaster.start()

    def open(self, allowed: Callable[[], bool] = lambda: True, batch: str | None = None) -> socket.socket:
        here, there = socket.socketpair()
        here.settimeout(30)
        listener = self.places.take("here", self.ring.head, batch, allowed)
        EventBody(self.ring, self.broadcaster, listener, b"retry: 1\n\n").hand_over(there, True)
        self.clients.append(here)
        assert here.recv(100) == b"a\r\nretry: 1\n\n\r\n"
        return here

    def close(self) -> None:
        assert self.broadcaster.close(30)
        for client in self.clients:
            client.close()


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    got = b""
    while wanted not in got:
        piece = client.recv(65536)
        assert piece, f"ended without {wanted!r}: {got[-200:]!r}"
        got += piece
    return got


def test_every_page_is_told_what_concerns_it(site: Site) -> None:
    everything, of_batch = site.open(), site.open(batch="a")
    site.ring.add("activity", {"batch": "b", "n": 1})
    site.ring.add("activity", {"batch": "a", "n": 2})
    read_until(everything, b'"n": 2')
    assert b'"n": 1' not in read_until(of_batch, b'"n": 2')


def test_a_page_that_reads_nothing_is_told_that_it_has_lost_something_and_holds_up_nobody(site: Site) -> None:
    stuck, other = site.open(), site.open()
    for n in range(3000):
        site.ring.add("activity", {"n": n, "filling": "x" * 1000})
        if n % 100 == 99:
            read_until(other, f'"n": {n}'.encode())
    assert b"event: lost" in read_until(stuck, b"event: lost")
    site.ring.add("activity", {"last": True})
    read_until(stuck, b'"last": true')


def test_a_page_that_never_reads_again_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STALLED_SECONDS", 0.5)
    site.open()
    for _ in range(400):
        site.ring.add("activity", {"filling": "x" * 1000})
    wait_for(lambda: len(site.places) == 0, "the page to be let go", 30)


def test_a_page_whose_reader_may_not_read_any_more_ends_within_two_seconds(site: Site) -> None:
    may = {"read": True}
    client, other = site.open(allowed=lambda: may["read"]), site.open()
    site.ring.add("activity", {"n": 1})
    read_until(client, b'"n": 1')
    may["read"] = False
    began = time.monotonic()
    assert client.recv(65536) == b"0\r\n\r\n"
    assert client.recv(65536) == b""
    assert time.monotonic() - began < 2
    site.ring.add("activity", {"n": 2})
    read_until(other, b'"n": 2')


def test_a_reader_of_whom_nobody_can_tell_may_not_read(site: Site) -> None:
    def nobody_knows() -> bool:
        raise RuntimeError

    assert site.open(allowed=nobody_knows).recv(65536) == b"0\r\n\r\n"


def test_a_page_that_goes_or_says_something_gives_its_place_back(site: Site) -> None:
    gone, talking = site.open(), site.open()
    assert len(site.places) == 2
    gone.close()
    talking.sendall(b"GET / HTTP/1.1\r\n\r\n")
    wait_for(lambda: len(site.places) == 0, "both places to be free", 30)


def test_quiet_pages_get_a_ping(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PING_EVERY_SECONDS", 0.5)
    assert site.open().recv(100) == b"8\r\n: ping\n\n\r\n"


def test_at_the_end_every_page_is_ended_in_order() -> None:
    site = Site()
    clients = [site.open() for _ in range(5)]
    site.broadcaster.close(30)
    for client in clients:
        assert client.recv(100) == b"0\r\n\r\n"
        assert client.recv(100) == b""
    site.close()


def test_whoever_iterates_gets_the_same_events_and_the_same_end() -> None:
    ring, may = Ring(), {"read": True}
    listener = Places(1, 1).take("here", 0, None, lambda: may["read"])
    body = EventBody(ring, Broadcaster(ring), listener, b"retry: 1\n\n")
    events = iter(body)
    assert next(events) == b"retry: 1\n\n"
    ring.add("activity", {"n": 1})
    assert b'"n": 1' in next(events)
    may["read"] = False
    with contextlib.suppress(StopIteration):
        pytest.fail(f"{next(events)!r} came")
    body.close()
