"""Attempts that are repeated until they succeed."""

import threading

import pytest

from imagemill.concurrency.retry import Stopped, pause_seconds, until


def failing(times: int, error: Exception) -> "list[object]":
    """What the attempts end in."""
    return [*([error] * times), "done"]


def attempt(ends: list[object]) -> object:
    end = ends.pop(0)
    if isinstance(end, Exception):
        raise end
    return end


def test_an_attempt_is_repeated_until_it_succeeds() -> None:
    ends = failing(2, OSError("away"))
    assert until(lambda: attempt(ends), threading.Event(), on=OSError, what="waiting") == "done"
    assert not ends


def test_an_error_that_does_not_pass_by_itself_is_raised_at_once() -> None:
    ends = failing(2, TypeError("wrong"))
    with pytest.raises(TypeError):
        until(lambda: attempt(ends), threading.Event(), on=OSError, what="waiting")
    assert len(ends) == 2


def test_it_stops_with_the_program_but_tries_once() -> None:
    stopping = threading.Event()
    stopping.set()
    assert until(lambda: "done", stopping, on=OSError, what="waiting") == "done"
    with pytest.raises(Stopped, match="waiting"):
        until(lambda: attempt(failing(9, OSError("away"))), stopping, on=OSError, what="waiting")


def test_pauses_grow_up_to_their_bound() -> None:
    assert 0.1 <= pause_seconds(1) <= 0.2
    assert 5 <= pause_seconds(1000) <= 10
