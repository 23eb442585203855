"""Erasures: pictures of which the bytes shall go, while the ledger keeps that they were accepted and stored."""

from collections.abc import Mapping
from typing import Literal

from imagemill.domain.ids import seconds_of
from imagemill.domain.record import Record

ErasureState = Literal["pending", "purging", "purged"]
MAX_NOTE_LENGTH = 500
# Between the last moment to undo and the first to begin: two nodes of a cluster must not see both.
UNDO_ENDS_SECONDS = 60.0


class Erasure(Record):
    """A picture that was erased: from then on its bytes are not served; `due` is when they go, and undo ends."""

    id: str
    batch: str
    at: str
    by: str
    due: str
    note: str = ""
    state: ErasureState = "pending"

    @property
    def releases_bytes(self) -> bool:
        """Does the picture need its bytes no longer, for good?"""
        return self.state != "pending"

    def can_be_undone(self, now: float) -> bool:
        """May it still be taken back?"""
        return self.state == "pending" and now < seconds_of(self.due) - UNDO_ENDS_SECONDS


class Pin(Record):
    """That a picture must be kept: it cannot be erased, by nobody and no retention, until the pin is taken away."""

    id: str
    batch: str
    at: str
    by: str
    note: str = ""


def is_live(referrer: str, erasures: Mapping[str, Erasure]) -> bool:
    """Does a picture, by its id, need the bytes that it refers to?"""
    erasure = erasures.get(referrer)
    return erasure is None or not erasure.releases_bytes
