"""Telling a change of an event: its document with the pictures first, then the message. Both may be told again."""

import threading
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from imagemill.concurrency.retry import until
from imagemill.motion import EventChange
from imagemill.store.couch import Missing, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.store.months import month_at, month_of
from imagemill.wire.broker import Broker, BrokerUnavailable, Unroutable
from imagemill.wire.events import EventNews, event_message

log = structlog.get_logger(__name__)

EVENTS = Counter("imagemill_camera_events", "Changes of events that were told", ["kind", "change"])
_PASSING = (StoreUnavailable, BrokerUnavailable, Unroutable)


class EventPublisher:
    """Waits for CouchDB and the broker as long as it takes; frames pile up in bounded queues meanwhile."""

    def __init__(self, events: EventStore, broker: Broker, stopping: threading.Event) -> None:
        self._events, self._broker, self._stopping = events, broker, stopping

    def tell(self, change: EventChange) -> None:
        """Stores and publishes; raises Stopped, then the frames of the event come again."""
        until(lambda: self._tell(change), self._stopping, on=_PASSING, what=f"event {change.event.id} waits to be told")
        EVENTS.labels(change.event.kind, change.change).inc()

    def _tell(self, change: EventChange) -> None:
        try:
            pictures = self._events.write(change.event, change.pictures)
        except Missing:
            if not _is_long_gone(change.event.started_at):
                raise
            log.warning("an event of a month whose database is gone is not stored", event=change.event.id)
            pictures = []
        self._broker.publish(event_message(EventNews(change.change, change.event, tuple(pictures))))


def _is_long_gone(started_at: float) -> bool:
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    return month_at(started_at) < month_of(last_month)
