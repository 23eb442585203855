"""Who counts as slow, and who is cut off when too many do."""

from dataclasses import dataclass, field

import pytest

from imagemill.api.serving.pace import ClientPace, Lag, SlowPlaces


def pace(limit_seconds: float = 10, bytes_per_second: float = 1024) -> ClientPace:
    return ClientPace(Lag(limit_seconds, bytes_per_second))


@pytest.mark.parametrize(
    ("moved_each_second", "slow_after", "too_slow_after"),
    [(0, 1, 10), (512, 1, 20), (1024, 1, None), (32 * 1024, 1, None), (64 * 1024, None, None)],
)
def test_slow_is_who_falls_behind(moved_each_second: int, slow_after: int | None, too_slow_after: int | None) -> None:
    client = pace()
    slow, too_slow = None, None
    for second in range(1, 60):
        client.note(1.0, moved_each_second)
        slow = slow or (second if client.patience.left_seconds <= 0 else None)
        too_slow = too_slow or (second if client.least.left_seconds <= 0 else None)
    assert (slow, too_slow) == (slow_after, too_slow_after)


def test_what_was_fast_before_buys_no_time() -> None:
    client = pace()
    client.note(0.1, 1 << 30)
    client.note(10.0, 0)
    assert client.least.left_seconds <= 0


@dataclass(eq=False)
class Somebody:
    pace: ClientPace = field(default_factory=pace)
    was_cut: bool = False

    def cut(self) -> None:
        self.was_cut = True


def test_of_too_many_slow_ones_the_one_furthest_behind_is_cut_off() -> None:
    places, clients = SlowPlaces(2), [Somebody() for _ in range(3)]
    for seconds, client in zip((3.0, 5.0, 1.0), clients, strict=True):
        client.pace.note(seconds, 0)
        places.take(client)
    assert [client.was_cut for client in clients] == [False, True, False]


def test_a_place_is_free_again_when_its_holder_leaves() -> None:
    places, clients = SlowPlaces(1), [Somebody(), Somebody()]
    for client in clients:
        places.take(client)
        places.take(client)
        places.leave(client)
    assert not any(client.was_cut for client in clients)
