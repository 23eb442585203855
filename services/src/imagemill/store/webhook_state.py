"""How far the ledger was read for webhooks, and the batches of which somebody wants to know when they are complete."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from imagemill.alerting.batch_watch import BatchWatch
from imagemill.store.couch import Conflict, Couch, Document, StoreUnavailable
from imagemill.store.deliveries import KIND
from imagemill.store.months import Months

_CURSOR = "webhooks:cursor"
_BATCH = "watch:"
_LAST = "\ufff0"
_PAGE = 1000
Item = TypeVar("Item")


@dataclass(frozen=True)
class StoredWatch:
    """A watch and the revision of its document; '' for a new one."""

    watch: BatchWatch
    revision: str = ""


class WebhookState:
    """Changed only by the alerter that has the lease. Every method may raise StoreUnavailable.

    Batches are many and soon done with: what CouchDB remembers of removed documents shall go with a month.
    """

    def __init__(self, couch: Couch) -> None:
        self._state, self._months = couch.database("state"), Months(couch, KIND)

    # --- the cursor -------------------------------------------------------------------------------

    def cursor(self) -> str | None:
        """The ledger's sequence up to which everything is written down; None before the first receiver."""
        document = self._state.get(_CURSOR)
        return str(document["since"]) if document else None

    def begin_at(self, since: str) -> None:
        """Set the cursor where there is none yet."""
        try:
            self._state.put({"_id": _CURSOR, "since": since})
        except Conflict:
            return

    def move_to(self, since: str) -> None:
        """Move the cursor; raises Conflict when another alerter has moved it at this moment."""
        document = self._state.get(_CURSOR) or {"_id": _CURSOR}
        self._state.put({**document, "since": since})

    # --- batches ----------------------------------------------------------------------------------

    def all_watches(self) -> Iterator[BatchWatch]:
        """All watched batches."""
        for month in self._months.there():
            start = _BATCH
            while page := self._months.database(month).documents(start, _BATCH + _LAST, _PAGE):
                yield from (_watch(document, month) for document in page)
                start = str(page[-1]["_id"]) + "!"

    def read(self, months: Mapping[str, str]) -> dict[str, StoredWatch]:
        """The watches of these batches, of which it is known in which month they are kept."""
        found: dict[str, StoredWatch] = {}
        for month, names in _by_month((month, name) for name, month in months.items()).items():
            documents = self._months.database(month).get_many([_BATCH + name for name in names])
            found |= {
                str(document["batch"]): StoredWatch(_watch(document, month), str(document["_rev"]))
                for document in documents.values()
            }
        return found

    def write(self, watches: Iterable[StoredWatch]) -> None:
        """Write watches over what was read of them; raises StoreUnavailable when another alerter was faster."""
        self._bulk((one.watch.month, _document(one)) for one in watches)

    def forget(self, watches: Iterable[StoredWatch]) -> None:
        """Remove watches as they were read; raises as `write` does."""
        self._bulk((one.watch.month, {**_document(one), "_deleted": True}) for one in watches)

    def _bulk(self, wanted: Iterable[tuple[str, Document]]) -> None:
        for month, documents in _by_month(wanted).items():
            if any(self._months.database(month).bulk(documents)):
                raise StoreUnavailable("another alerter watches the same batches at this moment")


def _by_month(items: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for month, item in items:
        found.setdefault(month, []).append(item)
    return found


def _document(stored: StoredWatch) -> Document:
    watch = stored.watch
    return {
        "_id": _BATCH + watch.batch, **({"_rev": stored.revision} if stored.revision else {}),
        "batch": watch.batch, "receivers": list(watch.receivers), "ended_at": watch.ended_at, "seen_at": watch.seen_at,
        "told": watch.told,
    }  # fmt: skip


def _watch(document: Document, month: str) -> BatchWatch:
    return BatchWatch(
        str(document["batch"]), month, tuple(document["receivers"]), str(document["ended_at"]),
        float(document["seen_at"]), int(document["told"]),
    )  # fmt: skip
