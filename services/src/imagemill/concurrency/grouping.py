"""Items that arrive one by one, handled in groups: bounded by count, by weight and by time."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from imagemill.concurrency.loop import Loop, close_all

Item = TypeVar("Item")
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Bounds:
    """Limits of a group. `seconds` is how long its first item waits for company.

    `lone_seconds`: the same after a group that found none; None: always as long.
    """

    entries: int
    seconds: float
    weight: int = 1 << 62
    lone_seconds: float | None = None

    def wait_seconds(self, entries_before: int) -> float:
        """How long to wait after a group of that many items: who came alone is likely to be alone again."""
        return self.seconds if entries_before > 1 or self.lone_seconds is None else self.lone_seconds


class Grouper(Generic[Item]):
    """Threads which collect items into groups and handle them. More than one thread: groups overlap in time."""

    def __init__(
        self,
        handle: Callable[[list[Item]], None],
        bounds: Bounds,
        threads: int = 1,
        weigh: Callable[[Item], int] = lambda _: 0,
        name: str = "group",
    ) -> None:
        self._handle, self._bounds, self._weigh = handle, bounds, weigh
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._collecting = threading.Lock()
        self._entries_before = 0
        self._loops = [Loop(f"{name}-{n}", self._next, at_end=self._next, heals=False) for n in range(threads)]

    def start(self) -> None:
        """Begin to handle."""
        for loop in self._loops:
            loop.start()

    def put(self, item: Item) -> None:
        """Take an item in. Who puts is who bounds: by a prefetch, or by waiting for the answer."""
        self._inbox.put(item)

    def close(self, timeout_seconds: float) -> bool:
        """Handle what is there, then end; False when that takes too long."""
        return close_all(self._loops, timeout_seconds)

    def _next(self) -> bool:
        with self._collecting:
            group = self._collect()
        if group:
            self._handle(group)
        return bool(group)

    def _collect(self) -> list[Item]:
        group: list[Item] = []
        weight = 0
        deadline = time.monotonic() + _POLL_SECONDS
        while len(group) < self._bounds.entries and weight < self._bounds.weight:
            try:
                item = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if not group:
                deadline = time.monotonic() + self._bounds.wait_seconds(self._entries_before)
            group.append(item)
            weight += self._weigh(item)
        self._entries_before = len(group) or self._entries_before
        return group
