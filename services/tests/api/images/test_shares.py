"""Of each owner a share is in the queue; the rest waits for its turn, in order, and is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.api.images.shares import Line, Shares, TooManyInFlight

ANN, BOB = Line("ann", "default", 0), Line("bob", "default", 0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(shares: Shares, line: Line, *job_ids: str) -> list[bool]:
    return [shares.take(line, job_id) for job_id in job_ids]


def test_a_share_is_published_and_the_rest_held_whatever_others_do() -> None:
    shares = Shares(2, 1)
    assert taken(shares, ANN, "a1", "a2", "a3", "a4") == [True, True, False, False]
    assert taken(shares, BOB, "b1") == [True]
    assert (shares.held(), shares.due(), shares.first_held()) == ({ANN.pool: 2}, [], {ANN: ("a3", ())})


def test_what_ends_makes_room_in_the_order_of_coming_and_nobody_jumps_the_line() -> None:
    shares = Shares(1, 1, Clock())
    taken(shares, ANN, "a1", "a3", "a2")
    shares.ended("a1", "default")
    assert taken(shares, ANN, "a4") == [False]
    assert shares.due() == ["a3"]
    assert shares.due() == []
    assert shares.first_held() == {ANN: ("a2", ("a3",))}


def test_a_job_that_is_known_is_not_taken_twice() -> None:
    shares = Shares(1, 1)
    taken(shares, ANN, "a1", "a2")
    assert taken(shares, ANN, "a1", "a2") == [True, False]
    assert shares.in_flight("ann") == 2


def test_priorities_and_pools_have_lines_of_their_own() -> None:
    shares = Shares(1, 1)
    assert [shares.take(line, f"{n}") for n, line in enumerate((ANN, ANN._replace(priority=5), ANN._replace(pool="x")))]
    assert shares.in_flight("ann") == 3


def test_a_share_grows_with_what_the_pool_does_and_shrinks_again() -> None:
    clock = Clock()
    shares = Shares(2, 10, clock)
    for n in range(50):
        shares.ended(f"somebody's {n}", "default")
    assert sum(taken(shares, ANN, *map(str, range(100)))) == 50
    clock.now = 1000.0
    assert sum(taken(shares, BOB, *map(str, range(100, 200)))) == 2


def test_what_was_sent_although_its_id_is_a_later_one_is_told_apart_from_what_is_held() -> None:
    shares = Shares(2, 1)
    taken(shares, ANN, "a7", "a1", "a3", "a9")
    assert shares.first_held() == {ANN: ("a3", ("a7",))}


def test_what_could_not_be_published_comes_first_again() -> None:
    shares = Shares(2, 1)
    taken(shares, ANN, "a1", "a2", "a3")
    shares.put_back(["a1", "a2", "unknown"])
    assert shares.due() == ["a1", "a2"]


def test_jobs_of_which_nobody_told_that_they_ended_are_named_and_forgotten() -> None:
    clock = Clock()
    shares = Shares(2, 1, clock)
    taken(shares, ANN, "a1")
    clock.now = 5.0
    taken(shares, ANN, "a2", "a3")
    assert (shares.sent_before(5, 10), shares.sent_before(0, 1)) == (["a1"], ["a1"])
    shares.forget(["a1", "unknown"])
    assert (shares.due(), shares.in_flight("ann")) == (["a3"], 2)


def test_no_more_are_in_flight_than_a_limit_and_what_is_reserved_counts() -> None:
    shares = Shares(1, 1)
    taken(shares, ANN, "a1", "a2")
    with shares.reserved("ann", 2, 4):
        assert shares.in_flight("ann") == 4
        with pytest.raises(TooManyInFlight, match=r"4 jobs are in flight, and 1 more would exceed its 4"), (
            shares.reserved("ann", 1, 4)
        ):  # fmt: skip
            pass
    assert (shares.in_flight("ann"), shares.in_flight("bob")) == (2, 0)


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB]), st.integers(0, 30), st.booleans()), max_size=80))
def test_everything_taken_is_sent_once_and_nothing_is_left_over(steps: list[tuple[Line, int, bool]]) -> None:
    shares, sent, wanted = Shares(3, 1, Clock()), list[str](), dict[str, Line]()
    for line, number, ends in steps:
        job_id = f"{line.owner}{number}"
        if job_id not in wanted:
            wanted[job_id] = line
            sent += [job_id] if shares.take(line, job_id) else []
        if ends and sent:
            shares.forget([sent[number % len(sent)]])
            sent += shares.due()
    while shares.in_flight("ann") + shares.in_flight("bob"):
        shares.forget(sent)
        sent += shares.due()
    assert sorted(sent) == sorted(wanted)
    assert (shares.held(), shares.first_held(), shares._lines) == ({}, {}, {})
