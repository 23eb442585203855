"""How many alerts nobody has acknowledged: from memory, read again when something is heard that may change it."""

import threading
import time
from collections.abc import Callable

from imagemill.concurrency.loop import Loop
from imagemill.domain.activity import Record
from imagemill.store.couch import StoreUnavailable

_LOOK_EVERY_SECONDS = 0.5
# What is heard may be late or never come.
_READ_EVERY_SECONDS = 30.0
_HEARD = frozenset({"alert", "acknowledged", "unacknowledged"})


class UnseenAlerts:
    """One per API process. `read` counts by the index and raises StoreUnavailable; `tell` hears of another count."""

    def __init__(self, read: Callable[[], int], tell: Callable[[int], None], is_watched: Callable[[], bool]) -> None:
        self._read, self._tell, self._is_watched = read, tell, is_watched
        self._lock = threading.Lock()
        self._count: int | None = None
        self._told: int | None = None
        self._read_at = self._failed_at = float("-inf")
        self._is_sure = False
        self._loop = Loop("unseen alerts", self._round, every_seconds=_LOOK_EVERY_SECONDS, passing=StoreUnavailable)

    def start(self) -> None:
        """Follow what happens."""
        self._loop.start()

    def close(self, timeout_seconds: float = 0) -> bool:
        """End."""
        return self._loop.close(timeout_seconds)

    def notice(self, record: Record) -> None:
        """Something happened."""
        if record.get("kind") in _HEARD:
            self.doubt()

    def doubt(self) -> None:
        """The count may be another one now."""
        self._is_sure = False

    def now(self) -> int:
        """The count; read where it is not known well. Raises StoreUnavailable."""
        count = self._count
        if count is None or not self._is_sure or self._is_old():
            return self._reading()
        return count

    def _round(self) -> None:
        if self._is_watched() and (not self._is_sure or self._is_old()):
            self._reading()
        count = self._count
        if count is not None and count != self._told:
            self._tell(count)
            self._told = count

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > _READ_EVERY_SECONDS

    def _reading(self) -> int:
        asked = time.monotonic()
        with self._lock:
            if self._count is not None and self._is_sure and self._read_at >= asked:
                return self._count  # somebody read it while this waited
            if self._failed_at >= asked:
                # Or tried to: each would wait for a store that hangs, one after the other, and soon all threads would.
                raise StoreUnavailable("the store did not answer somebody who asked for the count before")
            # Before it is read: what is heard meanwhile may not be in it.
            self._is_sure, self._read_at = True, time.monotonic()
            try:
                self._count = self._read()
            except StoreUnavailable:
                self._is_sure, self._failed_at = False, time.monotonic()
                raise
            return self._count
