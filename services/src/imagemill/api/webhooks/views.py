"""Deliveries as the API tells them."""

from typing import Any

from pydantic import BaseModel

from imagemill.api.web.view_types import Time
from imagemill.domain.deliveries import DeliveryState, EventDelivery


class AttemptView(BaseModel):
    """A request to a receiver, and what it answered."""

    at: Time
    ok: bool
    status: int | None
    answer: str


class DeliveryView(BaseModel):
    """An event for one receiver. `next_at` is when it is tried again, `event` what the receiver gets."""

    id: str
    receiver: str
    state: DeliveryState
    next_at: Time | None
    reason: str
    attempts: list[AttemptView]
    event: dict[str, Any]


def delivery_view(delivery: EventDelivery) -> dict[str, Any]:
    """Show a delivery."""
    next_at = delivery.due_at if delivery.state == "waiting" else None
    return DeliveryView.model_validate(delivery.model_dump() | {"next_at": next_at}).model_dump()
