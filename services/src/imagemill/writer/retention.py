"""Retention: months that are over for long enough are dropped whole; pinned events are copied out first."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat
from imagemill.settings import Settings
from imagemill.store import activity_log
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.deliveries import KIND as DELIVERIES
from imagemill.store.events import KIND as EVENTS
from imagemill.store.events import EventStore, month_of_event
from imagemill.store.leases import Lease
from imagemill.store.months import Months, before, expired
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)

DROPPED = Counter("imagemill_months_dropped", "Databases of a month that were dropped", ["kind"])


class Retention:
    """A duty of one program at a time. What is not dropped now, because something went wrong, is dropped later."""

    def __init__(self, couch: Couch, lease: Lease, keep_months: Mapping[str, int], activity: Activity) -> None:
        self._couch, self._lease, self._keep, self._activity = couch, lease, keep_months, activity
        self._events, self._book = EventStore(couch), AlertStore(couch)

    def round(self, now: datetime | None = None) -> list[str]:
        """Drop what is due; returns the databases. Raises StoreUnavailable or Conflict."""
        now = now or datetime.now(UTC)
        if not self._lease.hold():
            return []
        due = {kind: self._due(kind, keep, now) for kind, keep in self._keep.items()}
        return [f"{kind}-{month}" for kind, month in due.items() if month and self._drop(kind, month)]

    def _due(self, kind: str, keep: int, now: datetime) -> str | None:
        """The oldest month that is over, one a round: a clock that is wrong must not empty everything at once.

        For the same reason time is also told by what was written last: where nothing new comes, only empty ones go.
        """
        months = Months(self._couch, kind)
        over = expired(months.there(), keep, now)
        newest = months.newest_written() if over else None
        return next(iter(before(over, keep, newest) if newest else over), None)

    def _drop(self, kind: str, month: str) -> bool:
        if kind == EVENTS:
            self._copy_pinned(month)
        # Copying takes time: only who still has the duty may drop. Held anew, so that the next month has time too.
        if not self._lease.held or not self._lease.hold():
            return False
        Months(self._couch, kind).database(month).delete()
        DROPPED.labels(kind).inc()
        self._activity.note("month-dropped", None, database=f"{kind}-{month}")
        log.info("a month is over and dropped", kind=kind, month=month)
        return True

    def _copy_pinned(self, month: str) -> None:
        """Copy out what is pinned. Raises StoreUnavailable when that cannot be: then the month stays."""
        for number, pin in self._book.pins().items():
            beat()
            if month_of_event(pin.event) == month and self._events.pin(pin.event):
                log.info("the pictures of a pinned alert are kept", number=number)


def retention_of(settings: Settings, couch: Couch, activity: Activity) -> Retention:
    """Build it as the settings say."""
    lease = Lease(couch, "retention", settings.instance, settings.lease_seconds)
    keep = {
        EVENTS: settings.retention_months_events,
        activity_log.KIND: settings.retention_months_activity,
        DELIVERIES: settings.retention_months_deliveries,
    }
    return Retention(couch, lease, keep, activity)
