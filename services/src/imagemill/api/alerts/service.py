"""What the routes about alerts share: reading alerts with all that is known of them, and what people do to them."""

import time
from dataclasses import dataclass
from typing import Any

from imagemill.alerting.judge import Snooze
from imagemill.api.access.permissions import EVERYBODY, principal
from imagemill.api.alerts.views import Acknowledged, AlertView, WholeAlert, alert_view, seen, whole_alert
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.alerts import Alert
from imagemill.store.alerts import AlertStore
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from imagemill.store.snoozes import LONGEST_SECONDS, Snoozes

Json = dict[str, Any]
SOMEBODY = "somebody"
_MOST_NAME = 100
_MOST_SCANNED = 2000
_SCAN = 200


@dataclass(frozen=True)
class AlertStores:
    """The stores."""

    book: AlertStore
    rules: RuleStore
    snoozes: Snoozes
    events: EventStore


def alert_stores() -> AlertStores:
    """Of the running app."""
    couch = services().stores.couch
    return AlertStores(AlertStore(couch), RuleStore(couch), Snoozes(couch), EventStore(couch))


# --- reading --------------------------------------------------------------------------------------


def alert_of(found: AlertStores, number: int) -> Alert:
    """The alert of a number; raises Problem."""
    alert = found.book.alert(number)
    if alert is None:
        last = found.book.last()
        known = f"the last one is {last}" if last else "there has been none yet"
        raise Problem(404, "unknown-alert", f"There is no alert {number}; {known}.")
    return alert


def whole(found: AlertStores, number: int) -> WholeAlert:
    """An alert with its event, its pictures and what was sent."""
    alert = alert_of(found, number)
    stored = found.events.get(alert.event)
    return whole_alert(listed(found, [alert])[0], alert.raised_for, stored, found.book.attempts(number))


def listed(found: AlertStores, alerts: list[Alert]) -> list[AlertView]:
    """Alerts of a list."""
    numbers = [alert.number for alert in alerts]
    acknowledged, pins = found.book.acknowledged(numbers), found.book.pins(numbers)
    return [alert_view(alert, acknowledged.get(alert.number), pins.get(alert.number)) for alert in alerts]


def page(found: AlertStores, limit: int, below: int | None, camera: str | None) -> tuple[list[AlertView], int | None]:
    """Alerts, newest first, and where the next page begins. Of one camera a page may be short and yet have a next."""
    if camera is None:
        newest = found.book.newest(limit, below)
        return listed(found, newest.alerts), newest.next
    matching: list[Alert] = []
    for _ in range(0, _MOST_SCANNED, _SCAN):
        newest = found.book.newest(_SCAN, below)
        for alert in newest.alerts:
            below = alert.number
            if alert.camera == camera:
                matching.append(alert)
            if len(matching) == limit:
                return listed(found, matching), below
        if newest.next is None:
            return listed(found, matching), None
    return listed(found, matching), below


# --- what people do -------------------------------------------------------------------------------


def name_in(body: Json, member: str, default: str = "") -> str:
    """A short text; raises Problem."""
    value = body.get(member)
    if value is None or value == "":
        return default
    if not isinstance(value, str) or len(value) > _MOST_NAME or not value.isprintable():
        raise Problem(422, "bad-value", f"{member} must be text of at most {_MOST_NAME} characters.", member=member)
    return value.strip()


def by(body: Json) -> str:
    """Whose doing it is: who is logged in, whatever the request says; on an open machine the name that it gives."""
    return name_in(body, "by", SOMEBODY) if principal() is EVERYBODY else principal().name


def acknowledge(found: AlertStores, number: int, body: Json) -> Acknowledged:
    """Somebody has seen it."""
    alert_of(found, number)
    note = body.get("note") or ""
    if not isinstance(note, str):
        raise Problem(422, "bad-value", "note must be text.", member="note")
    acknowledged = found.book.acknowledge(number, by(body), time.time(), note)
    services().record("alert.acknowledge", str(number))
    services().activity.note("acknowledged", None, number=str(number))
    return seen(acknowledged)


def pin(found: AlertStores, number: int, body: Json) -> None:
    """Its pictures shall stay."""
    alert = alert_of(found, number)
    if found.events.get(alert.event) is None:
        raise Problem(410, "pictures-gone", f"The pictures of alert {number} are gone with their month already.")
    found.book.pin(number, alert.event, by(body), time.time())
    services().record("alert.pin", str(number))


def unpin(found: AlertStores, number: int) -> None:
    """They go with their month."""
    alert = alert_of(found, number)
    found.book.unpin(number)
    found.events.unpin(alert.event)
    services().record("alert.unpin", str(number))


def snooze(found: AlertStores, body: Json, camera: str | None = None) -> str:
    """Quiet for `seconds`; tells the snooze's id."""
    seconds = _seconds(body.get("seconds"))
    now = time.time()
    covers = Snooze(now, now + seconds, camera or name_in(body, "camera") or None, name_in(body, "rule") or None)
    snooze_id = found.snoozes.add(covers, by(body))
    about = {"seconds": seconds, "camera": covers.camera, "rule": covers.rule}
    services().record("snooze.begin", snooze_id, after=about)
    return snooze_id


def end_snooze(found: AlertStores, snooze_id: str) -> None:
    """End one early; raises Problem."""
    if not found.snoozes.end(snooze_id, time.time()):
        raise Problem(404, "unknown-snooze", f"There is no snooze {snooze_id!r}.")
    services().record("snooze.end", snooze_id)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(value, bool) or not 1 <= seconds <= LONGEST_SECONDS:
        most = f"{LONGEST_SECONDS:,.0f} (30 days)"
        raise Problem(422, "bad-value", f"seconds is {value!r}; it must be from 1 to {most}.", member="seconds")
    return seconds
