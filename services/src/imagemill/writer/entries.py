"""From deliveries to ledger entries: pure decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.domain.ids import timestamp
from imagemill.domain.images import Job, KnownResult, Outcome, TraceStep
from imagemill.wire.broker import Delivery
from imagemill.wire.work import result_of, work_item


@dataclass(frozen=True)
class OutcomeEntry:
    """A delivery which will become an outcome."""

    delivery: Delivery
    job: Job
    outcome: Outcome


def entry_of(delivery: Delivery, by: str) -> OutcomeEntry:
    """Reads a result or a dead letter; raises ValueError when it is neither."""
    if "outcome" in delivery.headers:
        job, outcome = result_of(delivery)
        return OutcomeEntry(delivery, job, outcome)
    job = work_item(delivery).job
    return OutcomeEntry(delivery, job, dead_letter_outcome(job, delivery.headers, by))


def dead_letter_outcome(job: Job, headers: Mapping[str, Any], by: str) -> Outcome:
    """A picture which was delivered too often has failed, and the broker's own record says how."""
    deaths: Sequence[Mapping[str, Any]] = headers.get("x-death") or [{}]
    reason, queue = str(deaths[0].get("reason", "unknown")), str(deaths[0].get("queue", "a work queue"))
    attempts = int(headers.get("x-delivery-count", 0)) or None
    return Outcome(
        id=job.id, batch=job.batch, recipe=job.recipe, status="failed",
        code="delivery-limit" if reason == "delivery_limit" else f"dead-letter-{reason.replace('_', '-')}",
        reason=_dead_letter_reason(reason, queue, attempts),
        trace=[job.accepted_step(), TraceStep(step="done", at=timestamp(), by=by, attempt=attempts or 1)],
    )  # fmt: skip


def known_result(entry: OutcomeEntry) -> KnownResult | None:
    """What the ledger shall remember of a success."""
    if entry.outcome.result is None:
        return None
    return KnownResult(key=entry.job.result_key, job=entry.job.id, result=entry.outcome.result)


def final_outcome(entry: OutcomeEntry, known: Mapping[str, KnownResult], by: str) -> Outcome:
    """The outcome as it goes to the ledger: with its last mark; a duplicate points to the result that was first."""
    first = known.get(entry.job.result_key) if entry.outcome.result else None
    attempt = max((step.attempt for step in entry.outcome.trace), default=1)
    stored = TraceStep(step="stored", at=timestamp(), by=by, attempt=attempt)
    changes: dict[str, Any] = {"trace": [*entry.outcome.trace, stored]}
    if first is not None and first.job != entry.job.id:
        changes |= {"duplicate": True, "result": first.result}
    return entry.outcome.model_copy(update=changes)


def _dead_letter_reason(reason: str, queue: str, attempts: int | None) -> str:
    if reason == "delivery_limit":
        often = f"{attempts} times" if attempts else "too often"
        return f"every worker that got it from {queue} died or gave up ({often}); see the workers' logs, then retry it"
    return f"the broker gave it up in {queue}: {reason.replace('_', ' ')}"
