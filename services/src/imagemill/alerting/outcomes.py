"""Outcomes as events for other programs (CloudEvents 1.0, JSON), and who is told of which. Pure.

An event's id follows from the ledger alone: whoever makes it again makes the same, so that receivers know repetitions.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from imagemill.domain.deliveries import BATCH_COMPLETE, IMAGE_FAILED, IMAGE_STORED
from imagemill.domain.images import Counts, Image, Outcome

CloudEvent = dict[str, Any]
# The events to which each receiver has subscribed, by name.
Subscriptions = Mapping[str, Collection[str]]
CLOUD_EVENTS_JSON = "application/cloudevents+json; charset=utf-8"
_TYPES = "dev.imagemill."


def image_event_name(outcome: Outcome) -> str:
    """`image.stored` or `image.failed`."""
    return IMAGE_STORED if outcome.status == "stored" else IMAGE_FAILED


def image_event(image: Image, page_url: str) -> CloudEvent:
    """Tell how a picture ended; it must have its outcome.

    The status is part of the id: a CouchDB cluster whose nodes did not see each other may have taken two outcomes, and
    who was told of the one that went must hear of the one that stays.
    """
    job, outcome = image.job, image.outcome
    if outcome is None:
        raise ValueError(f"the picture {job.id} has no outcome yet")
    base = page_url.rstrip("/")
    address = f"{base}/api/v1/images/{job.id}"
    data = {
        "id": job.id, "batch": job.batch, "name": job.name, "recipe": job.recipe, "source": job.source,
        "retry_of": job.retry_of, "status": outcome.status, "duplicate": outcome.duplicate,
        "warnings": outcome.warnings, "code": outcome.code, "reason": outcome.reason,
        "original": job.original.model_dump(), "result": outcome.result.model_dump() if outcome.result else None,
        "url": address, "result_url": f"{address}/result" if outcome.result else None,
    }  # fmt: skip
    return _event(
        image_event_name(outcome), f"image:{job.id}:{outcome.status}", ended_at(image), base, f"images/{job.id}", data
    )


def batch_event(batch: str, counts: Counts, at: str, page_url: str) -> CloudEvent:
    """Tell that all pictures of a batch have ended; `at` is when the last one did.

    Pictures may be added to a batch at any time, and then it is complete once more: with more accepted, another id.
    """
    base = page_url.rstrip("/")
    data = {
        "batch": batch, "accepted": counts.accepted, "stored": counts.stored, "failed": counts.failed,
        "duplicates": counts.duplicates, "damaged": counts.damaged, "rejected": counts.rejected,
        "url": f"{base}/api/v1/batches/{quote(batch)}",
    }  # fmt: skip
    event_id = f"batch:{batch}:complete:{counts.accepted}"
    return _event(BATCH_COMPLETE, event_id, at, base, f"batches/{quote(batch)}", data)


def ended_at(image: Image) -> str:
    """When a picture's outcome was written, by the last step of its trace."""
    trace = image.outcome.trace if image.outcome else []
    return trace[-1].at if trace else image.job.accepted_at


def receivers_of(name: str, subscriptions: Subscriptions, asked: str | None) -> list[str]:
    """Who is told of an event: those with a standing subscription to it, and the one that the upload asked for."""
    subscribed = {receiver for receiver, names in subscriptions.items() if name in names}
    return sorted(subscribed | ({asked} if asked else set()))


def _event(name: str, event_id: str, at: str, source: str, subject: str, data: dict[str, Any]) -> CloudEvent:
    return {
        "specversion": "1.0", "id": event_id, "source": source, "type": _TYPES + name, "time": at, "subject": subject,
        "datacontenttype": "application/json", "data": data,
    }  # fmt: skip
