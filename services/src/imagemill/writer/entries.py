"""From deliveries to ledger entries: pure decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill.domain.ids import timestamp
from imagemill.domain.images import Job, KnownResult, Outcome, TraceStep
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.work import ClaimCheck, result_of, work_item, work_message

# After that with re-drive's patience: workers that die before they begin must not turn it in circles.
_REPUBLISHED_AT_ONCE = 3


@dataclass(frozen=True)
class OutcomeEntry:
    """A delivery which will become an outcome."""

    delivery: Delivery
    job: Job
    outcome: Outcome


def entry_of(delivery: Delivery) -> OutcomeEntry:
    """Reads a result; raises ValueError when it is none."""
    job, outcome = result_of(delivery)
    return OutcomeEntry(delivery, job, outcome)


def is_dead_letter(delivery: Delivery) -> bool:
    """Did the broker give a work message up?"""
    return "outcome" not in delivery.headers


def message_to_republish(delivery: Delivery, claims: ClaimCheck) -> Outgoing | None:
    """A dead letter on its way to the workers again; None when it went often enough and re-drive shall have it.

    That the broker gave it up is no verdict: its workers may have been away or stopped. Raises ValueError when it is
    no work message.
    """
    item = work_item(delivery)
    if item.redriven >= _REPUBLISHED_AT_ONCE:
        return None
    return work_message(item.job, None, claims, redriven=item.redriven + 1, suspicious=True)


def known_result(entry: OutcomeEntry) -> KnownResult | None:
    """What the ledger shall remember of a success."""
    if entry.outcome.result is None:
        return None
    result, warnings = entry.outcome.result, entry.outcome.warnings
    return KnownResult(key=entry.job.result_key, job=entry.job.id, result=result, warnings=warnings)


def final_outcome(entry: OutcomeEntry, known: Mapping[str, KnownResult], by: str) -> Outcome:
    """The outcome as it goes to the ledger: with its last mark; a duplicate points to the result that was first."""
    first = known.get(entry.job.result_key) if entry.outcome.result else None
    attempt = max((step.attempt for step in entry.outcome.trace), default=1)
    stored = TraceStep(step="stored", at=timestamp(), by=by, attempt=attempt)
    changes: dict[str, Any] = {"trace": [*entry.outcome.trace, stored]}
    if first is not None and first.job != entry.job.id:
        changes |= {"duplicate": True, "result": first.result}
    return entry.outcome.model_copy(update=changes)
