"""Puts one pool's facts together into the policy's observation. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from imagemill_operator.capacity import blocked_text, trouble_text
from imagemill_operator.depth import BrokerReading, acked_of, backlog_of, consumers_of, untold_of, useful_replicas_of
from imagemill_operator.facts import DeploymentFacts, PodFacts, typical_start_seconds
from imagemill_operator.going import busy_replicas, endangered_replicas, indispensable_replicas
from imagemill_operator.idle import PodsSeen
from imagemill_operator.policy import Backlog, CounterSum, Observation
from imagemill_operator.pools import PoolResource
from imagemill_operator.workers import WorkerReading

CLOCKS_DIFFER_SECONDS = 5.0
"""The API server's clock and ours may differ by so much, and its times are whole seconds."""


class Counters:
    """What is kept of a pool's workers and channels, which come and go: their sums, and how long each pod started."""

    def __init__(self) -> None:
        self._images, self._seconds, self._acked = CounterSum(), CounterSum(), CounterSum()
        self._updated_at: float | None = None
        self._acks_told = False
        self._first_starts: dict[str, float | None] = {}

    def first_starts(self, pods: Collection[PodFacts]) -> list[PodFacts]:
        """Give each pod the start it had first: one that was not ready for a moment tells a later one."""
        known = {pod.name: pod.start_seconds for pod in pods if pod.ready} | self._first_starts
        self._first_starts = {pod.name: known[pod.name] for pod in pods if pod.name in known}
        return [replace(pod, start_seconds=self._first_starts.get(pod.name)) for pod in pods]

    def completed(
        self, workers: Mapping[str, WorkerReading], pods: Collection[PodFacts], at_seconds: float
    ) -> tuple[float, float]:
        """Images finished and seconds worked, as the workers tell."""
        started = self._started(pods)
        self._updated_at = at_seconds
        images = self._images.update({pod: reading.images for pod, reading in workers.items()}, started)
        seconds = self._seconds.update({pod: reading.seconds for pod, reading in workers.items()}, started)
        return images, seconds

    def _started(self, pods: Collection[PodFacts]) -> set[str]:
        """Name the pods that were created since the last update: all they count is new."""
        if self._updated_at is None:
            return set()
        since = self._updated_at - CLOCKS_DIFFER_SECONDS
        return {pod.name for pod in pods if pod.created_seconds >= since}

    def acknowledged(self, counters: Mapping[str, float]) -> float | None:
        """Messages acknowledged, as the broker tells; None until it told once: the management API alone never does.

        A node or channel that is new only sets its mark.
        """
        self._acks_told = self._acks_told or bool(counters)
        return self._acked.update(counters) if self._acks_told else None


def observe(
    pool: PoolResource,
    deployment: DeploymentFacts,
    pods: Collection[PodFacts],
    broker: BrokerReading,
    workers: Mapping[str, WorkerReading],
    counters: Counters,
    at_seconds: float,
    tick_seconds: float,
    held_back: int = 0,
) -> Observation:
    """Describe a pool at one moment; ``held_back`` is how many of its messages wait outside of its queues.

    Which replicas are at work is left to ``with_work``.
    """
    queues = [(pool.vhost, name) for name in pool.queues]
    backlog = backlog_of(queues, broker)
    if backlog is not None:
        backlog = replace(backlog, ready=backlog.ready + held_back)
    staying = [pod for pod in pods if not pod.terminating]
    ready = [pod for pod in staying if pod.ready]
    told = {pod.name: workers[pod.name] for pod in pods if pod.name in workers}
    completed, busy_seconds = (
        counters.completed(told, pods, at_seconds)
        if pool.worker_metrics is not None
        else (_acknowledged(counters, acked_of(queues, broker), backlog), None)
    )
    return Observation(
        at_seconds=at_seconds,
        backlog=backlog,
        current_replicas=deployment.replicas,
        ready_replicas=min(len(ready), deployment.replicas),
        threads_per_replica=sum(reading.threads for reading in told.values()) / len(told) if told else 1.0,
        completed_total=completed,
        busy_seconds_total=busy_seconds,
        pod_start_seconds=typical_start_seconds(counters.first_starts(staying)),
        delay_seconds=tick_seconds,
        existing_replicas=len(pods),
        useful_replicas=useful_replicas_of(queues, broker),
        consumers=consumers_of(queues, broker),
        untold=untold_of(queues, broker),
        grace_seconds=deployment.grace_seconds,
        blocked=blocked_text(deployment, pods, at_seconds),
        trouble=trouble_text(pods),
    )


def _acknowledged(counters: Counters, acked: Mapping[str, float], backlog: Backlog | None) -> float | None:
    """Count finished messages by the broker's acknowledgements, unless it did not answer."""
    return None if backlog is None else counters.acknowledged(acked)


def with_work(
    seen: Observation,
    pods: Collection[PodFacts],
    told: Mapping[str, WorkerReading],
    by_broker: PodsSeen | None,
) -> Observation:
    """Add which replicas are at work: as the pods tell themselves, and of those that do not, as the broker knows."""
    held = {} if by_broker is None else readings_of(by_broker, pods, seen.at_seconds)
    both, now = {**held, **told}, seen.at_seconds
    if both or (by_broker is not None and by_broker.is_told):
        kept: int | None = indispensable_replicas(pods, both, now)
    else:
        kept = endangered_replicas(pods, now, None if seen.backlog is None else seen.backlog.unacked)
    if by_broker is not None and not told:
        kept = _kept_by_broker(by_broker, kept, [pod for pod in pods if not pod.terminating])
    return replace(seen, busy_replicas=busy_replicas(pods, both, now) if told else None, holding_replicas=kept)


def _kept_by_broker(by_broker: PodsSeen, kept: int | None, staying: Collection[PodFacts]) -> int | None:
    """Nobody goes before the broker was asked; and for each message that somebody unknown holds one stays."""
    if by_broker.pending:
        return len(staying)
    if kept is None or by_broker.problem:
        return kept
    return min(len(staying), kept + max(0, by_broker.elsewhere - by_broker.unknown(staying)))


def readings_of(by_broker: PodsSeen, pods: Collection[PodFacts], now: float) -> dict[str, WorkerReading]:
    """What the broker knows of pods, as they would tell it themselves. A pod that is not among them counts as busy."""
    idle = {pod.name: 0 for pod in pods if by_broker.none_in_work and pod.name not in by_broker.waiting}
    held = {**idle, **by_broker.held}
    return {pod: WorkerReading(now, count, 1.0, 0.0, 0.0) for pod, count in held.items()}
