"""The databases of activity records: one per month, so that old ones can be dropped whole."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from imagemill.domain.activity import Record
from imagemill.domain.ids import made_at
from imagemill.store.couch import Couch, Document, successes
from imagemill.store.months import Months, month_at, month_of, months_about

KIND = "activity"
_NO_IMAGE = "~"
_LAST = "\ufff0"
_STORY_LIMIT = 1000
_STEPS = ("accepted", "redriven", "taken", "done")


def prepare(couch: Couch, now: datetime | None = None) -> None:
    """Make the databases of the months about now exist."""
    Months(couch, KIND).prepare(now)


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
    return sorted(({k: v for k, v in record.items() if not k.startswith("_")} for record in records), key=_when)


def _when(record: Record) -> tuple[str, int]:
    """Its time; a small picture is taken and done within a millisecond, which is as fine as times are."""
    kind = record.get("kind")
    return str(record.get("at")), _STEPS.index(kind) if kind in _STEPS else len(_STEPS)
