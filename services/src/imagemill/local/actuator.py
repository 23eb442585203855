"""Worker processes of each pool: as many as were asked for, the idle ones first when there are too many."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from imagemill.local.child import ManagedProcess
from imagemill.local.plan import Process

Launch = Callable[[str, int], ManagedProcess]


@dataclass(frozen=True)
class WorkerView:
    """What the scaler sees of one worker."""

    pid: int
    process: Process
    age_seconds: float


class WorkerActuator:
    """`scale` may come from any thread and only says what is wanted; `reconcile`, in the main thread, does it.

    A worker that is to go gets SIGTERM and `drain_seconds` to finish its pictures; it no longer counts.
    """

    def __init__(self, launch: Launch, drain_seconds: float, say: Callable[[str], None] = lambda _: None) -> None:
        self._launch, self._drain_seconds, self._say = launch, drain_seconds, say
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[int, frozenset[int]]] = {}
        self._workers: dict[str, dict[int, ManagedProcess]] = {}
        self._leaving: dict[tuple[str, int], tuple[ManagedProcess, float]] = {}

    def scale(self, pool: str, replicas: int, idle: Collection[int] = ()) -> None:
        """So many workers are wanted; `idle` names the processes that may go first."""
        with self._lock:
            self._wanted[pool] = (replicas, frozenset(idle))

    def wanted(self, pool: str) -> int:
        """What was asked for last."""
        with self._lock:
            return self._wanted.get(pool, (0, frozenset()))[0]

    def pids(self, pool: str) -> list[int]:
        """The pool's processes, without those that were told to go."""
        return [view.pid for view in self.workers(pool)]

    def workers(self, pool: str) -> list[WorkerView]:
        """The pool's running processes, without those that were told to go."""
        with self._lock:
            children = list(self._workers.get(pool, {}).values())
        views = [(child.pid, child) for child in children]
        return [WorkerView(pid, child.process, child.age_seconds) for pid, child in views if pid is not None]

    def blocked(self, pool: str) -> str | None:
        """What keeps workers from running, as a clause."""
        with self._lock:
            hopeless = sum(child.is_hopeless for child in self._workers.get(pool, {}).values())
        if not hopeless:
            return None
        return f"{hopeless} {'worker keeps' if hopeless == 1 else 'workers keep'} crashing"

    def reconcile(self) -> None:
        """Starts, restarts and stops processes until it is as wanted."""
        with self._lock:
            for pool, (replicas, idle) in self._wanted.items():
                workers = self._workers.setdefault(pool, {})
                self._restart_crashed(pool, workers)
                self._dismiss(pool, workers, len(workers) - replicas, idle)
                self._hire(pool, workers, replicas)
            self._see_off()

    def children(self) -> Iterator[ManagedProcess]:
        """All processes, those that are leaving too."""
        with self._lock:
            yield from [child for workers in self._workers.values() for child in workers.values()]
            yield from [child for child, _ in self._leaving.values()]

    def _restart_crashed(self, pool: str, workers: dict[int, ManagedProcess]) -> None:
        for slot, child in workers.items():
            crashed = child.crash()
            if crashed:
                self._say(f"{crashed}; it is started again. Its log: {child.log}")
            if child.pid is None and child.relaunch_when_due():
                self._say(f"worker {slot} of pool {pool} started again")

    def _dismiss(self, pool: str, workers: dict[int, ManagedProcess], surplus: int, idle: Collection[int]) -> None:
        for slot in victims(workers, surplus, idle):
            child = workers.pop(slot)
            child.terminate()
            self._leaving[pool, slot] = (child, time.monotonic() + self._drain_seconds)

    def _hire(self, pool: str, workers: dict[int, ManagedProcess], replicas: int) -> None:
        taken = {*workers, *(slot for name, slot in self._leaving if name == pool)}
        free = (slot for slot in range(1, replicas + len(taken) + 1) if slot not in taken)
        for slot, _ in zip(free, range(replicas - len(workers)), strict=False):
            workers[slot] = self._launch(pool, slot)

    def _see_off(self) -> None:
        for key, (child, deadline) in list(self._leaving.items()):
            if child.has_ended() or time.monotonic() > deadline:
                child.kill()
                del self._leaving[key]


def victims(workers: dict[int, ManagedProcess], count: int, idle: Collection[int]) -> list[int]:
    """The slots that go: those that do not run, then idle ones, then the youngest."""
    order = sorted(workers, key=lambda slot: (_rank(workers[slot].pid, idle), -slot))
    return order[: max(0, count)]


def _rank(pid: int | None, idle: Collection[int]) -> int:
    if pid is None:
        return 0
    return 1 if pid in idle else 2
