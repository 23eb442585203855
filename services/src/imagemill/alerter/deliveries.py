"""Where an alert's messages stand, from its documents. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.alerting.records import attempts_of
from imagemill.alerting.retries import Attempt

# An attempt that was begun this long ago and has no result was cut off: an attempt takes at most half a minute.
INTERRUPTED_SECONDS = 120.0


@dataclass(frozen=True)
class DeliveryStatus:
    """One channel of one alert. `due_at` is None when there is nothing more to do."""

    number: int
    channel: str
    attempts: tuple[Attempt, ...]
    due_at: float | None
    interrupted: bool = False

    @property
    def next_attempt(self) -> int:
        """The number of the attempt that is due, or that was cut off."""
        return len(self.attempts) + 1


def delivery_statuses(alert: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]) -> list[DeliveryStatus]:
    """Of every channel that the alert's rules name; `documents` are what was begun and sent."""
    return [_delivery_status(alert, channel, documents) for channel in alert["channels"]]


def _delivery_status(alert: Mapping[str, Any], channel: str, documents: Sequence[Mapping[str, Any]]) -> DeliveryStatus:
    own = [document for document in documents if document["channel"] == channel]
    sent = sorted((d for d in own if d["type"] == "sent"), key=lambda d: str(d["_id"]))
    begun = [document for document in own if document["type"] == "begun"]
    number, attempts = int(alert["number"]), tuple(attempts_of(sent))
    if sent and sent[-1]["result"] != "failed":
        return DeliveryStatus(number, channel, attempts, None)
    if len(begun) > len(sent):
        last = max(float(document["at"]) for document in begun)
        return DeliveryStatus(number, channel, attempts, last + INTERRUPTED_SECONDS, interrupted=True)
    return DeliveryStatus(number, channel, attempts, float(sent[-1]["next_at"]) if sent else float(alert["at"]))
