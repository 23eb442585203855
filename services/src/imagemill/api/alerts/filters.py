"""Which alerts a query asks for: all of it stands in the address, and is answered by the index."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from imagemill.domain.errors import Invalid
from imagemill.domain.motion_kinds import EventClass
from imagemill.domain.rules import zone_of
from imagemill.store.alert_index import AlertFilter, AlertState

FIELDS = ("camera", "zone", "class", "day", "timezone")
STATES: tuple[AlertState, ...] = get_args(AlertState)
CLASSES: tuple[EventClass, ...] = get_args(EventClass)
_MOST_CHARACTERS = 100
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class Asked:
    """What is asked for, and how the address says so."""

    filter: AlertFilter
    state: AlertState | None
    given: Mapping[str, str]
    """The parts of the address that say something; the state is not among them."""


def asked_of(values: Mapping[str, str], timezone: str) -> Asked:
    """Read a query; `timezone` is that of `day` where the query names none. Raises Invalid."""
    given = {name: _text(name, values) for name in FIELDS}
    if not given["day"]:
        given["timezone"] = ""  # it is that of the day
    state = _one_of("state", _text("state", values), STATES)
    event_class = _one_of("class", given["class"], CLASSES)
    since, until = _span(given["day"], given["timezone"] or timezone)
    found = AlertFilter(given["camera"], given["zone"], event_class or "", since, until)
    return Asked(found, state, {name: value for name, value in given.items() if value})


def _text(name: str, values: Mapping[str, str]) -> str:
    value = (values.get(name) or "").strip()
    if len(value) > _MOST_CHARACTERS or not value.isprintable():
        raise Invalid("bad-value", f"{name} must be text of at most {_MOST_CHARACTERS} characters.", name)
    return value


def _one_of(name: str, value: str, words: tuple[Word, ...]) -> Word | None:
    if not value:
        return None
    for word in words:
        if word == value:
            return word
    raise Invalid("bad-value", f"{name} is {value!r}; it must be {' or '.join(words)}.", name)


def _span(day: str, timezone: str) -> tuple[float | None, float | None]:
    """A day from its first moment until that of the next; one on which clocks change is longer or shorter."""
    if not day:
        return None, None
    try:
        zone = zone_of(timezone)
    except ValueError as error:
        raise Invalid("bad-value", f"{str(error)[0].upper()}{str(error)[1:]}.", "timezone") from None
    try:
        first = date.fromisoformat(day)
        return _begin(first, zone), _begin(first + timedelta(days=1), zone)
    except (ValueError, OverflowError, OSError):
        raise Invalid("bad-value", f"day is {day!r}; write it like 2026-11-30.", "day") from None


def _begin(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()
