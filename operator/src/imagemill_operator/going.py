"""Which pods are at work, how many can go before one of those would, and whom to mark so that they go first. Pure.

Kubernetes stops pods that are not ready before all others, whatever they are marked with.
"""

from collections.abc import Collection, Mapping

from imagemill_operator.facts import PodFacts
from imagemill_operator.workers import WorkerReading

UNSEEN_SECONDS = 600.0
"""So long a pod that was ready, and is not now, is taken to be at work when nobody tells."""
Told = Mapping[str, WorkerReading]


def is_busy(pod: PodFacts, told: Told, now: float) -> bool:
    """Whether a pod works, or has to be taken to: a ready one that does not answer, and one that was ready."""
    reading = told.get(pod.name)
    if reading is not None:
        return reading.busy > 0
    return pod.ready or _is_lost(pod, now)


def _is_lost(pod: PodFacts, now: float) -> bool:
    """Whether a pod was ready and is so no more, as one is whose work leaves no time for its readiness probe."""
    return pod.unready_since_seconds is not None and now - pod.unready_since_seconds <= UNSEEN_SECONDS


def busy_replicas(pods: Collection[PodFacts], told: Told, now: float) -> int | None:
    """Count the pods that work, ready or not. None when none answers."""
    return sum(is_busy(pod, told, now) for pod in _staying(pods)) if told else None


def indispensable_replicas(pods: Collection[PodFacts], told: Told, now: float) -> int:
    """Count the pods that have to stay so that none goes that works."""
    staying = _staying(pods)
    idle = [pod for pod in staying if not is_busy(pod, told, now)]
    is_in_danger = any(not pod.ready and is_busy(pod, told, now) for pod in staying)
    return len(staying) - sum(not (pod.ready and is_in_danger) for pod in idle)


def endangered_replicas(pods: Collection[PodFacts], now: float, unacked: int | None) -> int | None:
    """Count the pods that have to stay when none tells: one that is not ready any more may be at what is in work.

    None when that is no danger.
    """
    is_in_danger = unacked != 0 and any(_is_lost(pod, now) for pod in _staying(pods))
    return indispensable_replicas(pods, {}, now) if is_in_danger else None


def victims(pods: Collection[PodFacts], told: Told, count: int, now: float) -> set[str]:
    """Choose which pods to mark as first to go: idle ones that say so.

    Pods that are not ready go by themselves before those that are, so they take from the count. Only where one of them
    is at work the others are marked, to go before it.
    """
    staying = _staying(pods)
    first = [pod for pod in staying if not pod.ready]
    idle = sorted(pod.name for pod in first if not is_busy(pod, told, now))
    if len(idle) == len(first):
        count -= len(first)
        idle = sorted(pod.name for pod in staying if pod.ready and pod.name in told and told[pod.name].busy == 0)
    return set(idle[: max(0, count)])


def _staying(pods: Collection[PodFacts]) -> list[PodFacts]:
    return [pod for pod in pods if not pod.terminating]
