"""Puts one pool's facts together into the policy's observation. Pure."""

from collections.abc import Collection, Mapping

from imagemill_operator.depth import BrokerReading, acked_of, backlog_of, untold_of
from imagemill_operator.facts import DeploymentFacts, PodFacts, blocked_text, typical_start_seconds
from imagemill_operator.policy import Backlog, CounterSum, Observation
from imagemill_operator.pools import PoolResource
from imagemill_operator.workers import WorkerReading


class Counters:
    """A pool's sums over workers or channels that come and go."""

    def __init__(self) -> None:
        self._images, self._seconds, self._acked = CounterSum(), CounterSum(), CounterSum()

    def completed(self, workers: Mapping[str, WorkerReading]) -> tuple[float, float]:
        """Images finished and seconds worked, as the workers tell."""
        images = self._images.update({pod: reading.images for pod, reading in workers.items()})
        seconds = self._seconds.update({pod: reading.seconds for pod, reading in workers.items()})
        return images, seconds

    def acknowledged(self, counters: Mapping[str, float]) -> float:
        """Messages acknowledged, as the broker tells."""
        return self._acked.update(counters)


def observe(
    pool: PoolResource,
    deployment: DeploymentFacts,
    pods: Collection[PodFacts],
    broker: BrokerReading,
    workers: Mapping[str, WorkerReading],
    counters: Counters,
    at_seconds: float,
    tick_seconds: float,
) -> Observation:
    """Describe a pool at one moment."""
    queues = [(pool.vhost, name) for name in pool.queues]
    backlog = backlog_of(queues, broker)
    staying = [pod for pod in pods if not pod.terminating]
    ready = [pod for pod in staying if pod.ready]
    told = {pod.name: workers[pod.name] for pod in pods if pod.name in workers}
    completed, busy_seconds = _work_done(pool, told, counters, acked_of(queues, broker), backlog)
    return Observation(
        at_seconds=at_seconds,
        backlog=backlog,
        current_replicas=deployment.replicas,
        ready_replicas=min(len(ready), deployment.replicas),
        busy_replicas=busy_replicas(ready, told) if pool.worker_metrics else None,
        threads_per_replica=sum(reading.threads for reading in told.values()) / len(told) if told else 1.0,
        completed_total=completed,
        busy_seconds_total=busy_seconds,
        pod_start_seconds=typical_start_seconds(staying),
        delay_seconds=tick_seconds,
        untold=untold_of(queues, broker),
        blocked=blocked_text(staying),
    )


def _work_done(
    pool: PoolResource,
    told: Mapping[str, WorkerReading],
    counters: Counters,
    acked: Mapping[str, float],
    backlog: Backlog | None,
) -> tuple[float | None, float | None]:
    """Images finished and seconds worked; from the workers where they tell, else only the broker's count."""
    if pool.worker_metrics is not None:
        return counters.completed(told)
    return (counters.acknowledged(acked), None) if backlog is not None else (None, None)


def busy_replicas(ready: Collection[PodFacts], told: Mapping[str, WorkerReading]) -> int | None:
    """Count the ready pods that work; one that does not answer counts as busy. None when none answers."""
    if not told:
        return None
    return sum(pod.name not in told or told[pod.name].busy > 0 for pod in ready)


def victims(pods: Collection[PodFacts], told: Mapping[str, WorkerReading], count: int) -> set[str]:
    """Choose which pods to mark as first to go: idle ones that say so.

    Pods that are not ready go before all others by Kubernetes' own rule, so they take from the count.
    """
    staying = [pod for pod in pods if not pod.terminating]
    count -= sum(not pod.ready for pod in staying)
    idle = [pod.name for pod in staying if pod.ready and pod.name in told and told[pod.name].busy == 0]
    return set(sorted(idle)[: max(0, count)])
