"""What re-drive leaves alone: jobs that a living API process holds until it is their owner's turn.

What a process held that lives no more, re-drive publishes; also not all of it at once, so that others need not wait.
"""

import time
from collections import Counter
from collections.abc import Callable

from imagemill.domain.images import Job
from imagemill.store.held_jobs import HeldJobs, Statement

_SHARES_A_TURN = 10


class Held:
    """Statements of who holds what, as of this turn. Whether a process lives is measured on our own clock."""

    def __init__(
        self, held: HeldJobs, pool_of: Callable[[str], str], lasts_seconds: float, share: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._held, self._pool_of, self._lasts, self._clock = held, pool_of, lasts_seconds, clock
        self._most = share * _SHARES_A_TURN
        self._seen: dict[str, tuple[str, float]] = {}
        self._living: list[Statement] = []
        self._published = Counter[tuple[str, str]]()

    def refresh(self) -> None:
        """Begin a turn: read who holds what. Who has said nothing new for long is believed no longer."""
        now, statements = self._clock(), self._held.all()
        before, self._seen = self._seen, {}
        self._living, self._published = [], Counter()
        for statement in statements:
            revision, at = before.get(statement.instance, ("", now))
            at = at if revision == statement.revision else now
            if now - at > self._lasts:
                self._held.withdraw(statement.instance)
            else:
                self._seen[statement.instance] = (statement.revision, at)
                self._living.append(statement)

    def is_held(self, job: Job) -> bool:
        """Does a process that lives hold it?"""
        return any(statement.names(job, self._pool_of(job.recipe)) for statement in self._living)

    def may_publish(self, job: Job) -> bool:
        """Has its owner not had enough for this turn? Counts it if so."""
        if job.owner is None:
            return True
        line = (job.owner, self._pool_of(job.recipe))
        if self._published[line] >= self._most:
            return False
        self._published[line] += 1
        return True
