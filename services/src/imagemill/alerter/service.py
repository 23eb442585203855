"""What happens to one change of an event: it is judged, and becomes an alert with the next number, or is suppressed."""

import time

import structlog
from prometheus_client import Counter

from imagemill.alerter.history import Lookback
from imagemill.alerting.judge import Verdict, candidate_of, judge
from imagemill.alerting.records import raised_alert, suppression
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch, Missing
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from imagemill.store.snoozes import Snoozes
from imagemill.wire.activity import Activity
from imagemill.wire.events import EventNews

log = structlog.get_logger(__name__)

ALERTS = Counter("imagemill_alerts", "Alerts raised", ["kind"])
HELD = Counter("imagemill_alerts_held_back", "Judgements that held an event back", ["reason"])


class AlertService:
    """Everything it does may be done again: after a kill the same change comes again and gives the same number."""

    def __init__(self, couch: Couch, activity: Activity | None = None) -> None:
        self._book, self._rules, self._events = AlertStore(couch), RuleStore(couch), EventStore(couch)
        self._lookback = Lookback(self._book, Snoozes(couch))
        self._activity = activity

    def consider(self, news: EventNews) -> int | None:
        """The number of the alert that the event is, None when it was suppressed. Raises StoreUnavailable."""
        event_id = news.event.id
        known = self._book.numbers_of([event_id]).get(event_id)
        if known is not None:
            return known
        now = time.time()
        rules = self._rules.all()
        verdict = judge(candidate_of(news.event), rules, self._lookback.history(rules, now), now)
        if verdict.outcome == "alert":
            return self._raise(news, verdict, now)
        self._hold_back(news, verdict, now)
        return None

    def _raise(self, news: EventNews, verdict: Verdict, now: float) -> int:
        event = news.event
        number = self._book.add(raised_alert(event, verdict, now), self._lookback.last_number)
        log.info("alert", number=number, camera=event.source, kind=event.kind, rules=verdict.rules)
        ALERTS.labels(event.kind).inc()
        if self._activity:
            self._activity.note("alert", None, number=str(number), camera=event.source)
        return number

    def _hold_back(self, news: EventNews, verdict: Verdict, now: float) -> None:
        event, code = news.event, str(verdict.code)
        HELD.labels(code).inc()
        try:
            self._events.note_suppressed(suppression(event, verdict, now))
        except Missing:
            log.warning("suppressed, and not noted: the event's month has no database", event=event.id, reason=code)
