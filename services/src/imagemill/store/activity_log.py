"""The databases of activity records: one per month, so that old ones can be dropped whole."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from imagemill.domain.activity import Record
from imagemill.domain.ids import made_at, seconds_of, timestamp
from imagemill.store.couch import Couch, Document, Missing, successes
from imagemill.store.months import Months, month_at, month_of, months_about

KIND = "activity"
# Keys are times. Ids begin with the picture's, so only this tells what happened last; it is read when somebody goes
# back in time, is built then, and costs whoever never does nothing.
_TIMES_MAP = "function (doc) { if (typeof doc.at === 'string') { emit(doc.at, null); } }"
LAYOUT = "times-" + hashlib.sha256(_TIMES_MAP.encode()).hexdigest()[:8]
_DESIGN: Document = {
    "_id": f"_design/{LAYOUT}", "language": "javascript", "autoupdate": False, "views": {"times": {"map": _TIMES_MAP}},
}  # fmt: skip
_NO_IMAGE = "~"
_LAST = "\ufff0"
_STORY_LIMIT = 1000
_STEPS = ("accepted", "redriven", "taken", "done")


def prepare(couch: Couch, now: datetime | None = None) -> None:
    """Make the databases of the months about now exist, each with its index of times."""
    months = Months(couch, KIND)
    months.prepare(now)
    for month in months_about(now or datetime.now(UTC)):
        months.database(month).bulk([_DESIGN])


def document_of(record: Record, now: datetime) -> tuple[str, Document]:
    """Tell the month and the document of a record.

    Ids begin with the picture's, so that its story is a range of ids, and end with the content's hash, so that a
    record which is delivered twice is written once. A program whose clock is wrong names a month that has no database:
    its record goes into the month of `now`, with the time it gave, and does not keep those behind it from being
    written. For the same reason nothing that begins with an underscore gets through: that is CouchDB's own.
    """
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:12]
    image = str(record.get("image") or _NO_IMAGE)
    identifier = f"{_NO_IMAGE if image.startswith('_') else image}:{record['at']}:{digest}"
    facts = {key: value for key, value in record.items() if not key.startswith("_")}
    month = str(record["at"])[:7]
    return month if month in months_about(now) else month_of(now), {"_id": identifier, **facts}


def write(couch: Couch, records: Iterable[Record]) -> None:
    """Keep records; raises StoreUnavailable when one could not be written."""
    now = datetime.now(UTC)
    months: dict[str, list[Document]] = {}
    for record in records:
        month, document = document_of(record, now)
        months.setdefault(month, []).append(document)
    for month, documents in months.items():
        successes(documents, Months(couch, KIND).database(month).bulk(documents))


def story(couch: Couch, image: str) -> list[Record]:
    """What is known of a picture, oldest first: from the month of its acceptance on."""
    first, months = month_at(made_at(image)), Months(couch, KIND)
    records: list[Record] = []
    for month in (month for month in months.there() if month >= first):
        records += months.database(month).documents(f"{image}:", f"{image}:{_LAST}", _STORY_LIMIT)
    return sorted(map(_record, records), key=_when)


def until(couch: Couch, at: str, limit: int) -> list[Record]:
    """At most so many of the newest records from that time or before it, newest first.

    Months from before there was the index of times are passed over. Raises StoreUnavailable, also while the index of
    a large month is built: that goes on, and it is there some time later.
    """
    months, found = Months(couch, KIND), list[Record]()
    for month in reversed([month for month in months.there() if month <= at[:7]]):
        query = {"start_key": at, "limit": limit - len(found), "descending": True, "include_docs": True}
        with suppress(Missing):
            found += [_record(row["doc"]) for row in months.database(month).view(LAYOUT, "times", **query)]
        if len(found) >= limit:
            break
    return found


def just_before(at: str) -> str:
    """The time that is one step of a record's time stamp earlier."""
    return timestamp(seconds_of(at) - 0.001)


def _record(document: Document) -> Record:
    return {key: value for key, value in document.items() if not key.startswith("_")}


def _when(record: Record) -> tuple[str, int]:
    """Its time; a small picture is taken and done within a millisecond, which is as fine as times are."""
    kind = record.get("kind")
    return str(record.get("at")), _STEPS.index(kind) if kind in _STEPS else len(_STEPS)
