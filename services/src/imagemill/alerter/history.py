"""The alerts which rules look back on, kept in memory and continued from the book before every judgement."""

from collections.abc import Sequence

from imagemill.alerting.judge import AlertHistory, history_seconds
from imagemill.domain.alerts import Alert
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.snoozes import Snoozes

# As far back as an alert that nobody has acknowledged keeps the next ones of its camera back.
UNACKNOWLEDGED_SECONDS = 30 * 86_400.0
MOST_ALERTS = 2000
_PAGE = 200


class Lookback:
    """At most the newest 2000 alerts: a limit above that within one period is not kept exactly."""

    def __init__(self, book: AlertStore, snoozes: Snoozes) -> None:
        self._book, self._snoozes = book, snoozes
        self._alerts: list[Alert] = []
        self._since = float("inf")

    @property
    def last_number(self) -> int:
        """A number known to exist, or 0."""
        return self._alerts[-1].number if self._alerts else 0

    def history(self, rules: Sequence[Rule], now: float) -> AlertHistory:
        """What judging by these rules asks for."""
        waits = any(rule.until_acknowledged for rule in rules)
        since = now - max(history_seconds(rules), UNACKNOWLEDGED_SECONDS if waits else 0.0)
        self._continue(since)
        recent = [alert for alert in self._alerts if alert.at >= since]
        # Others may have been acknowledged since, so this is asked anew each time, if a rule asks for it at all.
        alerts = self._book.past(recent) if waits else self._book.past_unasked(recent)
        return AlertHistory(alerts, [named.snooze for named in self._snoozes.lasting(now)])

    def _continue(self, since: float) -> None:
        if since < self._since:
            self._alerts, self._since = self._back_to(since), since
        while self._alerts or self._book.last() > 0:
            fresh = self._book.between(self.last_number + 1, _PAGE)
            self._alerts = (self._alerts + fresh)[-MOST_ALERTS:]
            if len(fresh) < _PAGE:
                return

    def _back_to(self, since: float) -> list[Alert]:
        found: list[Alert] = []
        below: int | None = None
        while len(found) < MOST_ALERTS:
            page = self._book.newest(_PAGE, below)
            found += page.alerts
            below = page.next
            if below is None or page.alerts[-1].at < since:
                break
        return found[::-1]
