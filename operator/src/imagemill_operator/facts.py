"""Deployments, pods and autoscalers, reduced to the few facts that decisions need."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
STUCK_REASONS = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
ENDED_PHASES = frozenset({"Succeeded", "Failed"})
RESTARTS_OF_A_CRASH_LOOP = 3
YOUNGEST_PODS = 5
LONGEST_START_SECONDS = 600.0
"""A pod that became ready later was ready before: its node was away for a moment."""


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    """``replicas`` is what the Deployment is set to."""

    name: str
    uid: str
    resource_version: str
    replicas: int


@dataclass(frozen=True, slots=True)
class PodFacts:
    """``blocked`` says why the pod will not become ready by itself; ``start_seconds`` how long it took to.

    ``created_seconds`` is unix time, 0 when the pod does not tell.
    """

    name: str
    ip: str | None
    ready: bool
    terminating: bool
    created_seconds: float
    start_seconds: float | None
    blocked: str | None
    deletion_cost: str | None


def deployment_facts(body: Mapping[str, Any]) -> DeploymentFacts:
    """Reduce a Deployment."""
    meta = body["metadata"]
    return DeploymentFacts(
        name=meta["name"],
        uid=meta.get("uid", ""),
        resource_version=meta.get("resourceVersion", ""),
        replicas=int((body.get("spec") or {}).get("replicas", 1)),
    )


def owning_deployment(body: Mapping[str, Any]) -> str | None:
    """Return the Deployment of a pod: its ReplicaSet is called after it and the hash of the pod's template."""
    meta = body["metadata"]
    template = (meta.get("labels") or {}).get("pod-template-hash")
    for owner in meta.get("ownerReferences") or ():
        if owner.get("kind") == "ReplicaSet" and template and owner["name"].endswith(f"-{template}"):
            return str(owner["name"]).removesuffix(f"-{template}")
    return None


def pods_by_deployment(body: Mapping[str, Any]) -> dict[str, PodFacts]:
    """Return a pod under its Deployment, nothing for pods that are not a Deployment's.

    Nothing either for one that has ended: an evicted pod stays until somebody deletes it, and is no replica.
    """
    owner = owning_deployment(body)
    ended = (body.get("status") or {}).get("phase") in ENDED_PHASES
    return {} if owner is None or ended else {owner: pod_facts(body)}


def autoscaled_deployment(body: Mapping[str, Any]) -> str | None:
    """Return the Deployment whose replicas a HorizontalPodAutoscaler sets."""
    target = (body.get("spec") or {}).get("scaleTargetRef") or {}
    return str(target["name"]) if target.get("kind") == "Deployment" else None


def pod_facts(body: Mapping[str, Any]) -> PodFacts:
    """Reduce a pod."""
    meta, status = body["metadata"], body.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready = conditions.get("Ready", {}).get("status") == "True"
    return PodFacts(
        name=meta["name"],
        ip=status.get("podIP"),
        ready=ready,
        terminating="deletionTimestamp" in meta,
        created_seconds=_time(meta["creationTimestamp"]).timestamp() if "creationTimestamp" in meta else 0.0,
        start_seconds=_start_seconds(meta, status, conditions) if ready else None,
        blocked=None if ready else _blocked(status, conditions),
        deletion_cost=(meta.get("annotations") or {}).get(DELETION_COST),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _restarts(status: Mapping[str, Any]) -> int:
    return sum(int(container.get("restartCount", 0)) for container in status.get("containerStatuses") or ())


def _start_seconds(meta: Mapping[str, Any], status: Mapping[str, Any], conditions: Mapping[str, Any]) -> float | None:
    """From being created to being ready; a pod that was restarted tells something else."""
    created, since = meta.get("creationTimestamp"), conditions["Ready"].get("lastTransitionTime")
    if created is None or since is None or _restarts(status):
        return None
    seconds = max(0.0, (_time(since) - _time(created)).total_seconds())
    return seconds if seconds <= LONGEST_START_SECONDS else None


def _blocked(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> str | None:
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return f"cannot be scheduled ({str(scheduled.get('message', 'no node fits'))[:160]})"
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if reason in STUCK_REASONS:
            return f"cannot run ({reason})"
    return "keeps crashing" if _restarts(status) >= RESTARTS_OF_A_CRASH_LOOP else None


def blocked_text(pods: Iterable[PodFacts]) -> str | None:
    """Say in one clause what keeps pods from starting: "2 pods cannot run (CrashLoopBackOff)"."""
    reasons = [pod.blocked for pod in pods if pod.blocked is not None and not pod.terminating]
    if not reasons:
        return None
    return f"{len(reasons)} {'pod' if len(reasons) == 1 else 'pods'} {reasons[0]}"


def typical_start_seconds(pods: Iterable[PodFacts]) -> float | None:
    """Median over the youngest pods: the first ones may have waited for a broker or an image."""
    youngest = sorted(pods, key=lambda pod: pod.created_seconds, reverse=True)
    known = [pod.start_seconds for pod in youngest if pod.start_seconds is not None][:YOUNGEST_PODS]
    return statistics.median(known) if known else None
