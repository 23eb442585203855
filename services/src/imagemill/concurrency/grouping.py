"""Items that arrive one by one, handled in groups: bounded by count, by weight and by time."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Bounds:
    """Limits of a group. `seconds` is how long its first item waits for company."""

    entries: int
    seconds: float
    weight: int = 1 << 62


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
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._live, name=f"{name}-{n}", daemon=True) for n in range(threads)]

    def start(self) -> "Grouper[Item]":
        """Begins to handle."""
        for thread in self._threads:
            thread.start()
        return self

    def put(self, item: Item) -> None:
        """An item comes in. Who puts is who bounds: by a prefetch, or by waiting for the answer."""
        self._inbox.put(item)

    def close(self, timeout_seconds: float) -> bool:
        """Handles what is there, then ends; False when that takes too long."""
        self._stopping.set()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _live(self) -> None:
        while True:
            with self._collecting:
                group = self._collect()
            if group:
                self._handle(group)
            elif self._stopping.is_set():
                return

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
                deadline = time.monotonic() + self._bounds.seconds
            group.append(item)
            weight += self._weigh(item)
        return group
