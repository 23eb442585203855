"""Events in CouchDB: one document per event with its pictures as attachments, in the database of the month it began.

Ids begin with the time, so that the newest are a range of ids; they follow from the event's own id, so that a change
which is told twice is written once. Pinned events are read from a database which is never dropped.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from imagemill.domain.alerts import Suppression
from imagemill.domain.events import Event
from imagemill.store.couch import Conflict, Couch, Database, Document, Missing, StoreUnavailable
from imagemill.store.months import Months, month_at

KIND = "events"
PINNED = "pinned"
PICTURE_TYPE = "image/jpeg"
_EVENT, _HELD = "event", "held"
_END = "\ufff0"
_MOST_ATTEMPTS = 5
_MOST_SCANNED = 2000
_SCAN = 200


Kept = TypeVar("Kept")


@dataclass(frozen=True)
class StoredEvent:
    """An event as it is kept, and its pictures: bytes by file name."""

    event: Event
    pictures: Mapping[str, int]


@dataclass(frozen=True)
class Page(Generic[Kept]):
    """What was found, newest first, and where the next page begins (None: there is no more)."""

    found: list[Kept]
    next: str | None


class EventStore:
    """Reads and writes events and what was suppressed of them. Safe to use from many threads."""

    def __init__(self, couch: Couch) -> None:
        self.months = Months(couch, KIND)
        self.pinned = couch.database(PINNED)

    def prepare(self) -> None:
        """Makes the databases exist."""
        self.months.prepare()
        self.pinned.create()

    def write(self, event: Event, pictures: Mapping[str, bytes]) -> list[str]:
        """Writes a step of an event; tells the names of all its pictures. Raises StoreUnavailable."""
        database, doc_id = self._place(event.id)
        for _ in range(_MOST_ATTEMPTS):
            known = database.get(doc_id) or {}
            if known.get("ended_at") is not None and event.ended_at is None:
                return sorted(known.get("_attachments", {}))  # an older step that is told again
            try:
                return _put(database, doc_id, known, event, pictures)
            except Conflict:
                continue
        raise StoreUnavailable(f"the event {event.id} is written by others all the time")

    def get(self, event_id: str) -> StoredEvent | None:
        """An event, None when there is none (any more)."""
        found = self._find(event_id)
        return _stored(found[1]) if found else None

    def get_many(self, event_ids: Iterable[str]) -> dict[str, StoredEvent]:
        """The events which are in their months, by id; one request a month."""
        months: dict[str, list[str]] = {}
        for event_id in event_ids:
            months.setdefault(month_of_event(event_id), []).append(document_id(event_id))
        found: dict[str, Document] = {}
        for month, doc_ids in months.items():
            with contextlib.suppress(Missing):
                found |= self.months.database(month).get_many(doc_ids)
        return {stored.event.id: stored for stored in map(_stored, found.values())}

    def picture(self, event_id: str, name: str) -> bytes | None:
        """One of its pictures."""
        found = self._find(event_id)
        if found is None or name not in found[1].get("_attachments", {}):
            return None
        return found[0].get_attachment(found[1]["_id"], name)

    def note_suppressed(self, held: Suppression) -> None:
        """Keeps why an event did not become an alert; an event is suppressed once per reason."""
        ms, source = split(held.event)
        database = self.months.database(month_at(ms / 1000))
        try:
            database.put(held.as_document() | {"_id": f"{_HELD}:{ms:013d}:{source}:{held.code}"})
        except Conflict:
            return

    def events(self, limit: int, after: str | None = None, camera: str | None = None) -> Page[StoredEvent]:
        """Events, newest first."""
        page = self._page(_EVENT, limit, after, camera)
        return Page([_stored(document) for document in page.found], page.next)

    def suppressed(self, limit: int, after: str | None = None, camera: str | None = None) -> Page[Suppression]:
        """What was suppressed, newest first."""
        page = self._page(_HELD, limit, after, camera)
        return Page([Suppression.model_validate(document) for document in page.found], page.next)

    def since(self, camera: str, at: float) -> Iterator[StoredEvent]:
        """A camera's events which began after a time, oldest first."""
        for month in (month for month in self.months.there() if month >= month_at(at)):
            start = f"{_EVENT}:{round(at * 1000):013d}:"
            for document in _walk(self.months.database(month), start, f"{_EVENT}:{_END}"):
                if document["source"] == camera:
                    yield _stored(document)

    def pin(self, event_id: str) -> bool:
        """Copies an event with its pictures to where nothing is dropped; False when it is not in its month."""
        database, doc_id = self._place(event_id)
        document = database.get(doc_id)
        if document is None:
            return False
        files = {}
        for name in document.get("_attachments", {}):
            data = database.get_attachment(doc_id, name)
            if data is None:
                raise StoreUnavailable(f"the picture {name} of {event_id} cannot be read")
            files[name] = (data, PICTURE_TYPE)
        copy = {key: value for key, value in document.items() if key not in ("_rev", "_attachments")}
        known = self.pinned.get(doc_id)
        self.pinned.put_with_files(copy | ({"_rev": known["_rev"]} if known else {}), files)
        return True

    def unpin(self, event_id: str) -> None:
        """Removes the copy, if there is one."""
        known = self.pinned.get(document_id(event_id))
        if known:
            self.pinned.remove(known["_id"], known["_rev"])

    def _place(self, event_id: str) -> tuple[Database, str]:
        return self.months.database(month_of_event(event_id)), document_id(event_id)

    def _find(self, event_id: str) -> tuple[Database, Document] | None:
        try:
            database, doc_id = self._place(event_id)
        except ValueError:
            return None
        for place in (database, self.pinned):
            document = place.get(doc_id)
            if document is not None:
                return place, document
        return None

    def _page(self, what: str, limit: int, after: str | None, camera: str | None) -> Page[Document]:
        found: list[Document] = []
        for scanned, document in enumerate(self._newest_first(what, after), 1):
            if camera in (None, _camera(document)):
                found.append(document)
            if len(found) == limit or scanned == _MOST_SCANNED:
                return Page(found, str(document["_id"]).removeprefix(f"{what}:"))
        return Page(found, None)

    def _newest_first(self, what: str, after: str | None) -> Iterator[Document]:
        last = f"{what}:{after or _END}"
        newest = _month_of_id(last) if after else "9999-12"
        for month in reversed(self.months.there()):
            if month <= newest:
                yield from _walk(self.months.database(month), last, f"{what}:", True, last)


def document_id(event_id: str) -> str:
    """The id of an event's document."""
    ms, source = split(event_id)
    return f"{_EVENT}:{ms:013d}:{source}"


def month_of_event(event_id: str) -> str:
    """The month whose database an event is in."""
    return month_at(split(event_id)[0] / 1000)


def split(event_id: str) -> tuple[int, str]:
    """Milliseconds and source of an event's id; raises ValueError when it is none."""
    source, _, ms = event_id.rpartition(":")
    if not source or not (ms.isascii() and ms.isdigit() and len(ms) <= 13):
        raise ValueError(f"{event_id!r} is not an event's id; one looks like yard:1790000000000")
    return int(ms), source


def _put(database: Database, doc_id: str, known: Document, event: Event, pictures: Mapping[str, bytes]) -> list[str]:
    kept = {name: stub for name, stub in known.get("_attachments", {}).items() if name not in pictures}
    document = event.as_json() | {"_id": doc_id} | ({"_attachments": kept} if kept else {})
    document |= {"_rev": known["_rev"]} if known else {}
    database.put_with_files(document, {name: (data, PICTURE_TYPE) for name, data in pictures.items()})
    return sorted({*kept, *pictures})


def _stored(document: Document) -> StoredEvent:
    files = document.get("_attachments", {})
    return StoredEvent(Event.recall(document), {name: int(stub.get("length", 0)) for name, stub in files.items()})


def _camera(document: Document) -> str:
    return str(document.get("source") or document.get("camera"))


def _month_of_id(doc_id: str) -> str:
    try:
        return month_at(int(doc_id.split(":")[1]) / 1000)
    except (IndexError, ValueError, OverflowError, OSError):
        raise ValueError("it is no cursor") from None


def _walk(database: Database, start: str, end: str, descending: bool = False, after: str = "") -> Iterator[Document]:
    """All documents of a range of ids, a portion at a time; `after` is an id that is left out."""
    while True:
        documents = database.documents(start, end, _SCAN, descending)
        yield from (document for document in documents if document["_id"] != after)
        if len(documents) < _SCAN:
            return
        start = after = documents[-1]["_id"]
