"""Records as the API tells them."""

from typing import Any

from imagemill.api.images.failures import Failure
from imagemill.domain.failures import advice, failed_at
from imagemill.domain.images import Image, Rejection


def image(item: Image) -> dict[str, Any]:
    """A picture."""
    job, outcome = item.job, item.outcome
    return {
        "id": job.id,
        "batch": job.batch,
        "name": job.name,
        "recipe": job.recipe,
        "source": job.source,
        "priority": job.priority,
        "retry_of": job.retry_of,
        "callback": job.callback,
        "batch_callback": job.batch_callback,
        "status": item.status,
        "duplicate": bool(outcome and outcome.duplicate),
        "warnings": outcome.warnings if outcome else [],
        "code": outcome.code if outcome else None,
        "reason": outcome.reason if outcome else None,
        "accepted_at": job.accepted_at,
        "original": job.original.model_dump(),
        "result": outcome.result.model_dump() if outcome and outcome.result else None,
        "erasure": item.erasure.model_dump(exclude={"id", "batch"}) if item.erasure else None,
        "trace": [step.model_dump() for step in (outcome.trace if outcome else [job.accepted_step()])],
    }


def failure(item: Failure) -> dict[str, Any]:
    """A failed picture, where its failure stands, and what to do about it."""
    outcome, last = item.image.outcome, item.last_retry
    stage, worker = failed_at(outcome) if outcome else ("", "")
    return image(item.image) | {
        "failure_state": item.state,
        "stage": stage,
        "failed_by": worker,
        "tries": item.tries,
        "advice": advice(outcome.code if outcome else None),
        "resolution": item.resolution.model_dump(exclude={"id", "batch"}) if item.resolution else None,
        "last_retry": {"id": last.job.id, "status": last.status} if last else None,
    }


def rejection(item: Rejection) -> dict[str, Any]:
    """A picture refused at the door."""
    return item.model_dump()
