"""What a feed yields, and how a reader waits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Grab:
    """One frame that was wanted: encoded bytes, seconds since the epoch, and the position in the stream."""

    at: float
    data: bytes
    position_seconds: float

    def __repr__(self) -> str:
        """Without the bytes."""
        return f"Grab(at={self.at}, {len(self.data)} bytes, position_seconds={self.position_seconds})"


class Waiter(Protocol):
    """Something to wait on that a close ends: threading.Event is one."""

    def wait(self, timeout: float | None = None) -> bool:
        """True when it is time to stop."""

    def is_set(self) -> bool:
        """Whether it is time to stop."""


Source = Callable[[Waiter], Iterator[Grab]]


# A machine that was busy for a moment catches up; one that is too slow plays the file more slowly from then on.
MOST_BEHIND_SECONDS = 5.0


class Pace:
    """Plays positions of a file at their own speed."""

    def __init__(self, stop: Waiter, clock: Callable[[], float]) -> None:
        self._stop = stop
        self._clock = clock
        self._offset: float | None = None

    def wait_for(self, position_seconds: float) -> bool:
        """Wait until it is this position's time; True when it is time to stop instead."""
        if self._offset is None:
            self._offset = self._clock() - position_seconds
        ahead = position_seconds - (self._clock() - self._offset)
        if ahead > 0:
            return self._stop.wait(ahead)
        if -ahead > MOST_BEHIND_SECONDS:
            self._offset -= ahead
        return self._stop.is_set()
