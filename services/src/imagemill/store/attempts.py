"""How often work on a picture began that had ended its process before: counted by ourselves.

What the broker counts as a delivery differs between its versions, and it counts what is only given back.
"""

from imagemill.store.couch import Couch, Document

# One more than any limit that makes sense; a document must not grow for ever.
_MOST = 100


class Attempts:
    """A document `attempts:<job>` for each picture that is under suspicion. Safe to use from many threads."""

    def __init__(self, couch: Couch) -> None:
        self._state = couch.database("state")

    def begin(self, job_id: str, attempt_id: str) -> int:
        """Count an attempt, once however often it is said; returns how many there were before.

        Raises StoreUnavailable or Conflict: then it is not known whether it counts, and it must be said again.
        """
        document: Document = self._state.get(_id(job_id)) or {"_id": _id(job_id)}
        # Earlier versions only had a number.
        earlier, known = int(document.get("count", 0)), list(document.get("attempts", []))
        before = earlier + (known.index(attempt_id) if attempt_id in known else len(known))
        if before < _MOST:
            self._state.put({**document, "attempts": known if attempt_id in known else [*known, attempt_id]})
        return before


def _id(job_id: str) -> str:
    return f"attempts:{job_id}"
