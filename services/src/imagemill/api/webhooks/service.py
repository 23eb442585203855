"""What can be done with deliveries: list them, and send again those that were given up. It knows no HTTP."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.alerting.outbox import sent_again
from imagemill.api.access.audit import Recorder
from imagemill.domain.channel_names import is_channel_name
from imagemill.domain.deliveries import DELIVERY_STATES, DeliveryState, EventDelivery
from imagemill.domain.errors import AlreadyExists, Invalid, NotFound
from imagemill.store.deliveries import DeliveryPage, DeliveryStore, StoredDelivery

MAX_AT_ONCE = 500
_ID = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]{8,15}Z:[a-z0-9-]{1,40}:[A-Za-z0-9._:-]{1,200}")


@dataclass
class ResendReport:
    """The deliveries that are sent again, and why the others are not (code and sentence)."""

    retried: list[str] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DeliveryService:
    """Every method may raise StoreUnavailable."""

    store: DeliveryStore
    record: Recorder

    def page(self, limit: int, after: str | None, state: str | None, receiver: str) -> DeliveryPage:
        """Deliveries, newest event first; raises Invalid."""
        if receiver and not is_channel_name(receiver):
            raise Invalid("bad-value", f"{receiver!r} cannot be the name of a receiver.", "receiver")
        return self.store.page(limit, after, state_of(state), receiver)

    def one(self, identifier: str) -> EventDelivery:
        """One delivery; raises NotFound."""
        return self._stored(identifier).delivery

    def send_again(self, identifier: str) -> None:
        """Send one again that was given up; raises NotFound, or AlreadyExists for one that was not."""
        report = self._send([self._stored(identifier)])
        if refusal := report.refused.get(identifier):
            raise AlreadyExists(*refusal)

    def send_all_again(self, identifiers: Sequence[str]) -> ResendReport:
        """Send those again that were given up."""
        found = {one: self.store.get(one) for one in dict.fromkeys(identifiers) if is_delivery_id(one)}
        report = self._send([stored for stored in found.values() if stored])
        unknown = [one for one in identifiers if found.get(one) is None]
        report.refused |= {one: ("unknown-delivery", _unknown(one)) for one in unknown}
        return report

    def send_failed_again(self, receiver: str) -> ResendReport:
        """Send the newest again that were given up, of one receiver or (with '') of all; at most MAX_AT_ONCE."""
        if receiver and not is_channel_name(receiver):
            raise Invalid("bad-value", f"{receiver!r} cannot be the name of a receiver.", "receiver")
        return self._send(self.store.of_state("failed", receiver, MAX_AT_ONCE))

    def _send(self, wanted: Sequence[StoredDelivery]) -> ResendReport:
        now, report = time.time(), ResendReport()
        failed = [one for one in wanted if one.delivery.state == "failed"]
        done = self.store.change([StoredDelivery(sent_again(one.delivery, now), one.revision) for one in failed])
        for delivery in (one.delivery for one in wanted):
            if delivery.id in done:
                report.retried.append(delivery.id)
            else:
                state = delivery.state if delivery.state != "failed" else "changed at this moment"
                report.refused[delivery.id] = (
                    "not-given-up", f"Only what was given up is sent again; this one is {state}.",
                )  # fmt: skip
        if report.retried:
            self.record("deliveries.retry", report.retried[0], after={"deliveries": len(report.retried)})
        return report

    def _stored(self, identifier: str) -> StoredDelivery:
        stored = self.store.get(identifier) if is_delivery_id(identifier) else None
        if stored is None:
            raise NotFound("unknown-delivery", _unknown(identifier))
        return stored


def state_of(text: str | None) -> DeliveryState | None:
    """The state of that name, None for all; raises Invalid."""
    found = next((one for one in DELIVERY_STATES if one == text), None)
    if text and found is None:
        known = ", ".join(DELIVERY_STATES)
        raise Invalid("bad-value", f"There is no state {text!r} of deliveries; there are {known}.", "state")
    return found


def is_delivery_id(text: str) -> bool:
    """Has it the form of a delivery's id?"""
    return _ID.fullmatch(text) is not None


def _unknown(identifier: str) -> str:
    return f"There is no delivery {identifier[:300]!r}, or not any more."
