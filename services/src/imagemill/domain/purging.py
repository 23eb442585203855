"""How bytes go while everybody works: the protocol's times, and what a program may rely on.

The eraser announces the hashes of a round; then it waits, asks which of them a picture needs, removes the others, waits
again, and takes the announcement back. All others know the announcement, at most `known_for` old, and
- an upload is only accepted if its bytes were seen at most `relied_on` ago, and are not announced;
- a worker hands a result over only if it was stored at most `relied_on` ago, and its bytes are not announced.

So what was accepted without seeing the announcement is in the ledger before the eraser asks: `settle` is longer than
`known_for` and the slowest write. And what saw bytes before they were removed sees the announcement, for `settle` is
longer than `relied_on` and `known_for`. docs/promise.md has the argument.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from imagemill.domain.record import Record

# As parts of `settle`, which is so many timeouts of CouchDB; a read, and a write that is repeated, take two and a half.
_TIMEOUTS, _KNOWN, _RELIED, _CLOCKS = 5.0, 1 / 15, 0.6, 1.2


@dataclass(frozen=True)
class PurgeTimes:
    """Seconds, the same for all programs; `settle` is what the eraser waits each time."""

    settle: float

    @classmethod
    def by(cls, couchdb_timeout_seconds: float) -> "PurgeTimes":
        """By how long a request to CouchDB takes at most."""
        return cls(_TIMEOUTS * couchdb_timeout_seconds)

    @property
    def known_for(self) -> float:
        """How old an announcement, or that there is none, may be to be believed."""
        return self.settle * _KNOWN

    @property
    def relied_on(self) -> float:
        """How long after they were seen bytes are taken to be there."""
        return self.settle * _RELIED

    @property
    def clocks(self) -> float:
        """How far two programs' clocks may differ."""
        return self.settle * _CLOCKS


class PurgeRound(Record):
    """A round as all see it; its hashes and pictures are in a document of their own, which never changes."""

    id: str
    announced_at: float
    is_removing: bool = False
    """Some of the bytes may be gone: the round cannot end in vain any more."""
    are_gone: bool = False


class PurgePlan(Record):
    """What a round is about. `previews`: pairs of a result and an original whose preview is stored beside it."""

    erasures: list[str]
    names: list[str]
    previews: list[tuple[str, str]]


@dataclass(frozen=True)
class PurgeView:
    """What one program knows of the eraser. Times are of its own monotonic clock, and taken before it asked."""

    times: PurgeTimes
    announced: frozenset[str] = frozenset()
    known_at: float = float("-inf")
    quiet_since: float = float("inf")

    def after(self, names: Iterable[str] | None, asked_at: float) -> "PurgeView":
        """What is known after a question: the hashes of the round that was found, or None when there was none."""
        if names is not None:
            return PurgeView(self.times, frozenset(names), asked_at)
        # A whole round, which takes two waits, cannot have passed unseen between two questions.
        is_gap = asked_at - self.known_at > self.times.settle
        quiet_since = asked_at if is_gap or self.quiet_since == float("inf") else self.quiet_since
        return PurgeView(self.times, frozenset(), asked_at, quiet_since)

    def is_known(self, now: float) -> bool:
        """Is it new enough to be believed?"""
        return now - self.known_at <= self.times.known_for

    def may_rely_on(self, seen_at: float, now: float) -> bool:
        """Are bytes that were there then still there, unless they are announced?"""
        return now - seen_at <= self.times.relied_on or self.quiet_since <= seen_at
