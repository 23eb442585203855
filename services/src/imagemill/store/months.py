"""Databases of which there is one per month, because CouchDB forgets documents only with their whole database."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from imagemill.store.couch import Couch, Database

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def month_of(moment: datetime) -> str:
    """`2026-11`"""
    return moment.strftime("%Y-%m")


def month_at(at_seconds: float) -> str:
    """The month, in UTC, of a Unix time."""
    return month_of(datetime.fromtimestamp(at_seconds, UTC))


def months_about(now: datetime) -> list[str]:
    """Last month, this one and the next one: midnight passes while things are under way."""
    first = now.replace(day=1)
    return [month_of(moment) for moment in (first - timedelta(days=1), first, first + timedelta(days=32))]


class Months:
    """The databases `<kind>-2026-11`."""

    def __init__(self, couch: Couch, kind: str) -> None:
        self._couch, self.kind = couch, kind

    def database(self, month: str) -> Database:
        """The database of a month."""
        return self._couch.database(f"{self.kind}-{month}")

    def prepare(self, now: datetime | None = None) -> None:
        """Make the databases of the months about now exist."""
        for month in months_about(now or datetime.now(UTC)):
            self.database(month).create()

    def there(self) -> list[str]:
        """The months which have a database, oldest first."""
        names = self._couch.database_names(f"{self.kind}-")
        months = (name.removeprefix(f"{self.kind}-") for name in names)
        return sorted(month for month in months if _MONTH.fullmatch(month))

    def newest_written(self) -> str | None:
        """The newest month in which there is a document."""
        return next((month for month in reversed(self.there()) if self.database(month).has_documents()), None)


def expired(months: Iterable[str], keep: int, now: datetime) -> list[str]:
    """The months which are over for longer than `keep` months; 0 keeps all. With 1, November goes on 1 January."""
    return before(months, keep, month_of(now))


def before(months: Iterable[str], keep: int, month: str) -> list[str]:
    """The months which are more than `keep` months before another one; 0 keeps all."""
    return [one for one in months if keep and _count(one) < _count(month) - keep]


def _count(month: str) -> int:
    year, number = month.split("-")
    return 12 * int(year) + int(number)
