"""Documents of which a CouchDB cluster has two versions: two nodes each took one while they did not see each other.

CouchDB shows one of them, chosen by a hash. For an outcome it matters which: a picture must not be stored, then failed.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

import structlog
from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat
from imagemill.domain.erasures import ErasureState
from imagemill.domain.ids import made_at
from imagemill.store.couch import Couch, Document

log = structlog.get_logger(__name__)

RESOLVED = Counter("imagemill_conflicts_resolved", "Documents of the ledger of which a second version was removed")
_CURSOR = "conflicts:ledger"
_PAGE = 1000
_PAGES_PER_ROUND = 20
_KEY = "key:"
_KEY_SETTLES_SECONDS = 300.0
_ERASED: Sequence[ErasureState] = ("purged", "purging", "pending")


def winner(versions: Sequence[Document]) -> Document:
    """The version that counts: a stored outcome before a failed one, an erasure that went further, then the earliest.

    >>> winner([{"status": "failed", "_rev": "1-b"}, {"status": "stored", "_rev": "1-a"}])["status"]
    'stored'
    """
    return min(versions, key=_rank)


def _may_go_on(doc_id: str, versions: Sequence[Document]) -> bool:
    """May a request that has remembered one of these ids just now be about to use it?"""
    return doc_id.startswith(_KEY) and any(
        time.time() - made_at(str(version["id"])) < _KEY_SETTLES_SECONDS for version in versions
    )


def _rank(version: Document) -> tuple[bool, int, str, str]:
    trace = version.get("trace") or [{}]
    made = str(trace[-1].get("at") or version.get("job") or version.get("id") or "")
    # Bytes that are gone do not come back because another node had not heard of it.
    undone = _ERASED.index(version["state"]) if version.get("type") == "erasure" else 0
    return version.get("status") == "failed", undone, made, str(version["_rev"])


class Conflicts:
    """Finds such documents in the ledger, a few pages of its changes at a time, and leaves one version of each."""

    def __init__(self, couch: Couch) -> None:
        self._ledger, self._state = couch.database("ledger"), couch.database("state")

    def round(self) -> int:
        """Go on where the last round ended; returns how many were resolved. Raises StoreUnavailable or Conflict."""
        cursor: Document = self._state.get(_CURSOR) or {"_id": _CURSOR, "since": "0"}
        since, resolved = str(cursor["since"]), 0
        for found, last in islice(self._pages(since), _PAGES_PER_ROUND):
            beat()
            if any(_may_go_on(doc_id, versions) for doc_id, versions in found):
                break
            for doc_id, versions in found:
                self.resolve(doc_id, versions)
                resolved += 1
            since = last
        if since != cursor["since"]:
            self._state.put({**cursor, "since": since})
        return resolved

    def all(self) -> Iterator[tuple[str, list[Document]]]:
        """Every document with two versions, from the beginning."""
        for found, _ in self._pages("0"):
            yield from found

    def resolve(self, doc_id: str, versions: Sequence[Document]) -> Document:
        """Leave the version that counts, and return it."""
        kept = winner(self._used(versions) if doc_id.startswith(_KEY) else versions)
        for version in versions:
            if version is not kept:
                self._ledger.remove(doc_id, str(version["_rev"]))
        RESOLVED.inc()
        statuses = [version.get("status") for version in versions]
        log.warning("a document had two versions", document=doc_id, kept=kept["_rev"], statuses=statuses)
        return kept

    def _used(self, keys: Sequence[Document]) -> Sequence[Document]:
        """Of a key's versions the one whose id was used; all of them when none was."""
        used = [
            key for key in keys if self._ledger.get(f"job:{key['id']}") or self._ledger.get(f"rejection:{key['id']}")
        ]
        return used or keys

    def _pages(self, since: str) -> Iterator[tuple[list[tuple[str, list[Document]]], str]]:
        """Of each page of changes the documents with two versions, and where the next page begins."""
        size = _PAGE
        while size == _PAGE:
            page, since = self._ledger.changes(since, _PAGE)
            size = len(page)
            found = [
                (doc_id, self._ledger.versions(doc_id, revisions)) for doc_id, revisions in page if len(revisions) > 1
            ]
            yield [(doc_id, versions) for doc_id, versions in found if len(versions) > 1], since
