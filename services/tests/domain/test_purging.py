"""Bytes that somebody relies on are not removed: the times of the protocol, at their limits, in any order."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagemill.domain.purging import PurgeTimes, PurgeView

TIMES = PurgeTimes.by(30)
NAME = "a" * 64
SLOWEST_WRITE_SECONDS = 75.0
"""A read of what is known (30 s), and a write that is repeated for 15 s and once more (30 s)."""


def share(most: float) -> st.SearchStrategy[float]:
    """Up to so many seconds, and often just about as many."""
    return st.one_of(st.sampled_from([0.0, most * 0.999]), st.floats(0, most, allow_nan=False))


AGE = 0.999 * TIMES.known_for


@settings(max_examples=300)
@example(checks_at=0.99 * TIMES.known_for, held=0, age=AGE, write=SLOWEST_WRITE_SECONDS, late=0, removing=0)
@example(checks_at=2 * TIMES.settle, held=TIMES.settle, age=0, write=0, late=0, removing=0)
@given(
    checks_at=st.floats(-20, 4 * TIMES.settle), held=share(2 * TIMES.settle), age=share(TIMES.known_for),
    write=share(SLOWEST_WRITE_SECONDS), late=share(100), removing=share(100),
)  # fmt: skip
def test_bytes_that_an_upload_relied_on_are_there_however_slow_it_is(
    checks_at: float, held: float, age: float, write: float, late: float, removing: float
) -> None:
    """The upload sees its bytes, is held up, checks, and writes; the eraser is as fast as it may be, or slower."""
    asks_at = TIMES.settle + late
    gone_at = asks_at + removing
    over_at = gone_at + TIMES.settle + late
    begins = checks_at - held
    view = PurgeView(TIMES)
    for moment in (begins - TIMES.known_for, begins, checks_at - age):
        view = view.after([NAME] if 0 <= moment < over_at else None, moment)
    if NAME in view.announced or not view.may_rely_on(begins, checks_at):
        return
    assert checks_at + write <= asks_at or begins > gone_at


def test_what_began_long_ago_may_go_on_while_nobody_erases_anything() -> None:
    view = PurgeView(TIMES)
    for moment in range(0, 1000, 5):
        view = view.after(None, moment)
    assert view.may_rely_on(10.0, 1000.0)
    assert not view.may_rely_on(-10.0, 1000.0)


def test_a_gap_in_what_is_known_may_hide_a_round() -> None:
    view = PurgeView(TIMES).after(None, 0.0).after(None, 1000.0)
    assert not view.may_rely_on(10.0, 1000.0)
    assert view.may_rely_on(999.0, 1000.0)


def test_a_round_that_was_seen_ends_the_quiet() -> None:
    view = PurgeView(TIMES).after(None, 0.0).after([NAME], 10.0).after(None, 20.0)
    assert not view.may_rely_on(5.0, 200.0)
    assert view.announced == frozenset()


@pytest.mark.parametrize("age", [TIMES.known_for - 0.1, TIMES.known_for + 0.1])
def test_what_is_known_is_believed_for_a_while(age: float) -> None:
    assert PurgeView(TIMES).after(None, 0.0).is_known(age) == (age < TIMES.known_for)
