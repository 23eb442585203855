"""Scales the worker processes with the operator's policy."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imagemill_operator.policy import (
    HOUR_SECONDS,
    Budget,
    Change,
    CounterSum,
    Observation,
    PoolTracker,
    Spec,
    changed,
    decide_all,
    steered,
)
from imagemill_operator.policy import Pool as PolicyPool

from imagemill.local.actuator import WorkerActuator, WorkerView
from imagemill.local.observing import BrokerEyes, WorkerReading, backlog, read_worker
from imagemill.local.probe import get
from imagemill.wire import topology

TICK_SECONDS = 2.0
_log = logging.getLogger(__name__)


def specs(pools: Mapping[str, list[str]], most_workers: int, max_wait_seconds: float) -> dict[str, Spec]:
    """The pool for all recipes always has a worker, so that a first picture does not wait for one to start."""
    budget = Budget("this machine", most_workers)
    return {
        name: Spec(
            min_replicas=1 if "*" in recipes else 0,
            max_replicas=most_workers,
            max_wait_seconds=max_wait_seconds,
            budget=budget,
        )
        for name, recipes in pools.items()
    }


class PoolEyes:
    """What is known of one pool's workers from tick to tick."""

    def __init__(self) -> None:
        self._images, self._seconds = CounterSum(), CounterSum()
        self._start_seconds: float | None = None
        self._seen_ready: set[int] = set()

    def observe(
        self,
        at_seconds: float,
        waiting: int | None,
        unacked: int | None,
        replicas: int,
        workers: list[WorkerView],
        readings: Mapping[int, WorkerReading],
        blocked: str | None,
    ) -> Observation:
        """Put together what one tick saw; a worker that answers is ready."""
        told = {str(pid): reading for pid, reading in readings.items()}
        young = {str(worker.pid) for worker in workers if worker.age_seconds <= 2 * TICK_SECONDS}
        return Observation(
            at_seconds=at_seconds,
            backlog=backlog(waiting, unacked, readings.values()),
            current_replicas=replicas,
            ready_replicas=min(len(readings), replicas),
            busy_replicas=sum(reading.busy > 0 for reading in readings.values()),
            threads_per_replica=next((reading.threads for reading in readings.values()), 1.0),
            completed_total=self._images.update({pid: reading.images for pid, reading in told.items()}, young),
            busy_seconds_total=self._seconds.update({pid: reading.seconds for pid, reading in told.items()}, young),
            pod_start_seconds=self._started(workers, readings),
            delay_seconds=TICK_SECONDS,
            blocked=blocked,
        )

    def _started(self, workers: list[WorkerView], readings: Mapping[int, WorkerReading]) -> float | None:
        """How long the newest workers took until they answered, to the length of a tick."""
        new = [worker for worker in workers if worker.pid in readings and worker.pid not in self._seen_ready]
        self._seen_ready = set(readings)
        if new:
            self._start_seconds = max(worker.age_seconds for worker in new)
        return self._start_seconds


class Scaler:
    """Looks, decides and asks the actuator, every two seconds in a thread of its own.

    `held` tells how many messages of each pool wait outside its queue.
    """

    def __init__(
        self,
        pools: Mapping[str, Spec],
        actuator: WorkerActuator,
        broker: BrokerEyes,
        held: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._actuator, self._broker, self._held = actuator, broker, held
        self._most = max((spec.max_replicas for spec in pools.values()), default=0)
        self._trackers = {name: PoolTracker(name, [topology.work_queue(name)], spec) for name, spec in pools.items()}
        self._eyes = {name: PoolEyes() for name in pools}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scaler", daemon=True)
        for name, spec in pools.items():
            actuator.scale(name, spec.min_replicas)

    def start(self) -> None:
        """Begins to scale."""
        self._thread.start()

    def stop(self) -> None:
        """Ends scaling; the workers stay as they are."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(15)

    def states(self, history_seconds: float = HOUR_SECONDS) -> list[dict[str, Any]]:
        """Of every pool that was looked at, as the operator's `/pools` gives them."""
        states = [tracker.to_dict(history_seconds=history_seconds) for tracker in self._trackers.values()]
        return [state for state in states if state is not None]

    def steer(self, name: str, change: Change) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Change a pool until the next start; tells what it was and is, None without such a pool. Raises ValueError."""
        tracker = self._trackers.get(name)
        if tracker is None:
            return None
        before, tracker.spec = tracker.spec, changed(tracker.spec, change, self._most)
        return steered(before), steered(tracker.spec)

    def tick(self, now: float) -> None:
        """One round: look at all pools, decide for them together, say how many are wanted."""
        readings = self._read_workers()
        unacked, held = self._broker.unacked(), self._held()
        seen = {name: self._observe(name, readings[name], unacked, held.get(name, 0), now) for name in self._trackers}
        inputs = {name: PolicyPool(seen[name], track.spec, track.memory) for name, track in self._trackers.items()}
        for name, decision in decide_all(inputs).items():
            self._trackers[name].remember(seen[name], decision)
            if decision.act:
                idle = [pid for pid, reading in readings[name].items() if not reading.busy]
                self._actuator.scale(name, decision.desired_replicas, idle)

    def _observe(
        self, name: str, readings: Mapping[int, WorkerReading], unacked: Mapping[str, int], held: int, now: float
    ) -> Observation:
        actuator = self._actuator
        told = unacked.get(topology.work_queue(name))
        ready, workers = self._broker.ready(name), actuator.workers(name)
        waiting = None if ready is None else ready + held
        return self._eyes[name].observe(
            now, waiting, told, actuator.wanted(name), workers, readings, actuator.blocked(name)
        )

    def _read_workers(self) -> dict[str, dict[int, WorkerReading]]:
        views = {name: self._actuator.workers(name) for name in self._trackers}
        with ThreadPoolExecutor(8) as asking:
            answers = {name: asking.map(_ask, workers) for name, workers in views.items()}
            return {
                name: {view.pid: reading for view, reading in zip(views[name], found, strict=True) if reading}
                for name, found in answers.items()
            }

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self.tick(time.time())
            except Exception:
                # A scaler that dies would leave a full queue to one worker, silently.
                _log.exception("the scaler failed in this round and tries again in the next")
        self._broker.close()


def _ask(worker: WorkerView) -> WorkerReading | None:
    return read_worker(get(worker.process.metrics_url))
