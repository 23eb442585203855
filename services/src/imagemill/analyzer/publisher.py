"""Telling a change of an event: its document with the pictures first, then the message. Both may be told again."""

import itertools
import threading
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from imagemill.concurrency.retry import pause_seconds
from imagemill.motion import EventChange
from imagemill.store.couch import Missing, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.store.months import month_at, month_of
from imagemill.wire.broker import Broker, BrokerUnavailable, Unroutable
from imagemill.wire.events import EventNews, event_message

log = structlog.get_logger(__name__)

EVENTS = Counter("imagemill_camera_events", "Changes of events that were told", ["kind", "change"])


class ShuttingDown(Exception):
    """The program ends before something could be told: what it is about is not acknowledged and comes again."""


class EventPublisher:
    """Waits for CouchDB and the broker as long as it takes; frames pile up in bounded queues meanwhile."""

    def __init__(self, events: EventStore, stopping: threading.Event) -> None:
        self._events, self._stopping = events, stopping

    def start(self, broker: Broker) -> None:
        """Where the news go."""
        self._broker = broker

    def tell(self, change: EventChange) -> None:
        """Stores and publishes; raises ShuttingDown."""
        for attempt in itertools.count(1):
            try:
                self._tell(change)
                EVENTS.labels(change.event.kind, change.change).inc()
                return
            except (StoreUnavailable, BrokerUnavailable, Unroutable) as error:
                log.warning("an event waits to be told", event=change.event.id, error=str(error))
            if self._stopping.wait(pause_seconds(attempt)):
                raise ShuttingDown

    def _tell(self, change: EventChange) -> None:
        event = change.event.as_dict()
        try:
            pictures = self._events.write(event, change.pictures)
        except Missing:
            if not _is_long_gone(change.event.started_at):
                raise
            log.warning("an event of a month whose database is gone is not stored", event=change.event.id)
            pictures = []
        self._broker.publish(event_message(EventNews(change.change, event, tuple(pictures))))


def _is_long_gone(started_at: float) -> bool:
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    return month_at(started_at) < month_of(last_month)
