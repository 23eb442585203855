"""Which alerts there are of a camera, in a zone, of a class, in a span of time, and which of them nobody has seen.

An index over the alerts and over what says that somebody has acknowledged them: counts are its sums, pages are ranges
of it. Alerts that nobody has seen are those of one list that the other lacks; only days on which the sums differ are
read.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from imagemill.domain.alerts import AcknowledgedAlert, Alert
from imagemill.store.couch import Couch, Database, Document
from imagemill.store.rules import DATABASE

AlertState = Literal["new", "acknowledged"]
# Lists are [all or acknowledged, camera or '', zone or '', class or '']: each alert is in those of all that it may be
# asked by. An acknowledgement has what it needs of its alert with it; one that a former version wrote has not, and is
# listed until it does.
_LISTS = """
function (doc) {
  function list(name, camera, zones, kind, at, number) {
    var cameras = ['', camera], classes = ['', kind], places = [''];
    for (var i = 0; i < zones.length; i++) { if (places.indexOf(zones[i]) < 0) { places.push(zones[i]); } }
    for (var c = 0; c < 2; c++) { for (var p = 0; p < places.length; p++) { for (var k = 0; k < 2; k++) {
      emit([name, cameras[c], places[p], classes[k]].concat(PLACE), VALUE);
    } } }
  }
  if (doc.type === 'alert') {
    var facts = doc.facts || {};
    list('all', doc.camera, facts.zones || [], facts['class'] || 'alert', doc.at, doc.number);
  } else if (doc.type === 'acknowledged') {
    var alert = doc.alert;
    if (alert) { list('acknowledged', alert.camera, alert.zones, alert['class'], alert.at, doc.number); }
    else { emit(['incomplete'].concat(INCOMPLETE), VALUE); }
  }
}"""


def _map(place: str, value: str, incomplete: str) -> str:
    return _LISTS.replace("INCOMPLETE", incomplete).replace("PLACE", place).replace("VALUE", value)


# Where an alert is in a list: by when it was raised, then by its number. Days are those of UTC.
_ROWS = {"map": _map("[at, number]", "null", "[doc.number]")}
_DAYS_OF = {
    "map": _map("[new Date(at * 1000).toISOString().slice(0, 10)]", "1", "[]"),
    "reduce": "_sum",
}
_VIEWS = {"rows": _ROWS, "days": _DAYS_OF}
LAYOUT = "alerts-" + hashlib.sha256(json.dumps(_VIEWS).encode()).hexdigest()[:8]
_ALL, _ACKNOWLEDGED, _INCOMPLETE = "all", "acknowledged", "incomplete"
_DAYS = 200
_DAY_SECONDS = 86_400.0
_PORTION = 500
_MOST_A_DAY = 20_000
_LAST = "\ufff0"

Key = list[Any]


@dataclass(frozen=True)
class AlertFilter:
    """What alerts are asked by; `since` and `until` are about a day apart, in seconds; `until` is left out."""

    camera: str = ""
    zone: str = ""
    event_class: str = ""
    since: float | None = None
    until: float | None = None

    def __bool__(self) -> bool:
        """Does it leave anything out?"""
        return self != AlertFilter()

    @property
    def is_by_time(self) -> bool:
        """Is it of a span of time, which is then read as a whole?"""
        return self.since is not None or self.until is not None


@dataclass(frozen=True)
class AlertCounts:
    """How many alerts there are, and how many of them somebody has acknowledged."""

    all: int
    acknowledged: int

    @property
    def new(self) -> int:
        """Those that nobody has acknowledged."""
        return max(0, self.all - self.acknowledged)


@dataclass(frozen=True)
class Position:
    """Where an alert stands in the lists."""

    at: float
    number: int


class AlertIndex:
    """Safe to use from many threads. Every method may raise StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._database: Database = couch.database(DATABASE)

    def prepare(self) -> None:
        """Make the index exist."""
        self._database.bulk([{"_id": f"_design/{LAYOUT}", "language": "javascript", "views": _VIEWS}])

    def counts(self, asked: AlertFilter) -> AlertCounts:
        """How many match, and how many of those are acknowledged."""
        if asked.is_by_time:
            return AlertCounts(*(len(rows) for rows in self._both(asked, asked.since, asked.until)))
        ranges = [
            {"reduce": True, "start_key": _list(name, asked), "end_key": [*_list(name, asked), _LAST]}
            for name in (_ALL, _ACKNOWLEDGED)
        ]
        rows = self._database.view_ranges(LAYOUT, "days", ranges)
        return AlertCounts(*(int(found[0]["value"]) if found else 0 for found in rows))

    def numbers(
        self, asked: AlertFilter, state: AlertState | None, limit: int, below: Position | None
    ) -> tuple[list[int], bool]:
        """The newest that match, from below a position on, and whether there are more."""
        if state == "new":
            found = self._unseen(asked, limit + 1, below)
        else:
            # The first row is the position itself, when it is one of this list.
            query = _newest_first(_ACKNOWLEDGED if state else _ALL, asked, below, asked.since, asked.until, limit + 2)
            found = _numbers(self._database.view(LAYOUT, "rows", **query), below)
        return found[:limit], len(found) > limit

    def incomplete(self, limit: int = _PORTION) -> list[int]:
        """Numbers of acknowledgements that do not say enough of their alert to be listed."""
        bounds = {"start_key": [_INCOMPLETE], "end_key": [_INCOMPLETE, _LAST]}
        rows = self._database.view(LAYOUT, "rows", reduce=False, limit=limit, **bounds)
        return [int(row["key"][-1]) for row in rows]

    # --- inside -----------------------------------------------------------------------------------

    def _unseen(self, asked: AlertFilter, limit: int, below: Position | None) -> list[int]:
        if asked.is_by_time:
            return self._difference(asked, below, asked.since, asked.until)[:limit]
        found: list[int] = []
        for day in self._days_with_unseen(asked, below):
            found += self._difference(asked, below, day, day + _DAY_SECONDS)
            if len(found) >= limit:
                break
        return found[:limit]

    def _days_with_unseen(self, asked: AlertFilter, below: Position | None) -> Iterator[float]:
        """When they begin, newest first. Days are read as sums, some hundred of them at a time."""
        newest = _day(below.at) if below else _LAST
        while True:
            days = self._by_day(_ALL, asked, newest, "", _DAYS)
            if not days:
                return
            oldest = min(days)
            acknowledged = self._by_day(_ACKNOWLEDGED, asked, newest, oldest, _DAYS)
            yield from (_begin(day) for day, count in days.items() if count > acknowledged.get(day, 0))
            if len(days) < _DAYS:
                return
            newest = _day(_begin(oldest) - 1)

    def _by_day(self, name: str, asked: AlertFilter, newest: str, oldest: str, limit: int) -> dict[str, int]:
        bounds = {"start_key": [*_list(name, asked), newest], "end_key": [*_list(name, asked), oldest]}
        rows = self._database.view(LAYOUT, "days", reduce=True, group=True, descending=True, limit=limit, **bounds)
        return {str(row["key"][-1]): int(row["value"]) for row in rows}

    def _difference(
        self, asked: AlertFilter, below: Position | None, since: float | None, until: float | None
    ) -> list[int]:
        every, acknowledged = self._both(asked, since, until, below)
        seen = {int(row["key"][-1]) for row in acknowledged}
        return [number for number in _numbers(every, below) if number not in seen]

    def _both(
        self, asked: AlertFilter, since: float | None, until: float | None, below: Position | None = None
    ) -> list[list[dict[str, Any]]]:
        """The rows of both lists in a span of time which is no longer than a day, or about that."""
        ranges = [_newest_first(name, asked, below, since, until, _MOST_A_DAY) for name in (_ALL, _ACKNOWLEDGED)]
        return self._database.view_ranges(LAYOUT, "rows", ranges)


def facts_of(alert: Alert) -> AcknowledgedAlert:
    """What an acknowledgement says of its alert, as the index reads it from the alert itself."""
    event = alert.facts
    return AcknowledgedAlert(
        camera=alert.camera, at=alert.at, zones=tuple((event and event.zones) or ()),
        event_class=(event and event.event_class) or "alert",
    )  # fmt: skip


def completed(document: Document, alert: Alert) -> Document:
    """An acknowledgement of a former version, with what the index needs."""
    return {**document, "alert": facts_of(alert).as_document()}


def _list(name: str, asked: AlertFilter) -> Key:
    return [name, asked.camera, asked.zone, asked.event_class]


def _newest_first(
    name: str, asked: AlertFilter, below: Position | None, since: float | None, until: float | None, limit: int
) -> dict[str, Any]:
    """A range of rows. A key is before all that begin with it: up to and without the moment `until`."""
    newest: Key = [_LAST] if until is None else [until]
    if below is not None and (until is None or below.at < until):
        newest = [below.at, below.number]
    oldest: Key = [] if since is None else [since]
    bounds = {"start_key": [*_list(name, asked), *newest], "end_key": [*_list(name, asked), *oldest]}
    return {"reduce": False, "descending": True, "limit": limit, **bounds}


def _numbers(rows: list[dict[str, Any]], below: Position | None) -> list[int]:
    return [number for row in rows if (number := int(row["key"][-1])) != (below and below.number)]


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _begin(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
