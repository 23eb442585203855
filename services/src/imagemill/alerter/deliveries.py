"""Where an alert's messages stand, from its documents. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.alerting.records import tried
from imagemill.alerting.retries import Attempt
from imagemill.domain.alerts import Alert, AlertAttempt

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


def delivery_statuses(alert: Alert, attempts: Sequence[AlertAttempt]) -> list[DeliveryStatus]:
    """Of every channel that the alert's rules name; `attempts` are those which were begun or sent."""
    return [_delivery_status(alert, channel, attempts) for channel in alert.channels]


def _delivery_status(alert: Alert, channel: str, attempts: Sequence[AlertAttempt]) -> DeliveryStatus:
    own = sorted((one for one in attempts if one.channel == channel), key=lambda one: one.attempt)
    sent = [one.sent for one in own if one.sent]
    begun = [one.begun for one in own if one.begun]
    number, made = alert.number, tuple(tried(sent))
    if sent and sent[-1].result != "failed":
        return DeliveryStatus(number, channel, made, None)
    if len(begun) > len(sent):
        last = max(one.at for one in begun)
        return DeliveryStatus(number, channel, made, last + INTERRUPTED_SECONDS, interrupted=True)
    due_at = sent[-1].next_at if sent else alert.at
    return DeliveryStatus(number, channel, made, due_at)
