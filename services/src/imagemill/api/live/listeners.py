"""Who listens: a bounded number in all, and of each address."""

import threading
from collections import Counter
from collections.abc import Callable

from prometheus_client import Gauge

LISTENERS = Gauge("imagemill_event_streams", "Open event streams")


class TooManyStreams(Exception):
    """All places for open pages are taken, or all that one address may have."""


class Listener:
    """One open page's place among the events.

    `allowed` is asked at least every two seconds, in the thread that serves all pages: it must answer from memory.
    """

    def __init__(
        self, places: "Places", address: str, place: int, batch: str | None, allowed: Callable[[], bool]
    ) -> None:
        self._places, self.address = places, address
        self.place, self.batch, self.allowed = place, batch, allowed

    def close(self) -> None:
        """Give the place back; more than once does no harm."""
        self._places.leave(self)


class Places:
    """The places for open pages."""

    def __init__(self, count: int, per_address: int) -> None:
        self._count, self._per_address = count, per_address
        self._taken: set[Listener] = set()
        self._of: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, address: str, place: int, batch: str | None, allowed: Callable[[], bool]) -> Listener:
        """A new listener; raises TooManyStreams."""
        listener = Listener(self, address, place, batch, allowed)
        with self._lock:
            if len(self._taken) >= self._count or self._of[address] >= self._per_address:
                raise TooManyStreams
            self._taken.add(listener)
            self._of[address] += 1
            LISTENERS.set(len(self._taken))
        return listener

    def leave(self, listener: Listener) -> None:
        """Its place is free again."""
        with self._lock:
            if listener in self._taken:
                self._taken.remove(listener)
                self._of[listener.address] -= 1
                if not self._of[listener.address]:
                    del self._of[listener.address]
                LISTENERS.set(len(self._taken))
