"""What becomes of the delivery of an event: tried again, delivered, given up, sent again; and how a receiver is spared.

Pure. Pauses and the end of patience of one event are those of alerts (`retries`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.alerting.retries import MOST_RETRY_AFTER_SECONDS, RETRIED_STATUS, Attempt, pause_seconds, plan
from imagemill.domain.deliveries import DeliveryAttempt, EventDelivery

# What waited so long because its receiver was away all the time is given up: an outage of a day is not caught up by
# itself, but by whoever has mended it.
PATIENCE_SECONDS = 24 * 3600.0
# A receiver that is away is asked with one event at a time, at most this far apart unless it asks for more.
LONGEST_REST_SECONDS = 60.0
# Of attempts before an event was sent again only the last ones are kept.
_KEPT_ATTEMPTS = 10


def attempted(delivery: EventDelivery, attempt: DeliveryAttempt, chance: float) -> EventDelivery:
    """The delivery after one more attempt; `chance` from 0 to 1 is the jitter."""
    attempts = [*delivery.attempts, attempt]
    planned = plan([_plain(one) for one in attempts[delivery.attempts_before :]], attempt.at, chance)
    if planned.result == "sent":
        return _with(delivery, attempts, "delivered", attempt.at, "")
    if planned.result == "given_up":
        return _with(delivery, attempts, "failed", attempt.at, planned.reason)
    return _with(delivery, attempts, "waiting", planned.next_at or attempt.at, planned.reason)


def expired(delivery: EventDelivery, now: float) -> EventDelivery | None:
    """The delivery, given up since its receiver was away for too long; None while it may still be tried."""
    if now - delivery.due_at <= PATIENCE_SECONDS:
        return None
    hours = PATIENCE_SECONDS / 3600
    return _with(delivery, delivery.attempts, "failed", now, f"the receiver took nothing for {hours:.0f} hours")


def sent_again(delivery: EventDelivery, now: float) -> EventDelivery:
    """The delivery, to be tried as if it were new; what was tried before stays written down."""
    kept = delivery.attempts[-_KEPT_ATTEMPTS:]
    update = {"state": "waiting", "due_at": now, "attempts": kept, "attempts_before": len(kept), "reason": "sent again"}
    return delivery.model_copy(update=update)


@dataclass(frozen=True)
class ReceiverHealth:
    """How often in a row a receiver took nothing, and until when it is left alone."""

    failures: int = 0
    rests_until: float = 0.0

    @property
    def is_suspected(self) -> bool:
        """Is it asked with one event, and not with many?"""
        return self.failures > 0

    def after(self, attempts: Sequence[DeliveryAttempt], now: float, chance: float) -> "ReceiverHealth":
        """After a round of attempts: a receiver that refuses an event for good is there all the same."""
        if not attempts or any(one.ok or _is_refusal(one) for one in attempts):
            return ReceiverHealth()
        asked = max((one.retry_after_seconds or 0.0 for one in attempts), default=0.0)
        own = min(pause_seconds(self.failures + 1, chance), LONGEST_REST_SECONDS)
        return ReceiverHealth(self.failures + 1, now + max(own, min(asked, MOST_RETRY_AFTER_SECONDS)))


def _is_refusal(attempt: DeliveryAttempt) -> bool:
    return attempt.status is not None and 400 <= attempt.status < 500 and attempt.status not in RETRIED_STATUS


def _plain(attempt: DeliveryAttempt) -> Attempt:
    return Attempt(attempt.at, attempt.ok, attempt.status, attempt.retry_after_seconds)


def _with(
    delivery: EventDelivery, attempts: Sequence[DeliveryAttempt], state: str, due_at: float, reason: str
) -> EventDelivery:
    update = {"attempts": list(attempts), "state": state, "due_at": due_at, "reason": reason}
    return delivery.model_copy(update=update)
