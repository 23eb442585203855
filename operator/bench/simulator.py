"""A discrete-event simulator: one queue, pods that start and stop, and a scaling law that looks at them."""

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from bench.traces import Trace

BROKER_REFRESH_SECONDS = 5.0
"""The broker renews its metrics so often."""
GRACE_SECONDS = 30.0
"""Kubernetes kills a pod that still works so long after it was asked to stop."""


@dataclass(slots=True)
class Pod:
    """A worker: at work on one message, while it holds others that it has fetched."""

    number: int
    ready: bool = False
    message: int | None = None
    fetched: deque[int] = field(default_factory=deque)
    asked_at: float = 0.0
    ready_at: float | None = None
    taken_at: float = 0.0
    stopping: bool = False

    @property
    def holds(self) -> int:
        """How many messages it has that it did not acknowledge."""
        return len(self.fetched) + (self.message is not None)


@dataclass(frozen=True, slots=True)
class View:
    """What a scaling law can see at one moment. ``ready`` and ``unacked`` are None while the metrics are gone."""

    now: float
    ready: int | None
    unacked: int | None
    live_ready: int | None
    replicas: int
    ready_replicas: int
    busy_replicas: int
    holding_replicas: int
    completed: int
    busy_seconds: float
    start_seconds: float | None


class Law(Protocol):
    """Something that scales: looked at every ``interval_seconds``, it answers the replicas it wants."""

    name: str
    interval_seconds: float
    idle_first: bool

    def replicas(self, view: View) -> int:
        """Return the replicas to set now."""


@dataclass(slots=True)
class Result:
    """What came of it; waits are until work begins. ``series`` is (time, backlog, replicas asked for, ready)."""

    waits: list[float] = field(default_factory=list)
    replica_seconds: float = 0.0
    changes: int = 0
    killed: int = 0
    unfinished: int = 0
    series: list[tuple[float, int, int, int]] = field(default_factory=list)


class Simulation:
    """Runs one trace under one law. Every time is in seconds from the beginning of the trace."""

    def __init__(self, trace: Trace, law: Law, seed: int = 1) -> None:
        self.trace, self.law = trace, law
        self.dice = random.Random(seed)
        self.now = 0.0
        self.events: list[tuple[float, int, str, int]] = []
        self.count = 0
        self.queue: deque[int] = deque()
        self.pods: dict[int, Pod] = {}
        self.turns: deque[int] = deque()
        self.wanted = 0
        self.broker: tuple[int, int] = (0, 0)
        self.completed = 0
        self.busy_seconds = 0.0
        self.start_seconds: float | None = None
        self.first_taken: set[int] = set()
        self.result = Result()

    def run(self) -> Result:
        """Play the trace to its end."""
        for number, at in enumerate(self.trace.arrivals):
            self._at(at, "arrive", number)
        for at in self._every(BROKER_REFRESH_SECONDS):
            self._at(at, "refresh", 0)
        for at in self._every(self.law.interval_seconds):
            self._at(at, "look", 0)
        while self.events:
            at, _, kind, number = heapq.heappop(self.events)
            if at > self.trace.duration_seconds:
                break
            self.result.replica_seconds += len(self.pods) * (at - self.now)
            self.now = at
            getattr(self, f"_{kind}")(number)
        self.result.unfinished = len(self.trace.arrivals) - self.completed
        return self.result

    def _every(self, seconds: float) -> Iterator[float]:
        """Times with an offset that is not the other clocks'."""
        offset = self.dice.random() * seconds
        for turn in range(int(self.trace.duration_seconds / seconds)):
            yield offset + turn * seconds

    def _at(self, at: float, kind: str, number: int) -> None:
        self.count += 1
        heapq.heappush(self.events, (at, self.count, kind, number))

    def _arrive(self, number: int) -> None:
        self.queue.append(number)
        self._hand_out()

    def _hand_out(self) -> None:
        """As RabbitMQ does: to one consumer after the other, whether it is at work or not, up to its prefetch."""
        passed_over = 0
        while self.queue and passed_over < len(self.turns):
            pod = self.pods.get(self.turns[0])
            if pod is None or pod.stopping:
                self.turns.popleft()
                continue
            self.turns.rotate(-1)
            if pod.holds < self.trace.prefetch:
                pod.fetched.append(self.queue.popleft())
                passed_over = 0
                self._begin(pod)
            else:
                passed_over += 1

    def _begin(self, pod: Pod) -> None:
        if pod.message is not None or not pod.fetched:
            return
        message = pod.fetched.popleft()
        pod.message, pod.taken_at = message, self.now
        if message not in self.first_taken:
            self.first_taken.add(message)
            self.result.waits.append(self.now - self.trace.arrivals[message])
        self._at(self.now + self.trace.work_seconds[message], "finish", pod.number)

    def _finish(self, number: int) -> None:
        pod = self.pods.get(number)
        if pod is None or pod.message is None:
            return
        self.completed += 1
        self.busy_seconds += self.now - pod.taken_at
        pod.message = None
        if pod.stopping:
            del self.pods[number]
        self._begin(pod)
        self._hand_out()

    def _start(self, number: int) -> None:
        pod = self.pods.get(number)
        if pod is not None:
            pod.ready, pod.ready_at = True, self.now
            self.start_seconds = self.now - pod.asked_at
            self.turns.append(number)
            self._hand_out()

    def _kill(self, number: int) -> None:
        """The grace period is over: what was in work goes back to the queue's head."""
        pod = self.pods.pop(number, None)
        if pod is not None and pod.message is not None:
            self.result.killed += 1
            self.queue.appendleft(pod.message)
            self._hand_out()

    def _refresh(self, _: int) -> None:
        self.broker = len(self.queue), self._held()

    def _held(self) -> int:
        return sum(pod.holds for pod in self.pods.values())

    def _staying(self) -> list[Pod]:
        return [pod for pod in self.pods.values() if not pod.stopping]

    def _look(self, _: int) -> None:
        wanted = self.law.replicas(self._view())
        self._scale(wanted)
        ready = sum(pod.ready for pod in self.pods.values())
        self.result.series.append((self.now, len(self.queue) + self._held(), wanted, ready))

    def _view(self) -> View:
        blind = any(begin <= self.now < end for begin, end in self.trace.outages)
        staying = self._staying()
        return View(
            now=self.now,
            ready=None if blind else self.broker[0],
            unacked=None if blind else self.broker[1],
            live_ready=None if blind else len(self.queue),
            replicas=self.wanted,
            ready_replicas=sum(pod.ready for pod in staying),
            busy_replicas=sum(pod.message is not None for pod in staying),
            holding_replicas=sum(pod.holds > 0 for pod in staying),
            completed=self.completed,
            busy_seconds=self.busy_seconds,
            start_seconds=self.start_seconds,
        )

    def _scale(self, wanted: int) -> None:
        self.result.changes += wanted != self.wanted
        self.wanted = wanted
        staying = self._staying()
        for _ in range(wanted - len(staying)):
            self._new_pod()
        for pod in self._victims(staying)[: max(0, len(staying) - wanted)]:
            self._stop(pod)

    def _new_pod(self) -> None:
        pod = Pod(number=self.count, asked_at=self.now)
        self.pods[pod.number] = pod
        self._at(self.now + self.trace.start_seconds * self.dice.uniform(0.75, 1.25), "start", pod.number)

    def _victims(self, staying: list[Pod]) -> list[Pod]:
        """Pods that are not ready go first, then idle ones if the law marks them, then the youngest."""
        idle_first = self.law.idle_first
        return sorted(
            staying, key=lambda pod: (pod.ready, idle_first and pod.message is not None, -(pod.ready_at or 0))
        )

    def _stop(self, pod: Pod) -> None:
        """It ends when it has done what it is at work on; what it has fetched besides goes back to the queue's head."""
        pod.stopping = True
        self.queue.extendleft(reversed(pod.fetched))
        pod.fetched.clear()
        if pod.message is None:
            del self.pods[pod.number]
        else:
            self._at(self.now + GRACE_SECONDS, "kill", pod.number)
        self._hand_out()
