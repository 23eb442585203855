"""Which clients are too slow to be waited for: pure, and the places for those that are nearly so."""

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import Counter

CUT = Counter("imagemill_http_slow_clients", "Requests ended because their clients were too slow", ["why"])
_PATIENCE_SECONDS = 0.5
_SLOW_BYTES_PER_SECOND = 64 * 1024


@dataclass
class Lag:
    """How far behind a rate somebody is, in seconds. What was fast before buys no time: it is never below 0."""

    limit_seconds: float
    bytes_per_second: float
    seconds: float = 0.0

    @property
    def left_seconds(self) -> float:
        """So long the next bytes may take."""
        return self.limit_seconds - self.seconds

    def add(self, waited_seconds: float, moved_bytes: int) -> None:
        """Note a wait, and what came of it."""
        self.seconds = max(0.0, self.seconds + waited_seconds - moved_bytes / self.bytes_per_second)


@dataclass
class ClientPace:
    """A client's pace: beyond `patience` it counts as slow, beyond `least` nobody waits for it any more."""

    least: Lag
    patience: Lag = field(default_factory=lambda: Lag(_PATIENCE_SECONDS, _SLOW_BYTES_PER_SECOND))
    waiting_since: float | None = None

    def note(self, waited_seconds: float, moved_bytes: int) -> None:
        """Note a wait, and what came of it."""
        self.least.add(waited_seconds, moved_bytes)
        self.patience.add(waited_seconds, moved_bytes)

    def behind_seconds(self, now: float) -> float:
        """How far behind it is, the wait that goes on included."""
        return self.least.seconds + (now - self.waiting_since if self.waiting_since is not None else 0.0)


class SlowClient(Protocol):
    """Somebody who can be cut off."""

    pace: ClientPace

    def cut(self) -> None:
        """Make whoever waits for it go on."""


class SlowPlaces:
    """The places for slow clients. When there are more of them, the one that is furthest behind is cut off."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._holders: set[SlowClient] = set()
        self._lock = threading.Lock()

    def take(self, client: SlowClient) -> None:
        """A thread begins to wait longer than usual."""
        now = time.monotonic()
        with self._lock:
            self._holders.add(client)
            if len(self._holders) <= self._count:
                return
            last = max(self._holders, key=lambda holder: holder.pace.behind_seconds(now))
            self._holders.discard(last)
        CUT.labels("too many of them").inc()
        last.cut()

    def leave(self, client: SlowClient) -> None:
        """Its request has ended."""
        with self._lock:
            self._holders.discard(client)
