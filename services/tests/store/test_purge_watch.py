"""What a program knows of the eraser, while many of its threads ask at once and CouchDB is slow."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.domain.purging import PurgePlan, PurgeRound, PurgeTimes
from imagemill.store.couch import StoreUnavailable
from imagemill.store.purges import PurgeWatch

TIMES = PurgeTimes.by(30)
NAME = "a" * 64


class Announced:
    """A round of the eraser's; `on_current` happens while the question after it is on its way."""

    def __init__(self) -> None:
        self.on_current: Callable[[], None] = lambda: None

    def current(self) -> PurgeRound:
        happens, self.on_current = self.on_current, lambda: None
        happens()
        return PurgeRound(id="round", announced_at=0.0)

    def plan(self, _: str) -> PurgePlan:
        return PurgePlan(erasures=["one"], names=[NAME], previews=[])


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def watch(announced: Announced, now: list[float]) -> PurgeWatch:
    couch = cast(Any, SimpleNamespace(database=lambda _: None))
    made = PurgeWatch(couch, TIMES, lambda: now[0])
    made._purges = cast(Any, announced)
    return made


def test_what_one_thread_learns_of_a_round_another_that_asked_at_the_same_time_does_not_forget(
    watch: PurgeWatch, announced: Announced
) -> None:
    announced.on_current = watch.refresh
    watch.refresh()
    assert watch.being_purged([NAME]) == {NAME}
    watch.refresh()
    assert watch.being_purged([NAME]) == {NAME}


def test_an_answer_that_took_too_long_is_not_believed(
    watch: PurgeWatch, announced: Announced, now: list[float]
) -> None:
    def slow() -> None:
        now[0] += TIMES.known_for + 1

    announced.on_current = slow
    with pytest.raises(StoreUnavailable):
        watch.being_purged([NAME])
    assert watch.being_purged([NAME]) == {NAME}
