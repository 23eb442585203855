"""Which jobs may be in the workers' queues now: of each owner a share, so that no batch keeps others waiting. Pure.

The others are held: they are in the ledger, and here only their ids wait.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Line(NamedTuple):
    """Whose jobs wait for each other: those of one owner (a token, or a user without one), pool and priority."""

    owner: str
    pool: str
    priority: int


class TooManyInFlight(Exception):
    """So many more would be beyond an owner's limit."""


@dataclass
class Throughput:
    """What was done lately: a count that fades, with `seconds` as its time constant."""

    seconds: float
    count: float = 0.0
    at: float = 0.0

    def recent(self, now: float) -> float:
        """About how many were done in the last `seconds`."""
        return self.count * math.exp((self.at - now) / self.seconds)

    def note(self, now: float) -> None:
        """One more was done."""
        self.count, self.at = self.recent(now) + 1, now


@dataclass
class _Waiting:
    """Ids of one line, in the order in which they came: since when they are in the queue, and those that are not."""

    sent: dict[str, float] = field(default_factory=dict)
    held: dict[str, None] = field(default_factory=dict)


class Shares:
    """All jobs in flight that this process accepted for known owners. Safe to use from many threads.

    A share is what the pool did in the last `seconds`, and `minimum` at least: enough to keep its workers busy.
    """

    def __init__(self, minimum: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._minimum, self._seconds, self._clock = minimum, seconds, clock
        self._lines: dict[Line, _Waiting] = {}
        self._line_of: dict[str, Line] = {}
        self._done: dict[str, Throughput] = {}
        self._in_flight, self._reserved = Counter[str](), Counter[str]()
        self._lock = threading.Lock()

    def take(self, line: Line, job_id: str) -> bool:
        """Note an accepted job; may it be published now? If not, it is held until `due` names it."""
        with self._lock:
            waiting = self._lines.setdefault(line, _Waiting())
            if job_id not in self._line_of:
                self._line_of[job_id] = line
                self._in_flight[line.owner] += 1
                waiting.held[job_id] = None
                if len(waiting.held) > 1 or self._room(line) < 1:
                    return False
                self._send(waiting, [job_id])
            return job_id not in waiting.held

    def due(self) -> list[str]:
        """Held jobs whose turn has come, the oldest first; from now on they count as sent."""
        with self._lock:
            found = []
            for line, waiting in self._lines.items():
                next_ones = [job_id for job_id, _ in zip(waiting.held, range(self._room(line)), strict=False)]
                self._send(waiting, next_ones)
                found += next_ones
            return found

    def put_back(self, job_ids: Iterable[str]) -> None:
        """They could not be published: hold them again, before all others."""
        with self._lock:
            back: dict[Line, dict[str, None]] = {}
            for job_id in job_ids:
                if (line := self._line_of.get(job_id)) is not None:
                    back.setdefault(line, {})[job_id] = None
                    self._lines[line].sent.pop(job_id, None)
            for line, ids in back.items():
                self._lines[line].held = ids | self._lines[line].held

    def ended(self, job_id: str, pool: str) -> None:
        """A job, of whomever, has its outcome."""
        with self._lock:
            self._done.setdefault(pool, Throughput(self._seconds)).note(self._clock())
            self._forget(job_id)

    def forget(self, job_ids: Iterable[str]) -> None:
        """They have their outcomes, of which nobody told in time."""
        with self._lock:
            for job_id in job_ids:
                self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        line = self._line_of.pop(job_id, None)
        if line is None:
            return
        waiting = self._lines[line]
        waiting.sent.pop(job_id, None)
        waiting.held.pop(job_id, None)
        self._in_flight[line.owner] -= 1
        if not (waiting.sent or waiting.held):
            del self._lines[line]
        if not self._in_flight[line.owner]:
            del self._in_flight[line.owner]

    # --- what is known ----------------------------------------------------------------------------

    def first_held(self) -> Mapping[Line, tuple[str, tuple[str, ...]]]:
        """Of each line that waits the smallest id that is held, and the larger ones that were sent all the same."""
        with self._lock:
            firsts = {line: min(waiting.held) for line, waiting in self._lines.items() if waiting.held}
            return {
                line: (first, tuple(sorted(job_id for job_id in self._lines[line].sent if job_id > first)))
                for line, first in firsts.items()
            }

    def held(self) -> Mapping[str, int]:
        """How many are held, by pool; of those that hold any."""
        with self._lock:
            found = Counter[str]()
            for line, waiting in self._lines.items():
                found[line.pool] += len(waiting.held)
            return +found

    def sent_before(self, seconds: float, limit: int) -> list[str]:
        """Jobs that were sent so long ago or longer and have not ended as far as is known."""
        before = self._clock() - seconds
        with self._lock:
            sent = [item for waiting in self._lines.values() for item in waiting.sent.items()]
        return [job_id for job_id, at in sorted(sent, key=lambda item: item[1]) if at <= before][:limit]

    def in_flight(self, owner: str) -> int:
        """How many of their jobs are in flight, those that are about to be accepted included."""
        return self._in_flight[owner] + self._reserved[owner]

    @contextmanager
    def reserved(self, owner: str, count: int, limit: int) -> Iterator[None]:
        """Room for so many more jobs while they are accepted; raises TooManyInFlight."""
        with self._lock:
            now = self.in_flight(owner)
            if now + count > limit:
                raise TooManyInFlight(f"{now:,} jobs are in flight, and {count:,} more would exceed its {limit:,}")
            self._reserved[owner] += count
        try:
            yield
        finally:
            with self._lock:
                self._reserved[owner] -= count
                if not self._reserved[owner]:
                    del self._reserved[owner]

    def _room(self, line: Line) -> int:
        done = self._done.get(line.pool)
        share = max(self._minimum, int(done.recent(self._clock())) if done else 0)
        return max(0, share - len(self._lines[line].sent))

    def _send(self, waiting: _Waiting, job_ids: Iterable[str]) -> None:
        now = self._clock()
        for job_id in job_ids:
            del waiting.held[job_id]
            waiting.sent[job_id] = now
