"""Counts between two readings of the ledger, of what is heard meanwhile. Pure.

What is heard is late, comes twice, or never; so nothing heard is believed beyond the next reading. In between the tally
is not ahead of the ledger: what may be in the reading already is not added to it, and makes the tally unsure. (Where a
clock is ahead by less than the news takes, what was written in that time may count twice until the next reading.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill.domain.activity import Record
from imagemill.domain.ids import is_uuid, made_at, seconds_of
from imagemill.domain.images import Counts, Outcome

_MOST_HEARD = 20_000
# What is heard but tells no id, or takes something back: only a reading knows what it did to the counts.
_UNCLEAR = frozenset({"rejected", "retried", "discarded", "reopened", "erased", "unerased"})
_LEAST_SECONDS = 1.0
_IDLE_SECONDS = 30.0
_MOST_SECONDS = 300.0
# A reading that takes long is not repeated soon: of all time a twentieth is read.
_READING_SHARE = 20


@dataclass(frozen=True)
class Heard:
    """A job or an outcome that is in the ledger, with what it adds to the counts.

    `since` is a moment before which it was not there, by the clock of whoever wrote it; of one timeline in a tally.
    """

    key: tuple[str, str]
    batch: str
    since: float
    adds: Counts


def heard_outcome(outcome: Outcome) -> Heard:
    """What an announced outcome says."""
    stored = outcome.status == "stored"
    adds = Counts(stored=stored, failed=not stored, duplicates=outcome.duplicate, damaged=bool(outcome.warnings))
    since = seconds_of(outcome.trace[-1].at) if outcome.trace else made_at(outcome.id)
    return Heard(("outcome", outcome.id), outcome.batch, since, adds)


def heard_job(record: Record) -> Heard | None:
    """What an activity record says of a job that was accepted; None when it is of something else."""
    image, batch, at = (str(record.get(name)) for name in ("image", "batch", "at"))
    if record.get("kind") != "accepted" or not is_uuid(image):
        return None
    # The record is made after the write. The id is older than that, unless a client with a fast clock made it.
    return Heard(("job", image), batch, min(made_at(image), seconds_of(at)), Counts(accepted=1))


def is_unclear(record: Record) -> bool:
    """Does it change the counts in a way that only a reading tells?"""
    return record.get("kind") in _UNCLEAR


def is_due(age_seconds: float, took_seconds: float, sure: bool, watched: bool) -> bool:
    """Is it time to read again, so long after a reading that took so long?

    >>> is_due(2, 0.01, sure=False, watched=True), is_due(2, 0.01, sure=True, watched=True)
    (True, False)
    """
    wanted = _LEAST_SECONDS if watched and not sure else _IDLE_SECONDS
    return age_seconds >= min(max(wanted, _READING_SHARE * took_seconds), _MOST_SECONDS)


@dataclass
class Tally:
    """The counts of one batch, or of everything."""

    most_heard: int = _MOST_HEARD
    is_sure: bool = False
    """Is there nothing heard that it may lack?"""
    _base: Counts = field(default_factory=Counts)
    _read_until: float = 0.0
    # Heard before a reading began, which therefore has it, and after that.
    _before: dict[tuple[str, str], Heard] = field(default_factory=dict)
    _after: dict[tuple[str, str], Heard] = field(default_factory=dict)
    _sum: dict[str, int] = field(default_factory=dict)

    def hear(self, heard: Heard, now: float) -> None:
        """Something is in the ledger. What is to happen only later was written by a clock that tells nothing."""
        if heard.key in self._before or heard.key in self._after:
            return
        if not self._read_until <= heard.since <= now or len(self._before) + len(self._after) >= self.most_heard:
            self.is_sure = False
        else:
            self._after[heard.key] = heard
            self._add(heard)

    def doubt(self) -> None:
        """Something happened that nobody heard, or not clearly."""
        self.is_sure = False

    def begin_reading(self) -> None:
        """What was heard until now is in the reading that begins now; whatever is doubted from now on may not be."""
        self._before |= self._after
        self._after = {}
        self.is_sure = True

    def read(self, counts: Counts, until: float) -> None:
        """A reading of the ledger that began when that was said, and ended at `until`."""
        heard = self._after
        self._base, self._read_until, self._before = counts, until, {}
        self._after = {key: item for key, item in heard.items() if item.since >= until}
        self._sum = {}
        for item in self._after.values():
            self._add(item)
        self.is_sure = self.is_sure and len(self._after) == len(heard)

    def reading(self) -> Counts:
        """The latest reading alone."""
        return self._base

    def counts(self) -> Counts:
        """The counts as far as they are known: outcomes of jobs that nobody heard of say that those were accepted."""
        known: Mapping[str, int] = self._base.model_dump()
        found = {name: value + self._sum.get(name, 0) for name, value in known.items()}
        accepted = max(found["accepted"], found["stored"] + found["failed"])
        return Counts(**{**found, "accepted": accepted})

    def _add(self, heard: Heard) -> None:
        for name, value in heard.adds.model_dump().items():
            if value:
                self._sum[name] = self._sum.get(name, 0) + value
