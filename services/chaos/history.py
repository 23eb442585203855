"""What clients were told, and when; and whether one system that keeps its word can have told all of it.

Only what ended before something else began is held against it: what overlaps may have been told in either order.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENDS = ("stored", "failed")
_GROWING = ("offered", "accepted", "rejected", "stored", "failed", "erased")


@dataclass(frozen=True)
class Told:
    """One answer. Times are seconds of one monotonic clock; `about` is a key, a picture's id, or empty."""

    started: float
    ended: float
    about: str
    answer: Any


class History:
    """Answers by kind: `taken` (key: id), `outcome` (id: state and detail), `totals`, `bytes` (id: status)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, list[Told]] = defaultdict(list)

    def note(self, kind: str, about: str, started: float, answer: Any) -> None:
        """An answer that has just come."""
        with self._lock:
            self._told[kind].append(Told(started, time.monotonic(), about, answer))

    def told(self, kind: str) -> list[Told]:
        """All of a kind, in the order of their ends."""
        with self._lock:
            return sorted(self._told[kind], key=lambda told: told.ended)

    def violations(self, erased: Collection[str] = ()) -> list[str]:
        """What was told and cannot be true together, as sentences; none if all of it can.

        `erased`: pictures which somebody asked to erase; their bytes may have gone at any time.
        """
        return [
            *two_ids_of_a_key(self.told("taken")),
            *forgotten(self.told("taken"), self.told("outcome")),
            *changed_outcomes(self.told("outcome")),
            *falling_totals(self.told("totals")),
            *unreadable(self.told("bytes"), erased),
        ]


def two_ids_of_a_key(taken: Iterable[Told]) -> list[str]:
    """A repeat with the same key is the same job."""
    ids: dict[str, str] = {}
    return [
        f"the key {told.about} is the job {first} and the job {told.answer}"
        for told in taken
        if (first := ids.setdefault(told.about, told.answer)) != told.answer
    ]


def forgotten(taken: Iterable[Told], outcomes: Iterable[Told]) -> list[str]:
    """What a client was told is accepted is known to everyone from then on."""
    since = {told.answer: told.ended for told in reversed(list(taken))}
    return [
        f"{told.about} is not known, {told.started - since[told.about]:.3f} s after it was accepted"
        for told in outcomes
        if told.answer[0] == "unknown" and since.get(told.about, told.started) < told.started
    ]


def changed_outcomes(outcomes: Iterable[Told]) -> list[str]:
    """An outcome is written once: whoever asks after it was told is told the same."""
    return [
        f"{about} was {before!r} and then {after!r}"
        for about, answers in _by_subject(outcomes).items()
        for before, after in _contradictions(
            answers, lambda earlier, later: earlier[0] not in ENDS or earlier == later
        )
    ]  # fmt: skip


def falling_totals(totals: Sequence[Told]) -> list[str]:
    """What has happened has happened: no count of it falls."""
    return [
        f"{name} fell from {before:,} to {after:,}"
        for name in _GROWING
        for before, after in _contradictions(
            [Told(told.started, told.ended, name, told.answer[name]) for told in totals if name in told.answer],
            lambda earlier, later: bool(earlier <= later),
        )
    ]


def unreadable(reads: Iterable[Told], erased: Collection[str] = ()) -> list[str]:
    """What was announced can be read, unless it was erased: each of these was asked for after that."""
    return [
        f"{told.about} was announced, and its bytes answer {told.answer}"
        for told in reads
        if told.answer != 200 and not (told.answer == 410 and told.about in erased)
    ]


def _by_subject(all_told: Iterable[Told]) -> Mapping[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for told in all_told:
        found[told.about].append(told)
    return found


def _contradictions(told: Sequence[Told], may_follow: Callable[[Any, Any], bool]) -> list[tuple[Any, Any]]:
    """Answers which may not follow on the latest one that had ended before they were asked for."""
    by_end, found, known = sorted(told, key=lambda one: one.ended), [], 0
    latest: Told | None = None
    for later in sorted(told, key=lambda one: one.started):
        while known < len(by_end) and by_end[known].ended < later.started:
            one = by_end[known]
            # Of those that had ended the strictest counts: the one which fewest may follow.
            latest = one if latest is None or may_follow(latest.answer, one.answer) else latest
            known += 1
        if latest is not None and not may_follow(latest.answer, later.answer):
            found.append((latest.answer, later.answer))
    return found
