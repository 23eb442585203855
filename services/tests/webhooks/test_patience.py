"""What waited for long is given up because its receiver takes nothing, and never because nobody sent."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.alerter.event_sender import EventSender
from imagemill.alerting.outbox import PATIENCE_SECONDS
from imagemill.domain.deliveries import EventDelivery
from imagemill.store.deliveries import StoredDelivery
from mill import wait_for


class Waiting:
    """Deliveries that are due, and what became of them."""

    def __init__(self, *due: EventDelivery) -> None:
        self.open = {one.id: one for one in due}
        self.changed: list[EventDelivery] = []

    def waiting(self) -> dict[str, int]:
        return {"shop": len(self.open)}

    def failed(self) -> dict[str, int]:
        return {}

    def due(self, _: str, now: float, __: int) -> list[StoredDelivery]:
        return [StoredDelivery(one, "1-a") for one in self.open.values() if one.due_at <= now]

    def change(self, changed: list[StoredDelivery]) -> None:
        for one in changed:
            self.changed.append(one.delivery)
            self.open[one.delivery.id] = one.delivery


@pytest.fixture
def overdue() -> EventDelivery:
    return EventDelivery(id="one", receiver="shop", event={"id": "e"}, due_at=time.time() - PATIENCE_SECONDS - 60)


def test_what_waited_while_no_alerter_ran_is_tried_before_it_is_given_up(overdue: EventDelivery) -> None:
    deliveries, channels = Waiting(overdue), SimpleNamespace(get=lambda _: None, secrets=list, receivers=list)
    sender = EventSender(cast(Any, deliveries), cast(Any, channels), lambda: True)
    try:
        sender.turn(is_new=True)
        (tried,) = wait_for(lambda: deliveries.changed, "an attempt", 10)
        assert (tried.state, len(tried.attempts)) == ("waiting", 1)
    finally:
        sender.close()
