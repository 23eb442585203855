"""What the routes about alerts share: reading alerts with all that is known of them, and what people do to them."""

import time
from dataclasses import dataclass
from typing import Any

from imagemill.api.access.permissions import EVERYBODY, principal
from imagemill.api.alerts.filters import Asked
from imagemill.api.alerts.views import Acknowledged, AlertView, WholeAlert, alert_view, seen, whole_alert
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.alerts import Alert
from imagemill.domain.errors import changed_meanwhile
from imagemill.store.alert_index import AlertIndex, Position
from imagemill.store.alerts import AlertStore
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from imagemill.store.snoozes import Snoozes

Json = dict[str, Any]
SOMEBODY = "somebody"
MOST_AT_ONCE = 500
MOST_NOTE = 300
_MOST_NAME = 100


@dataclass(frozen=True)
class AlertStores:
    """The stores."""

    book: AlertStore
    index: AlertIndex
    rules: RuleStore
    snoozes: Snoozes
    events: EventStore


def alert_stores() -> AlertStores:
    """Of the running app."""
    couch = services().stores.couch
    return AlertStores(AlertStore(couch), AlertIndex(couch), RuleStore(couch), Snoozes(couch), EventStore(couch))


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


def page(found: AlertStores, asked: Asked, limit: int, below: int | None) -> tuple[list[AlertView], int | None]:
    """Alerts that match, newest first, and where the next page begins."""
    if not asked.filter and asked.state is None:
        newest = found.book.newest(limit, below)
        return listed(found, newest.alerts), newest.next
    last = found.book.alert(below) if below else None
    position = Position(last.at, last.number) if last else None
    numbers, more = found.index.numbers(asked.filter, asked.state, limit, position)
    alerts = list(found.book.of_numbers(numbers).values())
    return listed(found, alerts), numbers[-1] if more and numbers else None


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
    _acknowledge(found, [alert_of(found, number)], body)
    first = found.book.first_acknowledged(number)
    if first is None:
        raise changed_meanwhile(f"alert {number}")
    return seen(first)


def acknowledge_many(found: AlertStores, body: Json) -> Json:
    """Somebody has seen all of them; tells which nobody had acknowledged before, and which there are not."""
    numbers = _numbers(body)
    alerts = found.book.of_numbers(numbers)
    fresh = _acknowledge(found, list(alerts.values()), body)
    unknown = [number for number in numbers if number not in alerts]
    already = [number for number in alerts if number not in fresh]
    return {"acknowledged": fresh, "already": already, "unknown": unknown}


def _acknowledge(found: AlertStores, alerts: list[Alert], body: Json) -> list[int]:
    who, note = by(body), note_in(body)
    fresh = found.book.acknowledge(alerts, who, time.time(), note)
    for number in fresh:
        services().record("alert.acknowledge", str(number), after={"by": who, "note": note})
    _announce("acknowledged", fresh)
    return fresh


def take_back(found: AlertStores, numbers: list[int]) -> Json:
    """Nobody has seen them, after all; tells of which somebody had said so."""
    gone = found.book.take_back(numbers)
    for number, was in gone.items():
        services().record("alert.unacknowledge", str(number), before={"by": was.by, "note": was.note})
    _announce("unacknowledged", list(gone))
    return {"new": list(gone)}


def take_back_many(found: AlertStores, body: Json) -> Json:
    """The same for the numbers of a body."""
    return take_back(found, _numbers(body))


def _announce(kind: str, numbers: list[int]) -> None:
    services().unseen.doubt()
    if numbers:
        # One record for all: pages read their lists again, and the log has a line for each change.
        more = {"times": len(numbers)} if len(numbers) > 1 else {}
        services().activity.note(kind, None, number=str(numbers[0]), **more)


def _numbers(body: Json) -> list[int]:
    given = body.get("numbers")
    is_list = isinstance(given, list) and 0 < len(given) <= MOST_AT_ONCE
    if not is_list or not all(type(number) is int and 0 < number < 10**10 for number in given or ()):
        sentence = f"numbers must be a list of 1 to {MOST_AT_ONCE} numbers of alerts."
        raise Problem(422, "bad-value", sentence, member="numbers")
    return list(dict.fromkeys(given or ()))


def note_in(body: Json) -> str:
    """A note in somebody's own words; raises Problem."""
    note = body.get("note") or ""
    if not isinstance(note, str) or len(note) > MOST_NOTE:
        raise Problem(422, "bad-value", f"note must be text of at most {MOST_NOTE} characters.", member="note")
    return note.strip()


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
