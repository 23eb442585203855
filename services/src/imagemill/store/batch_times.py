"""When batches began and ended, and their list by that. Reads the ledger's view of times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from imagemill.store.couch import Couch
from imagemill.store.ledger_views import LAYOUT

_HOUR_MS = 3_600_000
_LATEST_HOUR = 2**48 // _HOUR_MS
_LAST = "\ufff0"
# Of an hour in which more batches were active the order is that of their names: those which the product named itself
# sort by time then too.
_CROWD = 100


class Row(NamedTuple):
    """An hour in which something was offered under a batch, the batch, and the first moment of that."""

    hour: int
    name: str
    first_ms: int = 0


@dataclass(frozen=True)
class BatchTimes:
    """When the first picture of a batch was offered and the last one ended (Unix time), and its pictures by recipe."""

    began: float
    ended: float | None = None
    recipes: Mapping[str, int] = field(default_factory=dict)

    @property
    def began_ms(self) -> int:
        """As the view has it."""
        return round(self.began * 1000)

    @property
    def began_hour(self) -> int:
        """The hour in which it is listed."""
        return self.began_ms // _HOUR_MS


class BatchIndex:
    """Reads the list of batches, newest first. Its cost is that of the page, however many there are."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("ledger")

    def newest(self, limit: int, after: str | None = None) -> dict[str, BatchTimes]:
        """Batches with their times, the one that began last first, behind `after`."""
        place: Row | None = Row(_LATEST_HOUR, _LAST)
        passed = None
        if after is not None:
            if (times := self.times([after]).get(after)) is None:
                return {}
            passed = Row(times.began_hour, after, times.began_ms)
            place = Row(passed.hour, _LAST)
        found: dict[str, BatchTimes] = {}
        known: dict[str, BatchTimes] = {}
        while place and len(found) < limit:
            rows = self._rows(place)
            if passed and place == (passed.hour, _LAST, 0) and crowded_hour(rows, place) == place.hour:
                place = Row(place.hour, passed.name)
                continue
            crowded = crowded_hour(rows, place)
            rows, place = whole_hours(rows)
            self._add(found, arranged(rows, crowded, passed), limit, known)
        return found

    def _add(self, found: dict[str, BatchTimes], rows: Sequence[Row], limit: int, known: dict[str, BatchTimes]) -> None:
        """Add those that began in the hour of their row, until there are enough: the others are listed further on.

        A batch into which something comes every hour is met as often, and asked for once. A node of CouchDB that lags
        may not know one that another has listed.
        """
        while rows and (wanted := limit - len(found)) > 0:
            here, rows = rows[:wanted], rows[wanted:]
            known |= self.times(list({row.name for row in here} - known.keys()))
            began = {row.name: times for row in here if (times := known.get(row.name)) and times.began_hour == row.hour}
            found |= began

    def times(self, batches: Sequence[str]) -> dict[str, BatchTimes]:
        """The times of batches; those under which nothing was offered are left out."""
        ranges = [
            {"reduce": True, "group": True, "start_key": [name], "end_key": [name, _LAST]} for name in batches
        ]  # fmt: skip
        answers = self._database.view_ranges(LAYOUT, "times", ranges)
        found = {name: _times(rows) for name, rows in zip(batches, answers, strict=True)}
        return {name: times for name, times in found.items() if times}

    def samples(self, lists: Mapping[str, str]) -> dict[str, str]:
        """The id of the oldest picture of a batch that is on a list of it, for each batch by its list."""
        ranges = [
            {"reduce": False, "start_key": [name, state], "end_key": [name, state, _LAST], "limit": 1}
            for name, state in lists.items()
        ]  # fmt: skip
        answers = self._database.view_ranges(LAYOUT, "listing", ranges)
        return {name: str(rows[0]["key"][2]) for name, rows in zip(lists, answers, strict=True) if rows}

    def _rows(self, place: Row) -> list[Row]:
        """What stands behind a place in the list of hours, one more than a crowd."""
        rows = self._database.view(
            LAYOUT, "times", reduce=True, group=True, descending=True, start_key=[place.hour, place.name], end_key=[0],
            limit=_CROWD + 2,
        )  # fmt: skip
        found = [Row(int(row["key"][0]), str(row["key"][1]), int(row["value"]["min"])) for row in rows]
        return [row for row in found if row[:2] != place[:2]][: _CROWD + 1]


def crowded_hour(rows: Sequence[Row], place: Row) -> int | None:
    """The hour of which there are more than can be sorted at once, or of which the first ones were told already."""
    if len(rows) > _CROWD and rows[0].hour == rows[-1].hour:
        return rows[0].hour
    return place.hour if place.name != _LAST else None


def whole_hours(rows: Sequence[Row]) -> tuple[list[Row], Row | None]:
    """Those of the rows that can be sorted, and where the next ones begin; None at the end.

    The last hour may go on behind the rows, and is left for the next ones. Where it is all there is, rows are sorted by
    name, and the next ones begin behind the last.
    """
    if len(rows) <= _CROWD:
        return list(rows), None
    hour = rows[-1].hour
    if rows[0].hour == hour:
        return list(rows), Row(hour, rows[-1].name)
    return [row for row in rows if row.hour != hour], Row(hour, _LAST)


def arranged(rows: Sequence[Row], crowded: int | None, passed: Row | None) -> list[Row]:
    """Rows in the order of the list: by time, in a crowded hour by name.

    >>> [row.name for row in arranged([Row(1, "b", 1), Row(1, "a", 2), Row(0, "c", 0)], None, None)]
    ['a', 'b', 'c']
    """
    if passed and passed.hour != crowded:
        rows = [row for row in rows if (row.first_ms, row.name) < (passed.first_ms, passed.name)]
    # Rows come by name, and sorting keeps that where nothing else tells.
    return sorted(rows, key=lambda row: (row.hour, 0 if row.hour == crowded else row.first_ms), reverse=True)


def _times(rows: Sequence[Mapping[str, Any]]) -> BatchTimes | None:
    """What the rows of a batch tell; None where nothing was offered."""
    values = {tuple(row["key"][1:]): row["value"] for row in rows}
    offered, ended = values.pop((), None), values.pop(("",), None)
    if offered is None:
        return None
    recipes = {str(key[0]): int(value["count"]) for key, value in values.items()}
    return BatchTimes(offered["min"] / 1000, ended["max"] / 1000 if ended else None, recipes)
