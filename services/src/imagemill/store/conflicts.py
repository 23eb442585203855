"""Documents of which a CouchDB cluster has two versions: two nodes each took one while they did not see each other.

CouchDB shows one of them, chosen by a hash. For an outcome it matters which: a picture must not be stored, then failed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat
from imagemill.store.couch import Couch, Document

log = structlog.get_logger(__name__)

RESOLVED = Counter("imagemill_conflicts_resolved", "Documents of the ledger of which a second version was removed")
_CURSOR = "conflicts:ledger"
_PAGE = 1000
_PAGES_PER_ROUND = 20


def winner(versions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The version that counts: a stored outcome before a failed one, then the earliest.

    >>> winner([{"status": "failed", "_rev": "1-b"}, {"status": "stored", "_rev": "1-a"}])["status"]
    'stored'
    """
    return min(versions, key=_rank)


def _rank(version: Mapping[str, Any]) -> tuple[bool, str, str]:
    trace = version.get("trace") or [{}]
    made = str(trace[-1].get("at") or version.get("job") or version.get("id") or "")
    return version.get("status") == "failed", made, str(version["_rev"])


class Conflicts:
    """Finds such documents in the ledger, a few pages of its changes at a time, and leaves one version of each."""

    def __init__(self, couch: Couch) -> None:
        self._ledger, self._state = couch.database("ledger"), couch.database("state")

    def round(self) -> int:
        """Go on where the last round ended; returns how many were resolved. Raises StoreUnavailable or Conflict."""
        cursor: Document = self._state.get(_CURSOR) or {"_id": _CURSOR, "since": "0"}
        since, resolved = str(cursor["since"]), 0
        for _ in range(_PAGES_PER_ROUND):
            beat()
            page, last = self._ledger.changes(since, _PAGE)
            for doc_id, revisions in page:
                if len(revisions) > 1:
                    resolved += self._resolve(doc_id, revisions)
            since = last
            if len(page) < _PAGE:
                break
        if since != cursor["since"]:
            self._state.put({**cursor, "since": since})
        return resolved

    def _resolve(self, doc_id: str, revisions: Sequence[str]) -> int:
        leaves = [self._ledger.get(doc_id, revision) for revision in revisions]
        versions = [leaf for leaf in leaves if leaf and not leaf.get("_deleted")]
        if len(versions) < 2:
            return 0
        kept = winner(versions)
        for version in versions:
            if version is not kept:
                self._ledger.remove(doc_id, str(version["_rev"]))
        RESOLVED.inc()
        log.warning(
            "a document had two versions",
            document=doc_id,
            kept=kept["_rev"],
            statuses=[v.get("status") for v in versions],
        )
        return 1
