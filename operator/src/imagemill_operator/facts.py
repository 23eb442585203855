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
LONGEST_MESSAGE = 160
GRACE_SECONDS = 30.0
"""What Kubernetes gives a pod that does not say otherwise."""
LONGEST_START_SECONDS = 600.0
"""A pod that became ready later was ready before: its node was away for a moment."""


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    """``replicas`` is what the Deployment is set to; ``failure`` says why it cannot even create pods."""

    name: str
    uid: str
    resource_version: str
    replicas: int
    failure: str | None = None
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, slots=True)
class PodFacts:
    """``stuck`` says why the pod will not become ready by itself; ``start_seconds`` how long it took to.

    ``created_seconds`` is unix time, 0 when the pod does not tell. ``unschedulable`` says why no node takes it, since
    ``unschedulable_since_seconds``: a node for it may be on its way. ``more_ips`` are addresses beside ``ip``; on the
    host's network they are those of everything that runs on the node. ``unready_since_seconds`` is since when a pod is
    not ready that was before, and has run all the time.
    """

    name: str
    ip: str | None
    ready: bool
    terminating: bool
    created_seconds: float
    start_seconds: float | None
    stuck: str | None
    deletion_cost: str | None
    unschedulable: str | None = None
    unschedulable_since_seconds: float = 0.0
    more_ips: tuple[str, ...] = ()
    on_host_network: bool = False
    unready_since_seconds: float | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that the pod has."""
        return self.more_ips if self.ip is None else (self.ip, *self.more_ips)


def deployment_facts(body: Mapping[str, Any]) -> DeploymentFacts:
    """Reduce a Deployment."""
    meta = body["metadata"]
    return DeploymentFacts(
        name=meta["name"],
        uid=meta.get("uid", ""),
        resource_version=meta.get("resourceVersion", ""),
        replicas=int((body.get("spec") or {}).get("replicas", 1)),
        grace_seconds=_grace_seconds(body.get("spec") or {}),
        failure=_failure(_conditions(body.get("status") or {})),
    )


def _grace_seconds(spec: Mapping[str, Any]) -> float:
    grace = ((spec.get("template") or {}).get("spec") or {}).get("terminationGracePeriodSeconds")
    return GRACE_SECONDS if grace is None else float(grace)


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in status.get("conditions") or ()}


def _failure(conditions: Mapping[str, Any]) -> str | None:
    """A quota, an admission webhook or Pod Security refuses pods before there is one to look at."""
    failure = conditions.get("ReplicaFailure", {})
    if failure.get("status") != "True":
        return None
    return f"pods are not created ({_short(failure.get('message') or failure.get('reason') or 'refused')})"


def _short(message: Any) -> str:
    return str(message)[:LONGEST_MESSAGE]


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
    conditions = _conditions(status)
    scheduled = conditions.get("PodScheduled", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    ready = conditions.get("Ready", {}).get("status") == "True"
    return PodFacts(
        name=meta["name"],
        ip=status.get("podIP"),
        ready=ready,
        terminating="deletionTimestamp" in meta,
        created_seconds=_seconds(meta.get("creationTimestamp")),
        start_seconds=_start_seconds(meta, status, conditions) if ready else None,
        stuck=None if ready else _stuck(status, conditions),
        deletion_cost=(meta.get("annotations") or {}).get(DELETION_COST),
        unschedulable=_short(scheduled.get("message", "no node fits")) if unschedulable else None,
        unschedulable_since_seconds=_seconds(scheduled.get("lastTransitionTime")) if unschedulable else 0.0,
        more_ips=tuple(one["ip"] for one in status.get("podIPs") or () if one["ip"] != status.get("podIP")),
        on_host_network=bool((body.get("spec") or {}).get("hostNetwork")),
        unready_since_seconds=None if ready else _unready_since(status, conditions),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(text: str | None) -> float:
    return 0.0 if text is None else _time(text).timestamp()


def _restarts(status: Mapping[str, Any]) -> int:
    return sum(int(container.get("restartCount", 0)) for container in status.get("containerStatuses") or ())


def _start_seconds(meta: Mapping[str, Any], status: Mapping[str, Any], conditions: Mapping[str, Any]) -> float | None:
    """From being created to being ready; a pod that was restarted tells something else."""
    created, since = meta.get("creationTimestamp"), conditions["Ready"].get("lastTransitionTime")
    if created is None or since is None or _restarts(status):
        return None
    seconds = max(0.0, (_time(since) - _time(created)).total_seconds())
    return seconds if seconds <= LONGEST_START_SECONDS else None


def _stuck(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> str | None:
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if reason in STUCK_REASONS:
            return f"cannot run ({reason})"
    crashing = _restarts(status) >= RESTARTS_OF_A_CRASH_LOOP and not _ran_before_it_was_unready(status, conditions)
    return "keeps crashing" if crashing else None


def _unready_since(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> float | None:
    """Return since when a pod is not ready although it runs on; None for one that has not been ready yet."""
    if not _ran_before_it_was_unready(status, conditions):
        return None
    return _seconds(conditions["Ready"].get("lastTransitionTime"))


def _ran_before_it_was_unready(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Whether all containers have run since before: then it is no crash that made the pod unready."""
    since = _seconds(conditions.get("Ready", {}).get("lastTransitionTime"))
    starts = [
        ((container.get("state") or {}).get("running") or {}).get("startedAt")
        for container in status.get("containerStatuses") or ()
    ]
    return bool(starts) and all(start is not None and _seconds(start) < since for start in starts)


def typical_start_seconds(pods: Iterable[PodFacts]) -> float | None:
    """Median over the youngest pods: the first ones may have waited for a broker or an image."""
    youngest = sorted(pods, key=lambda pod: pod.created_seconds, reverse=True)
    known = [pod.start_seconds for pod in youngest if pod.start_seconds is not None][:YOUNGEST_PODS]
    return statistics.median(known) if known else None
