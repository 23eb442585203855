"""The ledger's watermark: every job before it has its outcome. Programs only ever raise it.

It keeps the search for jobs in flight to what is in flight, whatever history lies before.
"""

from imagemill.domain.ids import floor_at
from imagemill.store.couch import Couch

_ID = "watermark:ledger"
_BEGINNING = floor_at(0)


class Watermark:
    """Read by all, raised by whoever holds the lease of re-drive."""

    def __init__(self, couch: Couch) -> None:
        self._state = couch.database("state")

    def read(self) -> str:
        """The id before which nothing is in flight."""
        document = self._state.get(_ID)
        return str(document["before"]) if document else _BEGINNING

    def lower_to(self, job_id: str) -> None:
        """Set it back, so that re-drive finds what it forgot; raises Conflict when another moved it meanwhile."""
        document = self._state.get(_ID)
        if document and job_id < document["before"]:
            self._state.put({**document, "before": job_id})

    def raise_to(self, job_id: str) -> None:
        """Raises it; raises Conflict when another did so at the same moment."""
        document = self._state.get(_ID) or {"_id": _ID, "before": _BEGINNING}
        if job_id > document["before"]:
            self._state.put({**document, "before": job_id})
