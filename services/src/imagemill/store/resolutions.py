"""How failures were answered: a document per failed picture that was retried or discarded, none for an open one.

A database beside the ledger: nothing is written or indexed here but for failures that somebody answered. Of two
answers that a cluster took at the same moment CouchDB shows one everywhere; the failure is answered with either.
"""

from collections.abc import Iterable, Sequence

from imagemill.domain.failures import Resolution, ResolutionKind
from imagemill.store.couch import Couch, Document, Missing, successes

LAYOUT = "resolutions-1"
_BY_BATCH = "function (doc) { if (doc.batch) { emit(doc.batch, null); } }"
_VIEWS = {"batches": {"map": _BY_BATCH, "reduce": "_count"}}


class Resolutions:
    """Reads and writes them; raises StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("resolutions")

    def prepare(self) -> None:
        """Make database and view exist."""
        self._database.create()
        self._database.bulk([{"_id": f"_design/{LAYOUT}", "language": "javascript", "views": _VIEWS}])

    def add(self, resolutions: Sequence[Resolution]) -> None:
        """Answer failures. What was retried stays so; a retry takes the place of what was discarded."""
        documents = [_document(item) for item in resolutions]
        errors = self._database.bulk(documents)
        successes(documents, errors)
        taken = [str(document["_id"]) for document, error in zip(documents, errors, strict=True) if error]
        earlier = self._database.get_many(taken)
        retried = {item.id: _document(item) for item in resolutions if item.kind == "retried"}
        over = [
            {**retried[doc_id], "_rev": document["_rev"]}
            for doc_id, document in earlier.items()
            if document["kind"] == "discarded" and doc_id in retried
        ]
        successes(over, self._database.bulk(over))

    def reopen(self, ids: Sequence[str]) -> list[str]:
        """Take back that pictures were discarded; returns those that were."""
        found = self._database.get_many(ids)
        gone = [
            {"_id": doc_id, "_rev": document["_rev"], "_deleted": True}
            for doc_id, document in found.items()
            if document["kind"] == "discarded"
        ]
        successes(gone, self._database.bulk(gone))
        return [str(document["_id"]) for document in gone]

    def of(self, ids: Sequence[str]) -> dict[str, Resolution]:
        """The answers to those of the failures that have one, by id."""
        return {doc_id: _resolution(document) for doc_id, document in self._database.get_many(ids).items()}

    def answered(self, ids: Sequence[str]) -> set[str]:
        """Those of the failures that have an answer.

        One range of ids costs CouchDB a tenth of as many ids one by one, unless there is much between them.
        """
        if not ids:
            return set()
        most = 2 * len(ids)
        between = self._database.ids(min(ids), max(ids), most)
        return set(ids).intersection(between) if len(between) < most else self._database.existing(ids)

    def newest_first(self, kind: ResolutionKind, limit: int, before: str) -> tuple[list[Resolution], str | None]:
        """Of the next answers to failures older than the id `before` those of a kind, and where to go on."""
        documents = self._database.documents(before, "0", limit + 1, descending=True)
        found = [_resolution(document) for document in documents if document["_id"] != before][:limit]
        following = found[-1].id if len(documents) > limit else None
        return [item for item in found if item.kind == kind], following

    def count(self, batch: str | None = None) -> int:
        """How many failures have an answer."""
        if batch is not None:
            return self.counts([batch]).get(batch, 0)
        try:
            rows = self._database.view(LAYOUT, "batches", reduce=True)
        except Missing:
            return 0  # during an upgrade the API may come before the database
        return int(rows[0]["value"]) if rows else 0

    def counts(self, batches: Iterable[str]) -> dict[str, int]:
        """The same for batches; those without any are left out."""
        wanted = list(batches)
        try:
            rows = self._database.view(LAYOUT, "batches", reduce=True, group=True, keys=wanted) if wanted else []
        except Missing:
            return {}
        return {str(row["key"]): int(row["value"]) for row in rows}


def _document(item: Resolution) -> Document:
    return {"_id": item.id, **item.model_dump(mode="json", exclude={"id"})}


def _resolution(document: Document) -> Resolution:
    return Resolution.model_validate({**document, "id": document["_id"]})
