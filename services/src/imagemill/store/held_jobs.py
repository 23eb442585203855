"""Which jobs wait in the API for their turn: one document for each API process that holds any, written again and again.

So re-drive knows that these are not lost, for as long as that process lives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagemill.domain.images import Job
from imagemill.store.couch import Conflict, Couch, Document

_HELD = "held:"
_LAST = "\ufff0"
_MOST = 1000


@dataclass(frozen=True)
class HeldLine:
    """Of an owner's jobs for a pool, with one priority, those from id `first` on are held, but for those `sent`.

    Ids are in the order of the clients' clocks, and some come late: so a job that was sent may lie between held ones.
    """

    owner: str
    pool: str
    priority: int
    first: str
    sent: Sequence[str] = ()


@dataclass(frozen=True)
class Statement:
    """What one process says that it holds; `revision` changes whenever it says so again."""

    instance: str
    revision: str
    lines: Sequence[HeldLine]

    def names(self, job: Job, pool: str) -> bool:
        """Is the job one of those?"""
        return job.by == self.instance and any(
            (line.owner, line.pool, line.priority) == (job.owner, pool, job.priority)
            and line.first <= job.id
            and job.id not in line.sent
            for line in self.lines
        )


class HeldJobs:
    """The documents `held:<instance>` in the database `state`."""

    def __init__(self, couch: Couch) -> None:
        self._state = couch.database("state")

    def say(self, instance: str, lines: Iterable[HeldLine]) -> None:
        """Write down what is held. Raises Conflict."""
        document = self._state.get(_HELD + instance) or {"_id": _HELD + instance}
        said = [[line.owner, line.pool, line.priority, line.first, list(line.sent)] for line in lines]
        # The count makes a revision of its own of what was said before.
        self._state.put({**document, "lines": said, "times": document.get("times", 0) + 1})

    def withdraw(self, instance: str) -> None:
        """Nothing is held any more, or by nobody who lives."""
        document = self._state.get(_HELD + instance)
        if document:
            try:
                self._state.remove(document["_id"], document["_rev"])
            except Conflict:
                return

    def all(self) -> list[Statement]:
        """What all processes say."""
        return [_statement(document) for document in self._state.documents(_HELD, _HELD + _LAST, _MOST)]


def _statement(document: Document) -> Statement:
    lines = [HeldLine(*line) for line in document["lines"]]
    return Statement(document["_id"].removeprefix(_HELD), document["_rev"], lines)
