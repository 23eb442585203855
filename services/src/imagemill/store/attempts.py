"""How often work on a picture began that had ended its process before: counted by ourselves.

What the broker counts as a delivery differs between its versions, and it counts what is only given back.
"""

from imagemill.store.couch import Couch


class Attempts:
    """A document `attempts:<job>` for each picture that is under suspicion. Safe to use from many threads."""

    def __init__(self, couch: Couch) -> None:
        self._state = couch.database("state")

    def begin(self, job_id: str) -> int:
        """Count one more attempt; returns how many there were before. Raises StoreUnavailable or Conflict."""
        document = self._state.get(_id(job_id)) or {"_id": _id(job_id), "count": 0}
        before = int(document["count"])
        self._state.put({**document, "count": before + 1})
        return before


def _id(job_id: str) -> str:
    return f"attempts:{job_id}"
