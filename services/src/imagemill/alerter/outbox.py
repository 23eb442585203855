"""Reads the ledger's outcomes, and writes down what is to be told to whom, before it goes on to the next.

The ledger is the truth: nothing depends on a message of the broker's. What was written down and not marked as read,
since the alerter died in between, is written again under the same ids, and is there already.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from imagemill.alerter.batches import Batches
from imagemill.alerter.channels import Channels
from imagemill.alerting.outcomes import CloudEvent, image_event, image_event_name, receivers_of
from imagemill.concurrency.heartbeat import beat
from imagemill.domain.deliveries import EventDelivery, delivery_id, month_of_delivery
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Image
from imagemill.store.couch import Unstorable
from imagemill.store.deliveries import DeliveryStore
from imagemill.store.ledger import Ledger
from imagemill.store.months import months_about
from imagemill.store.webhook_state import WebhookState

log = structlog.get_logger(__name__)
UNTOLD = Counter("imagemill_webhook_outcomes_too_old", "Outcomes not told, since they were too old when they were read")
_PAGE = 1000
_PAGES_PER_TURN = 5
_LOOK_SECONDS = 10.0
_BEGINNING = "0"


def filed(events: Iterable[tuple[CloudEvent, Sequence[str]]], now: float) -> list[EventDelivery]:
    """The deliveries of events to receivers, each in the month of its event.

    One from before last month is nobody's news any more: CouchDB has sent us to an earlier place of the ledger, or no
    alerter ran for so long. One of a month to come (a clock was wrong) goes into that of now.
    """
    months = months_about(datetime.fromtimestamp(now, UTC))
    found: list[EventDelivery] = []
    for event, receivers in events:
        at = str(event["time"])
        if month_of_delivery(at) < months[0]:
            UNTOLD.inc(len(receivers))
            continue
        filed_at = at if month_of_delivery(at) in months else timestamp(now)
        found += [
            EventDelivery(id=delivery_id(filed_at, one, event["id"]), receiver=one, event=event, due_at=now)
            for one in receivers
        ]
    return found


class Outbox:
    """Used by the one thread of the alerter that has the lease; `begin` by another one."""

    def __init__(
        self, state: WebhookState, ledger: Ledger, deliveries: DeliveryStore, channels: Channels, batches: Batches,
        page_url: str,
    ) -> None:  # fmt: skip
        self._state, self._ledger, self._deliveries = state, ledger, deliveries
        self._channels, self._batches, self._page_url = channels, batches, page_url
        self._has_begun, self._looked_at = False, float("-inf")
        self._since: str | None = None

    def begin(self) -> None:
        """Read from now on, once there is anybody to tell. Comes before uploads may name a receiver."""
        if self._channels.receivers() and not self._has_begun:
            self._state.begin_at(self._ledger.sequence())
            self._has_begun = True

    def has_begun(self) -> bool:
        """Was there ever anybody to tell? Without that nothing costs anything."""
        if not self._has_begun and time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._has_begun = self._state.cursor() is not None
        return self._has_begun

    def load(self) -> None:
        """Go on where the last alerter ended."""
        since = self._state.cursor()
        # A bare number, of the stand-in, does not say of which database it is: this one may be restored.
        if since and since.isdigit() and int(since) > int(self._ledger.sequence().partition("-")[0]):
            since = _BEGINNING
        self._since = since

    def turn(self) -> int:
        """Go on where it ended, some pages far; returns how many deliveries are new.

        Raises StoreUnavailable, or Conflict when another alerter does the same: then `load` comes first.
        """
        new = 0
        if not self._channels.are_known():
            return new  # whoever has subscribed is not known yet
        for _ in range(_PAGES_PER_TURN):
            beat()
            images, following, count = self._ended_since(self._since or _BEGINNING)
            if count:
                new += self._write_down(images)
                self._state.move_to(following)
                self._since = following
            if count < _PAGE:
                break
        return new

    def _ended_since(self, since: str) -> tuple[list[Image], str, int]:
        try:
            return self._ledger.ended_since(since, _PAGE)
        except Unstorable:
            # What was told before has its ids: reading it again costs time and nothing else.
            log.exception("CouchDB does not know where the ledger was read to; it is read from the beginning")
            return self._ledger.ended_since(_BEGINNING, _PAGE)

    def _write_down(self, images: Sequence[Image]) -> int:
        now, subscriptions = time.time(), self._channels.subscriptions()
        events = []
        for image in images:
            name = image_event_name(image.outcome) if image.outcome else ""
            receivers = receivers_of(name, subscriptions, image.job.callback)
            if receivers:
                events.append((image_event(image, self._page_url), receivers))
        new = self._deliveries.add(filed(events, now))
        self._batches.note(images, subscriptions, now)
        return new
