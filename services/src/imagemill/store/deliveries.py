"""Deliveries of outcome events, month by month: one document for each event and receiver, which tells how it stands.

Only who sends changes it, and the API for what somebody wants sent again. A conflict means that the other was first;
whoever lost reads again.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imagemill.domain.deliveries import DeliveryState, EventDelivery, month_of_delivery
from imagemill.store.couch import Couch, Document, Missing, StoreUnavailable
from imagemill.store.months import Months, months_about

KIND = "deliveries"
# Of what is delivered nothing is indexed: that is nearly all of it. '' stands for every receiver.
_OPEN_MAP = """
function (doc) {
  if (doc.state !== 'waiting' && doc.state !== 'failed') { return; }
  emit([doc.state, '', doc._id], null);
  emit([doc.state, doc.receiver, doc._id], null);
  if (doc.state === 'waiting') { emit(['due', doc.receiver, doc.due_at], null); }
}"""
_VIEWS = {"open": {"map": _OPEN_MAP, "reduce": "_count"}}
LAYOUT = "deliveries-" + hashlib.sha256(json.dumps(_VIEWS).encode()).hexdigest()[:8]
_INDEXED = ("waiting", "failed")
_LAST = "\ufff0"
# Ids begin with the time: of ids, which sort by their bytes, those behind all digits are no deliveries. Keys of views
# sort as people sort words, punctuation first.
_BEHIND_DIGITS = ":"
_MOST_SCANNED = 2000
_SCAN = 200


@dataclass(frozen=True)
class StoredDelivery:
    """A delivery and the revision of its document."""

    delivery: EventDelivery
    revision: str


@dataclass(frozen=True)
class DeliveryPage:
    """Deliveries, newest event first, and where the next page begins (None: there is no more)."""

    deliveries: list[EventDelivery]
    next: str | None


class DeliveryStore:
    """Safe to use from many threads. Every method may raise StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._months = Months(couch, KIND)

    def prepare(self) -> None:
        """Make the databases of these months exist, each with its view."""
        self._months.prepare()
        design: Document = {"_id": f"_design/{LAYOUT}", "language": "javascript", "views": _VIEWS}
        for month in months_about(datetime.now(UTC)):
            self._months.database(month).bulk([design])

    # --- writing ----------------------------------------------------------------------------------

    def add(self, deliveries: Sequence[EventDelivery]) -> int:
        """Write what is to be delivered; what is there already stays as it is. Returns how many are new."""
        return sum(self._bulk([_document(one) for one in deliveries]).values())

    def change(self, changed: Sequence[StoredDelivery]) -> set[str]:
        """Write them over the revisions that were read; returns the ids of those that nobody had changed meanwhile."""
        written = self._bulk([{**_document(one.delivery), "_rev": one.revision} for one in changed])
        return {doc_id for doc_id, done in written.items() if done}

    def _bulk(self, documents: Iterable[Document]) -> dict[str, bool]:
        months: dict[str, list[Document]] = {}
        for document in documents:
            months.setdefault(month_of_delivery(str(document["_id"])), []).append(document)
        written: dict[str, bool] = {}
        for month, group in months.items():
            errors = self._months.database(month).bulk(group)
            for document, error in zip(group, errors, strict=True):
                if error not in (None, "conflict"):
                    raise StoreUnavailable(f"CouchDB did not take the delivery {document['_id']!r}: {error}")
                written[str(document["_id"])] = error is None
        return written

    # --- what is due ------------------------------------------------------------------------------

    def waiting(self) -> dict[str, int]:
        """How many deliveries wait, by receiver; those of last month too."""
        return self._counts("waiting", self._recent())

    def failed(self) -> dict[str, int]:
        """How many were given up, by receiver."""
        return self._counts("failed", self._months.there())

    def _counts(self, state: str, months: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for month in months:
            for row in self._view(month, start_key=[state, "!"], end_key=[state, _LAST], group_level=2, reduce=True):
                receiver = str(row["key"][1])
                found[receiver] = found.get(receiver, 0) + int(row["value"])
        return found

    def due(self, receiver: str, now: float, limit: int) -> list[StoredDelivery]:
        """What a receiver is to be told by now, the longest due first."""
        found: list[Document] = []
        for month in self._recent():
            found += self._documents(
                month, start_key=["due", receiver, 0], end_key=["due", receiver, now], limit=limit - len(found)
            )
            if len(found) >= limit:
                break
        return [StoredDelivery(_delivery(document), str(document["_rev"])) for document in found]

    def _recent(self) -> list[str]:
        """Nothing waits for longer than a day; a month that was over yesterday may have some."""
        return months_about(datetime.now(UTC))

    # --- reading ----------------------------------------------------------------------------------

    def get(self, identifier: str) -> StoredDelivery | None:
        """One delivery, None when there is none, or none any more."""
        month = month_of_delivery(identifier)
        if month not in self._months.there():
            return None
        document = self._months.database(month).get(identifier)
        return StoredDelivery(_delivery(document), str(document["_rev"])) if document else None

    def page(
        self, limit: int, after: str | None = None, state: DeliveryState | None = None, receiver: str = ""
    ) -> DeliveryPage:
        """Deliveries, newest event first. A page may be short and yet have a next."""
        months = [month for month in reversed(self._months.there()) if not after or month <= month_of_delivery(after)]
        found: list[EventDelivery] = []
        looked, last = 0, after
        for document in self._newest(months, after, state, receiver):
            looked, last = looked + 1, str(document["_id"])
            delivery = _delivery(document)
            if state in (None, delivery.state) and receiver in ("", delivery.receiver):
                found.append(delivery)
            if len(found) == limit or looked == _MOST_SCANNED:
                return DeliveryPage(found, last)
        return DeliveryPage(found, None)

    def of_state(self, state: DeliveryState, receiver: str, limit: int) -> list[StoredDelivery]:
        """The newest of a state, of one receiver or (with '') of all, as they are to be changed."""
        months = list(reversed(self._months.there()))
        found: list[StoredDelivery] = []
        for document in self._newest(months, None, state, receiver):
            found.append(StoredDelivery(_delivery(document), str(document["_rev"])))
            if len(found) == limit:
                break
        return found

    def _newest(self, months: Sequence[str], after: str | None, state: str | None, receiver: str) -> Iterator[Document]:
        """Documents by id, newest first: by the index where it has the state, else all of them."""
        for month in months:
            start = after if after and month_of_delivery(after) == month else ""
            while page := self._newest_page(month, start, state, receiver):
                start = str(page[-1]["_id"])
                yield from page
                if len(page) < _SCAN:
                    break

    def _newest_page(self, month: str, start: str, state: str | None, receiver: str) -> list[Document]:
        if state in _INDEXED:
            page = self._documents(
                month, start_key=[state, receiver, start or _LAST], end_key=[state, receiver], descending=True,
                limit=_SCAN + 1,
            )  # fmt: skip
        else:
            page = self._months.database(month).documents(start or _BEHIND_DIGITS, "", _SCAN + 1, descending=True)
        return [document for document in page if document["_id"] != start][:_SCAN]

    # --- views ------------------------------------------------------------------------------------

    def _documents(self, month: str, **query: object) -> list[Document]:
        return [row["doc"] for row in self._view(month, reduce=False, include_docs=True, **query) if row.get("doc")]

    def _view(self, month: str, **query: object) -> list[Document]:
        # During an upgrade it may come before the database, and a month may be dropped at this moment.
        with contextlib.suppress(Missing):
            return self._months.database(month).view(LAYOUT, "open", **query)
        return []


def _document(delivery: EventDelivery) -> Document:
    return {"_id": delivery.id, **delivery.model_dump(mode="json", exclude={"id"})}


def _delivery(document: Document) -> EventDelivery:
    return EventDelivery.model_validate({**document, "id": document["_id"]})
