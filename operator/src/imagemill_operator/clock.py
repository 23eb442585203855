"""Unix time that never jumps."""

import time
from collections.abc import Callable

SLEW = 0.1
"""So large a share of the time that passes a wrong clock may be put right by."""


class SteadyClock:
    """Runs with the monotonic clock and nears the wall clock slowly.

    A clock that is set forward by an hour would end every cool-down, and one that is set back would stop all reports
    for as long.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._now, self._at = wall(), monotonic()

    def __call__(self) -> float:
        """Seconds since 1970."""
        at = self._monotonic()
        passed, self._at = at - self._at, at
        wrong = self._wall() - (self._now + passed)
        self._now += passed + max(-SLEW * passed, min(SLEW * passed, wrong))
        return self._now
