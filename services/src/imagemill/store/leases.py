"""A duty which one program at a time may do: a document that is taken over by compare-and-set on its revision.

Expiry is measured on the observer's own clock: a lease is free when its revision has not changed for as long as it
lasts, so that clocks which disagree do no harm.
"""

import time
from collections.abc import Callable

from imagemill.store.couch import Conflict, Couch, Document

_PREPARED = "prepared:"


class Lease:
    """One duty, as one program sees it."""

    def __init__(
        self, couch: Couch, duty: str, holder: str, lasts_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = couch.database("state")
        self._id, self._holder, self._lasts, self._clock = f"lease:{duty}", holder, lasts_seconds, clock
        self._seen_revision = ""
        self._seen_at = 0.0
        self._held_until = 0.0

    @property
    def held(self) -> bool:
        """May the duty be done now? Ends before any other program can take the lease."""
        return self._clock() < self._held_until

    def hold(self) -> bool:
        """Takes or renews the lease if it may; call it several times within its duration."""
        began = self._clock()
        document = self._database.get(self._id) or {"_id": self._id, "holder": None}
        if not self._may_take(document):
            return False
        try:
            self._seen_revision = self._database.put({**document, "holder": self._holder})
        except Conflict:
            return False
        self._seen_at = self._clock()
        self._held_until = began + self._lasts * 0.8
        return True

    def release(self) -> None:
        """Gives it up at once, so that nobody waits for its end."""
        document = self._database.get(self._id)
        self._held_until = 0.0
        if document and document["holder"] == self._holder:
            try:
                self._database.put({**document, "holder": None})
            except Conflict:
                return

    def _may_take(self, document: Document) -> bool:
        if document["holder"] in (None, self._holder):
            return True
        if document["_rev"] != self._seen_revision:
            self._seen_revision, self._seen_at = document["_rev"], self._clock()
        return self._clock() - self._seen_at > self._lasts


def prepare(couch: Couch) -> None:
    """Makes the database of leases and other small state exist."""
    couch.database("state").create()


def mark_prepared(couch: Couch, layout: str) -> None:
    """Note that all databases are there, as a version of the programs wants them."""
    couch.database("state").bulk([{"_id": _PREPARED + layout}])


def is_prepared(couch: Couch, layout: str) -> bool:
    """Was that noted?"""
    return couch.database("state").get(_PREPARED + layout) is not None
