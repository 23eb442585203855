"""Deliveries of outcome events: what is to be told to which receiver, and how that went."""

from typing import Any, Literal

from pydantic import Field

from imagemill.domain.record import Record

IMAGE_STORED, IMAGE_FAILED, BATCH_COMPLETE = "image.stored", "image.failed", "batch.complete"
OUTCOME_EVENTS = (IMAGE_STORED, IMAGE_FAILED, BATCH_COMPLETE)
DeliveryState = Literal["waiting", "delivered", "failed"]
DELIVERY_STATES: tuple[DeliveryState, ...] = ("waiting", "delivered", "failed")


class DeliveryAttempt(Record):
    """One request to a receiver; `status` is None when there was no answer."""

    at: float
    ok: bool
    status: int | None = None
    retry_after_seconds: float | None = None
    answer: str = ""


class EventDelivery(Record):
    """One event for one receiver. The event is kept as it is sent: the same bytes with every attempt.

    `due_at` is when it is tried next, or was given up. `attempts_before` are those of before somebody sent it again.
    """

    id: str
    receiver: str
    event: dict[str, Any]
    state: DeliveryState = "waiting"
    due_at: float
    attempts: list[DeliveryAttempt] = Field(default_factory=list)
    attempts_before: int = 0
    reason: str = ""


def delivery_id(filed_at: str, receiver: str, event_id: str) -> str:
    """The same for every repetition of an event, and ids sort by time; `filed_at` is RFC 3339."""
    return f"{filed_at}:{receiver}:{event_id}"


def month_of_delivery(identifier: str) -> str:
    """The month in whose database it is."""
    return identifier[:7]
