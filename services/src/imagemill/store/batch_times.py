"""When batches began and ended, and their list by that. Reads the ledger's view of times."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagemill.store.couch import Couch
from imagemill.store.ledger_views import LAYOUT

_HOUR_MS = 3_600_000
_LATEST_HOUR = 2**48 // _HOUR_MS
_LAST = "\ufff0"
# Of an hour in which more batches were active the order is that of their names: those which the product named itself
# sort by time then too.
_CROWD = 200

Row = tuple[int, str]
"""An hour in which something was offered under a batch, and the batch."""


@dataclass(frozen=True)
class BatchTimes:
    """When the first picture of a batch was offered and the last one ended (Unix time), and its pictures by recipe."""

    began: float
    ended: float | None = None
    recipes: Mapping[str, int] = field(default_factory=dict)


class BatchIndex:
    """Reads the list of batches, newest first. Its cost is that of the page, however many there are."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("ledger")

    def newest(self, limit: int, after: str | None = None) -> list[str]:
        """Names of batches, the one that began last first, behind `after`."""
        place: Row | None = (_LATEST_HOUR, _LAST)
        passed = None
        if after is not None:
            if (at := self._began([after]).get(after)) is None:
                return []
            place, passed = (at // _HOUR_MS, _LAST), (at, after)
        found: list[str] = []
        while place and len(found) < limit:
            rows = self._rows(place)
            if passed and place == (passed[0] // _HOUR_MS, _LAST) and crowded_hour(rows, place) == place[0]:
                place = (place[0], passed[1])
                continue
            crowded = crowded_hour(rows, place)
            rows, place = whole_hours(rows)
            found += arranged(rows, self._began(name for _, name in rows), crowded, passed)
        return found[:limit]

    def times(self, batches: Sequence[str]) -> dict[str, BatchTimes]:
        """The times of batches; those under which nothing was offered are left out."""
        ranges = [
            {"reduce": True, "group": True, "start_key": [name], "end_key": [name, _LAST]} for name in batches
        ]  # fmt: skip
        answers = self._database.view_ranges(LAYOUT, "times", ranges)
        return {name: _times(rows) for name, rows in zip(batches, answers, strict=True) if rows}

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
            LAYOUT, "times", reduce=True, group=True, descending=True, start_key=list(place), end_key=[0],
            limit=_CROWD + 2,
        )  # fmt: skip
        found = [(int(row["key"][0]), str(row["key"][1])) for row in rows]
        return [row for row in found if row != place][: _CROWD + 1]

    def _began(self, names: Iterable[str]) -> dict[str, int]:
        """When batches began, in milliseconds."""
        keys = [[name] for name in dict.fromkeys(names)]
        rows = self._database.view(LAYOUT, "times", reduce=True, group=True, keys=keys) if keys else []
        return {str(row["key"][0]): int(row["value"]["min"]) for row in rows}


def crowded_hour(rows: Sequence[Row], place: Row) -> int | None:
    """The hour of which there are more than can be sorted at once, or of which the first ones were told already."""
    if len(rows) > _CROWD and rows[0][0] == rows[-1][0]:
        return rows[0][0]
    return place[0] if place[1] != _LAST else None


def whole_hours(rows: Sequence[Row]) -> tuple[list[Row], Row | None]:
    """Those of the rows that can be sorted, and where the next ones begin; None at the end.

    The last hour may go on behind the rows, and is left for the next ones. Where it is all there is, rows are sorted by
    name, and the next ones begin behind the last.
    """
    if len(rows) <= _CROWD:
        return list(rows), None
    hour = rows[-1][0]
    if rows[0][0] == hour:
        return list(rows), rows[-1]
    return [row for row in rows if row[0] != hour], (hour, _LAST)


def arranged(
    rows: Sequence[Row], began: Mapping[str, int], crowded: int | None, passed: tuple[int, str] | None
) -> list[str]:
    """Names in the order of the list: of each hour those that began in it, in a crowded one by name.

    >>> arranged([(2, "b"), (2, "a"), (1, "a")], {"a": 3_700_000, "b": 7_300_000}, None, None)
    ['b', 'a']
    """
    here = [(hour, name) for hour, name in rows if began.get(name, -1) // _HOUR_MS == hour]
    if passed and passed[0] // _HOUR_MS != crowded:
        here = [(hour, name) for hour, name in here if (began[name], name) < passed]
    # Rows come by name, and sorting keeps that where nothing else tells.
    here.sort(key=lambda row: (row[0], 0 if row[0] == crowded else began[row[1]]), reverse=True)
    return [name for _, name in here]


def _times(rows: Sequence[Mapping[str, Any]]) -> BatchTimes:
    values = {tuple(row["key"][1:]): row["value"] for row in rows}
    offered, ended = values.pop((), None), values.pop(("",), None)
    recipes = {str(key[0]): int(value["count"]) for key, value in values.items()}
    began = min(value["min"] for value in (offered, ended) if value)
    return BatchTimes(began / 1000, ended["max"] / 1000 if ended else None, recipes)
