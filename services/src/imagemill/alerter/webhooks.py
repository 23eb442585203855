"""Tells receivers of outcomes: one alerter at a time reads the ledger and sends; another takes over when it dies."""

import time
from collections.abc import Sequence

from imagemill.alerter.batches import Batches
from imagemill.alerter.channels import Channels
from imagemill.alerter.event_sender import EventSender
from imagemill.alerter.outbox import Outbox, filed
from imagemill.alerting.outcomes import CloudEvent
from imagemill.concurrency.loop import Loop
from imagemill.settings import Settings
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.deliveries import DeliveryStore
from imagemill.store.leases import Lease
from imagemill.store.ledger import Ledger
from imagemill.store.webhook_state import WebhookState

_TURN_SECONDS = 1.0
_RENEWALS = 4


class Webhooks:
    """A thread that reads the ledger, and those that send. An alerter without the lease does nothing of it."""

    def __init__(self, settings: Settings, couch: Couch, channels: Channels) -> None:
        ledger, state = Ledger(couch), WebhookState(couch)
        self._deliveries = DeliveryStore(couch)
        self._lease = Lease(couch, "webhooks", settings.instance, settings.lease_seconds)
        self._renew_seconds = settings.lease_seconds / _RENEWALS
        self._batches = Batches(state, ledger, self._tell, settings.batch_quiet_seconds, settings.page_url)
        self._outbox = Outbox(state, ledger, self._deliveries, channels, self._batches, settings.page_url)
        self._sender = EventSender(self._deliveries, channels, lambda: self._lease.held)
        self._is_ours, self._renewed_at = False, float("-inf")
        self._loop = Loop(
            "webhooks", self._turn, every_seconds=_TURN_SECONDS, at_end=self._lease.release,
            passing=(StoreUnavailable, Conflict),
        )  # fmt: skip
        self.start, self.begin = self._loop.start, self._outbox.begin

    def close(self, timeout_seconds: float) -> bool:
        """End; what is being sent is finished and recorded."""
        self._sender.close()
        return self._loop.close(timeout_seconds)

    def _turn(self) -> None:
        if not self._outbox.has_begun() or not self._holds():
            self._is_ours = False
            self._sender.forget()
            return
        if not self._is_ours:
            self._outbox.load()
            self._batches.load()
        # Whatever goes wrong, another alerter may have been at it: then all is loaded anew.
        self._is_ours = False
        new = self._outbox.turn() + self._batches.turn()
        self._is_ours = True
        self._sender.turn(is_new=bool(new))

    def _holds(self) -> bool:
        now = time.monotonic()
        if self._lease.held and now - self._renewed_at < self._renew_seconds:
            return True
        self._renewed_at = now
        return self._lease.hold()

    def _tell(self, events: Sequence[tuple[CloudEvent, Sequence[str]]]) -> int:
        return self._deliveries.add(filed(events, time.time()))
