"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(
    what: str, find: Callable[[], Found | None], timeout_seconds: float = 120, pause_seconds: float = 0.5
) -> Found:
    """What `find` finds (anything but None and False); raises AssertionError when time is over."""
    end = time.monotonic() + timeout_seconds
    while True:
        found = find()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_seconds:g} s: {what}")
        time.sleep(pause_seconds)
