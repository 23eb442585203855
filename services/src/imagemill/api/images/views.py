"""Records as the API tells them."""

from typing import Any

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
        "status": item.status,
        "duplicate": bool(outcome and outcome.duplicate),
        "code": outcome.code if outcome else None,
        "reason": outcome.reason if outcome else None,
        "accepted_at": job.accepted_at,
        "original": job.original.model_dump(),
        "result": outcome.result.model_dump() if outcome and outcome.result else None,
        "trace": [step.model_dump() for step in (outcome.trace if outcome else [job.accepted_step()])],
    }


def rejection(item: Rejection) -> dict[str, Any]:
    """A picture refused at the door."""
    return item.model_dump()
