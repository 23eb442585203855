"""Erasures, pins, and who needs which bytes: documents `erasure:<id>` and `pin:<id>` of the ledger.

Of all its documents only erasures change.
`pending` may be taken back, by removing the document; `purging` and `purged` are for good. They count as long as they
are there, so that what is stored and what of it was erased are both exact.
"""

from collections.abc import Iterable, Iterator, Sequence

from imagemill.domain.erasures import Erasure, ErasureState, Pin, is_live
from imagemill.domain.ids import timestamp
from imagemill.store.couch import Couch, Document, StoreUnavailable, successes
from imagemill.store.ledger_views import LAYOUT, REFERENCES_LAYOUT, RESULT_OF

_LAST = "\ufff0"
_AT_ONCE = 50
_ROWS = 1000
# Versions of which nodes did not agree, and results of many originals: removed some at a time.
_MOST_PAGES = 100


class Erasures:
    """Reads and writes them; raises StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._ledger = couch.database("ledger")

    def add(self, erasures: Sequence[Erasure]) -> list[str]:
        """Erase; returns the ids of those that were not erased before, of which the earlier erasure stays."""
        documents = [{"_id": _id(item.id), "type": "erasure", **item.model_dump(mode="json")} for item in erasures]
        errors = self._ledger.bulk(documents)
        successes(documents, errors)
        return [item.id for item, error in zip(erasures, errors, strict=True) if error is None]

    def undo(self, ids: Iterable[str], now: float) -> list[str]:
        """Take back those that still can be; returns their ids."""
        gone = [
            {"_id": _id(erasure.id), "_rev": revision, "_deleted": True}
            for erasure, revision in self._found(ids)
            if erasure.can_be_undone(now)
        ]
        errors = self._ledger.bulk(gone)
        successes(gone, errors)
        return [
            str(document["_id"]).removeprefix("erasure:")
            for document, error in zip(gone, errors, strict=True)
            if error is None
        ]

    def of(self, ids: Iterable[str]) -> dict[str, Erasure]:
        """The erasures of those of the pictures that have one."""
        return {erasure.id: erasure for erasure, _ in self._found(ids)}

    def pin(self, pin: Pin) -> bool:
        """Keep a picture; False when it is pinned already, and that pin stays."""
        document = {"_id": _pin_id(pin.id), "type": "pin", **pin.model_dump(mode="json")}
        errors = self._ledger.bulk([document])
        successes([document], errors)
        return errors == [None]

    def unpin(self, image_id: str) -> bool:
        """Take a pin away; False when there is none."""
        found = self._ledger.get(_pin_id(image_id))
        if found is not None:
            self._ledger.remove(_pin_id(image_id), str(found["_rev"]))
        return found is not None

    def pins(self, ids: Iterable[str]) -> dict[str, Pin]:
        """The pins of those of the pictures that have one."""
        found = self._ledger.get_many([_pin_id(one) for one in ids])
        return {pin.id: pin for pin in map(Pin.model_validate, found.values())}

    def drop(self, ids: Iterable[str]) -> None:
        """Take back erasures that are due, of pictures which must be kept."""
        gone = [
            {"_id": _id(erasure.id), "_rev": revision, "_deleted": True}
            for erasure, revision in self._found(ids)
            if not erasure.releases_bytes
        ]
        successes(gone, self._ledger.bulk(gone))

    def due(self, now: float, limit: int) -> list[str]:
        """Ids of pictures of which the bytes shall go now, the longest overdue first."""
        rows = self._ledger.view(
            LAYOUT, "listing", reduce=False, start_key=["", "erasing"], end_key=["", "erasing", timestamp(now)],
            limit=limit,
        )  # fmt: skip
        return [str(row["id"]).removeprefix("erasure:") for row in rows]

    def are_any(self) -> bool:
        """Is anything erased of which the bytes did not go yet?"""
        return bool(
            self._ledger.view(
                LAYOUT, "listing", reduce=False, start_key=["", "erasing"], end_key=["", "erasing", _LAST], limit=1
            )
        )

    def refresh_index(self) -> None:
        """Bring the index of who needs what up to date; raises StoreUnavailable while that takes long, as at first."""
        self._rows([""], 1)

    def advance(self, ids: Iterable[str], state: ErasureState) -> list[Erasure]:
        """Say how far they are; returns those that were not taken back before, as they are now."""
        found = list(self._found(ids))
        moved = [erasure.model_copy(update={"state": state}) for erasure, _ in found]
        documents: list[Document] = [
            {"_id": _id(item.id), "_rev": revision, "type": "erasure", **item.model_dump(mode="json")}
            for item, (_, revision) in zip(moved, found, strict=True)
        ]
        errors = self._ledger.bulk(documents)
        successes(documents, errors)
        return [item for item, error in zip(moved, errors, strict=True) if error is None]

    def unneeded(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Of the hashes those whose bytes no picture needs, some at a time.

        None at a time too: any number of pictures may have the same bytes, and whoever asks can show that it goes on.
        """
        for start in range(0, len(names), _AT_ONCE):
            some = list(names[start : start + _AT_ONCE])
            rows = self._rows(some, _ROWS)
            if len(rows) < _ROWS:
                needed = self._live(rows)
                yield [name for name in some if name not in needed]
            else:
                for name in some:
                    yield from self._if_unneeded(name)

    def _if_unneeded(self, name: str) -> Iterator[list[str]]:
        skip = 0
        while rows := self._rows([name], _ROWS, skip):
            yield []
            if self._live(rows):
                return
            skip += len(rows)
        yield [name]

    def hidden(self, names: Sequence[str]) -> set[str]:
        """Of the hashes those that only erased pictures have; also those that more have than are looked at."""
        found: set[str] = set()
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            rows = self._rows(list(some), _ROWS)
            referrers = _referrers(rows)
            erased = self.of({referrer for _, referrer in referrers})
            shown = {name for name, referrer in referrers if referrer not in erased}
            asked = set(some) if len(rows) == _ROWS else {name for name, _ in referrers}
            found |= asked - shown
        return found

    def forget_results(self, names: Sequence[str]) -> None:
        """Make results unknown that have these bytes, or are of originals that have them."""
        for attempt in range(_MOST_PAGES):
            rows = self._rows([RESULT_OF + name for name in names], _ROWS)
            ids = list(dict.fromkeys(str(row["id"]) for row in rows))
            # A node that lags may miss what is there, and on later passes names what is gone.
            found = {} if attempt else self._ledger.get_many(ids)
            there = [*found.values(), *self._still_there(one for one in ids if one not in found)]
            if not there and len(rows) < _ROWS:
                return
            gone = [{"_id": one["_id"], "_rev": one["_rev"], "_deleted": True} for one in there]
            successes(gone, self._ledger.bulk(gone))
        raise StoreUnavailable("results of what is erased are still known to one of CouchDB's nodes")

    def _still_there(self, ids: Iterable[str]) -> list[Document]:
        """One by one, which asks a majority, as no list does."""
        return [found for doc_id in ids if (found := self._ledger.get(doc_id))]

    def _live(self, rows: list[Document]) -> set[str]:
        """The hashes to which a picture refers that needs them."""
        referrers = _referrers(rows)
        erasures = self.of({referrer for _, referrer in referrers})
        return {name for name, referrer in referrers if is_live(referrer, erasures)}

    def _rows(self, names: list[str], limit: int, skip: int = 0) -> list[Document]:
        return self._ledger.view(REFERENCES_LAYOUT, "references", reduce=False, keys=names, limit=limit, skip=skip)

    def _found(self, ids: Iterable[str]) -> Iterator[tuple[Erasure, str]]:
        for document in self._ledger.get_many([_id(one) for one in ids]).values():
            yield Erasure.model_validate(document), str(document["_rev"])


def _pin_id(image_id: str) -> str:
    return f"pin:{image_id}"


def _referrers(rows: Iterable[Document]) -> set[tuple[str, str]]:
    """Hashes, each with the id of a picture that refers to it."""
    return {(str(row["key"]), str(row["id"]).partition(":")[2]) for row in rows}


def _id(image_id: str) -> str:
    return f"erasure:{image_id}"
