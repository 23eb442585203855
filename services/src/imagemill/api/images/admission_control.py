"""Why nothing is taken in at this moment, although all servers answer."""

from imagemill.concurrency.loop import Loop
from imagemill.domain.errors import Busy
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.ledger import Ledger

_EVERY_SECONDS = 5.0
_CLOCKS_MAY_DIFFER_SECONDS = 60.0


def closed_because(ahead_seconds: float, in_flight: int, most_in_flight: int) -> Busy | None:
    """The error to answer uploads with, None while they are taken.

    The time in a job's id says where it is looked for, so a clock that is wrong hides what it accepts.
    """
    if abs(ahead_seconds) > _CLOCKS_MAY_DIFFER_SECONDS:
        how = "ahead of" if ahead_seconds > 0 else "behind"
        sentence = (
            f"This server's clock is {abs(ahead_seconds):,.0f} s {how} the database's. Nothing was accepted; it is "
            "taken again when somebody has set the clock."
        )
        return Busy("clock-differs", sentence)
    if in_flight >= most_in_flight:
        sentence = f"{in_flight:,} pictures are in flight already. Nothing was accepted; try again later."
        return Busy("too-many-in-flight", sentence)
    return None


class AdmissionControl:
    """Looks at the clock and the counts every few seconds; `check` is for every upload."""

    def __init__(self, couch: Couch, ledger: Ledger, most_in_flight: int) -> None:
        self._couch, self._ledger, self._most = couch, ledger, most_in_flight
        self._closed: Busy | None = None
        self._loop = Loop("admission", self._look, every_seconds=_EVERY_SECONDS, passing=StoreUnavailable)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def close(self, timeout_seconds: float) -> bool:
        """End; False when that takes too long."""
        return self._loop.close(timeout_seconds)

    def check(self) -> None:
        """Raises Busy while nothing is taken."""
        if self._closed is not None:
            raise self._closed

    def _look(self) -> None:
        self._closed = closed_because(self._couch.clock_ahead_seconds(), self._ledger.counts().in_flight, self._most)
