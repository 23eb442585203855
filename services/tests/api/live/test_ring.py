"""The last events, and who gets which of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.api.live.listeners import Places, TooManyStreams
from imagemill.api.live.ring import Ring


def kinds(data: bytes) -> list[str]:
    return [line.removeprefix("event: ") for line in data.decode().splitlines() if line.startswith("event: ")]


def numbers(data: bytes) -> list[int]:
    lines = [line for line in data.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: "))["n"] for line in lines]


def last_id(data: bytes) -> str:
    return [line for line in data.decode().splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")


def filled(count: int, **limits: int) -> Ring:
    ring = Ring(**limits)
    for n in range(count):
        ring.add("activity", {"n": n})
    return ring


@given(
    events=st.lists(st.sampled_from([None, "a", "b"]), max_size=60),
    batch=st.sampled_from([None, "a"]),
    piece=st.integers(1, 500),
)
def test_a_listener_gets_every_event_that_concerns_it_once_and_in_order(
    events: list[str | None], batch: str | None, piece: int
) -> None:
    ring, place, got = Ring(), 0, []
    for n, of in enumerate(events):
        ring.add("activity", {"n": n} | ({"batch": of} if of else {}))
        if n % 3 == 0:
            data, place = ring.after(place, batch, piece)
            got += numbers(data)
    while place != ring.head:
        data, place = ring.after(place, batch, piece)
        got += numbers(data)
    assert got == [n for n, of in enumerate(events) if batch is None or of in (None, batch)]


@pytest.mark.parametrize("limits", [{"max_events": 10}, {"max_bytes": 700}])
def test_it_is_bounded_and_whoever_is_too_late_is_told_so_once(limits: dict[str, int]) -> None:
    ring = filled(100, **limits)
    data, place = ring.after(5, None, 1 << 20)
    assert (kinds(data), place) == (["lost"], 100)
    assert ring.after(place, None, 1 << 20) == (b"", 100)
    assert ring.place_of(last_id(data)) == 100
    newest, _ = ring.after(98, None, 1 << 20)
    assert numbers(newest) == [98, 99]


def test_after_a_lost_connection_it_goes_on_with_the_next_event() -> None:
    ring = filled(10)
    data, _ = ring.after(0, None, 1)
    place = ring.place_of(last_id(data))
    assert place == 1
    assert numbers(ring.after(place, None, 1 << 20)[0]) == list(range(1, 10))


@pytest.mark.parametrize(
    "event_id", ["x", "-", "1", "\x00", "9" * 5000, "{name}-11", "{name}--1", "{name}-1e3", "{name}-٣"]
)
def test_an_id_of_somewhere_else_is_no_place(event_id: str) -> None:
    ring = filled(10)
    name = last_id(ring.after(0, None, 1 << 20)[0]).split("-")[0]
    assert ring.place_of(event_id.format(name=name)) is None
    assert ring.place_of(None) == ring.place_of("") == 10


def test_no_address_takes_all_places() -> None:
    places = Places(3, 2)
    taken = [places.take("a", 0, None, bool) for _ in range(2)]
    with pytest.raises(TooManyStreams):
        places.take("a", 0, None, bool)
    places.take("b", 0, None, bool)
    with pytest.raises(TooManyStreams):
        places.take("c", 0, None, bool)
    taken[0].close()
    taken[0].close()
    assert len(places) == 2
    places.take("a", 0, None, bool)
