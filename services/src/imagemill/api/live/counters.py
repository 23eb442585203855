"""The counts that pages show: from memory, kept by what this process hears, and reconciled with the ledger.

Any number of API processes each keep their own: all of them hear everything, and all read the same ledger.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from imagemill.api.live.tally import Heard, Tally, is_due
from imagemill.domain.images import Counts
from imagemill.store.couch import StoreUnavailable

_MOST_BATCHES = 200
_WATCHED_SECONDS = 60.0


@dataclass
class _Scope:
    """The counts of a batch, or of everything, with when they were read and looked at (monotonic seconds)."""

    tally: Tally = field(default_factory=Tally)
    reading: threading.Lock = field(default_factory=threading.Lock)
    began: float = float("-inf")
    took: float = 0.0
    looked_at: float = float("-inf")
    is_known: bool = False


class Counters:
    """Of everything always, of batches while somebody looks at them."""

    def __init__(self, read: Callable[[str | None], Counts]) -> None:
        self._read = read
        self._all = _Scope()
        self._batches: OrderedDict[str, _Scope] = OrderedDict()
        self._lock = threading.Lock()
        self._listening = False

    def start(self) -> None:
        """From now on everything is heard; before, each look is a reading."""
        self._listening = True

    # --- what happens -----------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        """A job or an outcome is in the ledger; `since` is Unix time."""
        # A clock that is set changes nothing of what was read when, so that is kept by the one which is never set.
        now = time.monotonic()
        heard = replace(heard, since=heard.since - time.time() + now)
        with self._lock:
            self._all.tally.hear(heard, now)
            if heard.batch in self._batches:
                self._batches[heard.batch].tally.hear(heard, now)

    def doubt(self) -> None:
        """Something was not heard, or changes counts in a way that only the ledger tells."""
        with self._lock:
            for scope in (self._all, *self._batches.values()):
                scope.tally.doubt()

    def reconcile(self, watched: bool) -> None:
        """Read again what is due to be; raises StoreUnavailable. `watched`: somebody follows the totals."""
        now = time.monotonic()
        watched = watched or now - self._all.looked_at < _WATCHED_SECONDS
        if is_due(_age(self._all, now), self._all.took, self._all.tally.is_sure, watched):
            self.reading()

    # --- what is asked ----------------------------------------------------------------------------

    def now(self, batch: str | None = None) -> Counts:
        """The counts from memory; read where nothing is known yet. Raises StoreUnavailable."""
        scope, asked = self._scope(batch), time.monotonic()
        scope.looked_at = asked
        with self._lock:
            if self._listening and scope.is_known and (_is_fresh if batch else _is_kept)(scope, asked):
                return scope.tally.counts()
        return self.reading(batch)

    def known(self) -> Counts | None:
        """The totals from memory, None when they are not known."""
        with self._lock:
            return self._all.tally.counts() if self._all.is_known else None

    def reading(self, batch: str | None = None) -> Counts:
        """The counts as the ledger has them now, which are known from then on. Raises StoreUnavailable."""
        scope, asked = self._scope(batch), time.monotonic()
        with scope.reading:
            if not (scope.is_known and scope.began >= asked):  # else somebody read it while this waited
                self._reconcile(scope, batch)
            with self._lock:
                counts = scope.tally.reading()
                if batch is not None and not counts.offered:
                    self._batches.pop(batch, None)
        return counts

    # --- inside -----------------------------------------------------------------------------------

    def _reconcile(self, scope: _Scope, batch: str | None) -> None:
        with self._lock:
            scope.tally.begin_reading()
        scope.began = time.monotonic()
        try:
            counts = self._read(batch)
        except StoreUnavailable:
            with self._lock:
                scope.is_known = False
                scope.tally.doubt()
            raise
        with self._lock:
            scope.tally.read(counts, time.monotonic())
            scope.took, scope.is_known = time.monotonic() - scope.began, True

    def _scope(self, batch: str | None) -> _Scope:
        if batch is None:
            return self._all
        with self._lock:
            # Before it is read: what happens meanwhile is heard.
            scope = self._batches.setdefault(batch, _Scope())
            self._batches.move_to_end(batch)
            while len(self._batches) > _MOST_BATCHES:
                self._batches.popitem(last=False)
            return scope


def _is_kept(scope: _Scope, now: float) -> bool:
    """The totals are read again by a thread of their own, if that does not rest because nobody looked."""
    resting = not scope.tally.is_sure and is_due(_age(scope, now) / 2, scope.took, sure=False, watched=True)
    return not resting


def _is_fresh(scope: _Scope, now: float) -> bool:
    """A batch is read again by whoever looks at it, when it is due or may lack something."""
    return scope.tally.is_sure and not is_due(_age(scope, now), scope.took, sure=True, watched=True)


def _age(scope: _Scope, now: float) -> float:
    return now - scope.began - scope.took
