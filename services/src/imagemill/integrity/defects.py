"""What can be wrong with a ledger and its blobs, judged without any I/O."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.domain.images import Job, KnownResult, Outcome

_MOST_EXAMPLES = 20
_COUNTED = ("jobs", "stored", "failed", "in_flight", "erased", "blobs", "orphans", "blobs_read", "bytes_read")

KINDS: Mapping[str, str] = {
    "two-versions": "CouchDB's nodes have two versions of it; `imagemill repair` keeps one",
    "outcome-without-job": "an outcome of a job which the ledger has not",
    "outcome-contradicts": "an outcome that contradicts itself, its job, or the known result",
    "original-missing": "the bytes of an accepted picture are gone",
    "result-missing": "the bytes of a stored result are gone; `imagemill repair` makes them again of the original",
    "bytes-differ": "a blob's bytes are not those of its name; `imagemill repair` makes them again if it can",
    "forgotten": "in flight, but before the watermark, where re-drive looks once a day; `imagemill repair` lowers it",
    "counts-differ": "the totals are not what was counted one by one",
}


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong; `subject` is the id of a picture or a blob."""

    kind: str
    subject: str
    detail: str = ""


@dataclass
class Report:
    """What was counted, one by one, and what is wrong. `orphans`: blobs which nothing needs; they cost space only."""

    jobs: int = 0
    stored: int = 0
    failed: int = 0
    in_flight: int = 0
    erased: int = 0
    blobs: int = 0
    orphans: int = 0
    blobs_read: int = 0
    bytes_read: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[Defect] = field(default_factory=list)

    def note(self, defect: Defect) -> None:
        """Count it, and keep it as an example while there are few of its kind."""
        if self.wrong[defect.kind] < _MOST_EXAMPLES:
            self.examples.append(defect)
        self.wrong[defect.kind] += 1

    @property
    def sound(self) -> bool:
        """Is nothing wrong?"""
        return not self.wrong

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        examples = [{"kind": item.kind, "subject": item.subject, "detail": item.detail} for item in self.examples]
        counts = {name: getattr(self, name) for name in _COUNTED}
        return {"sound": self.sound, "counted": counts, "wrong": dict(self.wrong), "examples": examples}


def contradictions(job: Job, outcome: Outcome, known: KnownResult | None) -> Iterator[str]:
    """What does not fit together, as sentences."""
    if (outcome.batch, outcome.recipe) != (job.batch, job.recipe):
        yield "the outcome names another batch or recipe than its job"
    if outcome.status == "stored" and outcome.result is None:
        yield "it is stored, but there is no result"
    if outcome.status == "failed" and outcome.result is not None:
        yield "it is failed, but there is a result"
    if outcome.result and known is None:
        yield "it is stored, but its result is not known to later pictures"
    if outcome.duplicate and outcome.result and known and known.result.sha256 != outcome.result.sha256:
        yield "it is a duplicate, but its result is not that of the first"
    if outcome.result and known and known.job == job.id and known.result.sha256 != outcome.result.sha256:
        yield "the known result names this picture, but has other bytes"
