"""Pauses between attempts: exponential, bounded, and with jitter, lest all who failed return together."""

import random

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 10.0
_MOST_DOUBLINGS = 16


def pause_seconds(attempt: int, first: float = _FIRST_SECONDS, longest: float = _LONGEST_SECONDS) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1)."""
    doubled: float = first * 2 ** min(attempt - 1, _MOST_DOUBLINGS)
    return random.uniform(0.5, 1) * min(longest, doubled)  # noqa: S311 - nothing secret
