"""Errors that the protocol once had, put back one at a time: a simulation that does not find them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest import mock

from imagemill.domain.images import Job
from imagemill.store import couch, couch_requests
from imagemill.store.purges import PurgeWatch
from imagemill.writer.eraser import Eraser
from imagemill.writer.redrive import Redrive
from simulation import programs


def _redrive_dies() -> AbstractContextManager[object]:
    """R1: the first message that cannot be published ends re-drive, and nobody notices."""
    original = Redrive._publish

    def publish(self: Any, jobs: list[Job], now: float) -> None:
        if getattr(self, "is_dead", False):
            return
        answers = self._broker.publish_all

        def all_or_dead(messages: Iterable[Any]) -> list[BaseException | None]:
            errors = answers(messages)
            self.is_dead = self.is_dead or any(errors)
            return list(errors)

        self.is_dead = False
        with mock.patch.object(self._broker, "publish_all", all_or_dead):
            original(self, jobs, now)

    return mock.patch.object(Redrive, "_publish", publish)


def _accepted_is_done() -> AbstractContextManager[object]:
    """R5: what one node of three took is taken for written."""
    stack = ExitStack()
    stack.enter_context(mock.patch.object(couch, "_NO_QUORUM", None))
    stack.enter_context(mock.patch.object(couch_requests, "_ACCEPTED", 0))
    return stack


def _one_page() -> AbstractContextManager[object]:
    """R10: only the oldest jobs in flight are looked at, so those of one pool hide those of another."""

    def pages(self: Any, start: str, end: str) -> Iterable[list[str]]:
        found = self._ledger.in_flight_page(start, end)[0][:2]
        return [found] if found else []

    return mock.patch.object(Redrive, "_pages", pages)


def _no_sweep() -> AbstractContextManager[object]:
    """R11: nobody looks below the watermark, where jobs of a slow clock are."""
    return mock.patch.object(Redrive, "_sweep", lambda *_: iter(()))


def _any_priority() -> AbstractContextManager[object]:
    """R15: one picture that goes first makes all that wait look overtaken."""

    def frontier(newest: dict[tuple[str, int, str | None], str], job: Job, settings: Any) -> str:
        return max(newest.values(), default="")

    return mock.patch.object(programs, "_frontier", frontier)


def _eraser_is_hasty() -> AbstractContextManager[object]:
    """E1: bytes go as soon as the round is announced."""
    original = Eraser._announce

    def announce(self: Any, ids: Sequence[str]) -> None:
        original(self, ids)
        if going := self._purges.current():
            self._purge(going)

    return mock.patch.object(Eraser, "_announce", announce)


def _nobody_asks_the_eraser() -> AbstractContextManager[object]:
    """E2: uploads and workers rely on bytes that are about to go."""
    return mock.patch.object(PurgeWatch, "check", lambda *_: None)


MUTATIONS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "R1": _redrive_dies,
    "R5": _accepted_is_done,
    "R10": _one_page,
    "R11": _no_sweep,
    "R15": _any_priority,
    "E1": _eraser_is_hasty,
    "E2": _nobody_asks_the_eraser,
}
