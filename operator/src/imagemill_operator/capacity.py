"""Whether more replicas could run: one pod in trouble is not all of them, and a node may be on its way. Pure."""

from collections.abc import Collection

from imagemill_operator.facts import DeploymentFacts, PodFacts

NODE_SECONDS = 600.0
"""So long a pod may wait for a node before none is expected any more. Autoscalers of nodes add one in minutes, and only
for pods that cannot be scheduled: to ask for no more pods would keep them from it."""


def blocked_text(deployment: DeploymentFacts, pods: Collection[PodFacts], now_seconds: float) -> str | None:
    """Say in one clause why more replicas would not help, None when they may.

    Pods that are stuck count once they outnumber the others: a single bad node stops nobody.
    """
    if deployment.failure is not None:
        return deployment.failure
    staying = [pod for pod in pods if not pod.terminating]
    stuck = [pod for pod in staying if pod.stuck is not None]
    if 2 * len(stuck) > len(staying):
        return _told(stuck)
    waiting = [pod for pod in staying if pod.unschedulable is not None]
    oldest = min((pod.unschedulable_since_seconds for pod in waiting), default=now_seconds)
    return _told(waiting) if now_seconds - oldest > NODE_SECONDS else None


def trouble_text(pods: Collection[PodFacts]) -> str | None:
    """Say in one clause which pods do not start, whether or not they keep others from it."""
    staying = [pod for pod in pods if not pod.terminating]
    troubled = [
        *(pod for pod in staying if pod.stuck is not None),
        *(pod for pod in staying if pod.stuck is None and pod.unschedulable is not None),
    ]
    return _told(troubled) if troubled else None


def _told(pods: Collection[PodFacts]) -> str:
    """For example "2 pods cannot run (CrashLoopBackOff)"."""
    first = next(iter(pods))
    reason = first.stuck or f"cannot be scheduled ({first.unschedulable})"
    return f"{len(pods)} {'pod' if len(pods) == 1 else 'pods'} {reason}"
