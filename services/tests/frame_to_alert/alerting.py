"""Events for the alerter, and what became of them."""

import time

from imagemill.domain.alerts import Alert
from imagemill.domain.events import Change, Event
from imagemill.store.alerts import AlertStore
from imagemill.wire.broker import Broker
from imagemill.wire.events import EventNews, event_message
from mill import wait_for

SECRET = "sixteen bytes and more"


def event(source: str, at: float | None = None, **changes: object) -> Event:
    started = at or time.time()
    return Event.parse({
        "id": f"{source}:{round(started * 1000)}", "source": source, "kind": "motion", "class": "alert",
        "started_at": started, "last_at": started + 1, "ended_at": None, "score": 0.9, "zones": [], "people": None,
        **changes,
    })  # fmt: skip


def tell(broker: Broker, *events: Event, change: Change = "new") -> None:
    broker.publish_all([event_message(EventNews(change, one)) for one in events])


def raised(book: AlertStore, count: int) -> list[Alert]:
    """Alerts by number, once there are that many."""
    wait_for(lambda: book.last() >= count, f"{count} alerts")
    return book.between(1, 1000)


def results(book: AlertStore, number: int) -> list[str]:
    return [attempt.sent.result for attempt in book.attempts(number) if attempt.sent]
