"""How fast the API server is written to: a token bucket, and pauses that the server asks for."""

import asyncio
from collections.abc import Callable

WRITES_PER_SECOND, BURST_WRITES = 40.0, 80.0
"""A fraction of what API Priority and Fairness leaves a service account on a small cluster."""
LONGEST_PAUSE_SECONDS = 30.0
"""Nobody is believed who asks for more: the pools would stand still."""


class Pace:
    """Tokens come at a steady rate up to a bound. What is urgent takes one at once, and everything else then waits."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens, self._counted_at = BURST_WRITES, clock()
        self._paused_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether nothing may be written now."""
        return self._clock() < self._paused_until

    def pause(self, seconds: float) -> None:
        """Write nothing for a while."""
        self._paused_until = max(self._paused_until, self._clock() + min(seconds, LONGEST_PAUSE_SECONDS))

    def take(self) -> None:
        """Take a token, there or not."""
        self._count()
        self._tokens -= 1.0

    async def turn(self) -> None:
        """Wait for the end of a pause and for a token, and take it."""
        while (wait := self._wait_seconds()) > 0:
            await asyncio.sleep(wait)
        self.take()

    def _wait_seconds(self) -> float:
        self._count()
        return max(self._paused_until - self._clock(), (1.0 - self._tokens) / WRITES_PER_SECOND)

    def _count(self) -> None:
        now = self._clock()
        self._tokens = min(BURST_WRITES, self._tokens + (now - self._counted_at) * WRITES_PER_SECOND)
        self._counted_at = now
