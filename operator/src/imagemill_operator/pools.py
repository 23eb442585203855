"""WorkerPools as the API server gives them, turned into what the policy reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagemill_operator.cron import problem_of
from imagemill_operator.policy import Budget, Fallback, Memory, Mode, Schedule, Spec
from imagemill_operator.pool_metrics import BacklogMetrics, WorkerMetrics, backlog_metrics_of, worker_metrics_of

PAUSE_ANNOTATION = "imagemill.dev/pause"
PAUSE_IN_ANNOTATION = "imagemill.dev/pause-scale-in"
PAUSE_OUT_ANNOTATION = "imagemill.dev/pause-scale-out"
TAKE_ANNOTATION = "imagemill.dev/take-over"
BACK_ANNOTATION = "imagemill.dev/hand-back"
AUTOSCALED = "HorizontalPodAutoscaler"
"""The reason of a refusal that KEDA, paused, takes away."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Take the Deployment over from a ScaledObject of KEDA, or give it back."""

    scaled_object: str
    is_back: bool


@dataclass(frozen=True, slots=True)
class PoolResource:
    """One WorkerPool. ``spec`` is None when it cannot be meant, and ``error`` says why.

    ``schedule_errors`` say which of its schedules cannot be meant; the spec is without them. ``broker`` is the Secret
    of the queues' broker, empty for the operator's own.
    """

    name: str
    namespace: str
    uid: str
    generation: int
    created: str
    deployment: str
    queues: tuple[str, ...]
    vhost: str
    spec: Spec | None
    error: str | None
    worker_metrics: WorkerMetrics | None
    backlog_metrics: BacklogMetrics | None
    status: Mapping[str, Any] = field(repr=False, compare=False)
    schedule_errors: tuple[str, ...] = ()
    broker: str = ""
    handover: Handover | None = None

    @property
    def acts(self) -> bool:
        """Whether the pool sets replicas, and not only tells what it would set."""
        return self.spec is None or self.spec.acts

    @property
    def memory(self) -> Memory:
        """What an operator before this one learned. Its counters are not ours, so they are left out."""
        known = self.status.get("memory") or {}
        counters = {"completed_total": None, "busy_seconds_total": None}
        try:
            return Memory.from_dict({**known, **counters}) if known else Memory()
        except (TypeError, ValueError):
            return Memory()


def parse_pool(body: Mapping[str, Any]) -> PoolResource:
    """Read a WorkerPool; a spec that the CRD's validation should have refused becomes ``error``."""
    meta, raw = body["metadata"], body.get("spec") or {}
    annotations = meta.get("annotations") or {}
    spec, error = None, None
    handover = handover_of(annotations)
    try:
        spec = parse_spec(raw, paused=_is_on(annotations, PAUSE_ANNOTATION) or bool(handover and handover.is_back))
        spec = replace(
            spec,
            mode=Mode.ACTIVE if handover else spec.mode,
            paused_in=_is_on(annotations, PAUSE_IN_ANNOTATION),
            paused_out=_is_on(annotations, PAUSE_OUT_ANNOTATION),
        )
    except (KeyError, TypeError, ValueError) as problem:
        error = f"The spec cannot be used: {problem}."
    status = body.get("status") or {}
    return PoolResource(
        name=meta["name"],
        namespace=meta.get("namespace", ""),
        uid=meta.get("uid", ""),
        generation=int(meta.get("generation", 0)),
        created=meta.get("creationTimestamp", ""),
        deployment=str(raw.get("deployment", "")),
        queues=tuple(raw.get("queues", ())),
        vhost=raw.get("vhost", "/"),
        spec=spec,
        error=error,
        worker_metrics=worker_metrics_of(raw.get("workerMetrics")),
        backlog_metrics=backlog_metrics_of(raw.get("backlogMetrics")),
        status={name: status[name] for name in ("memory", "conditions", "lastScaleTime") if name in status},
        handover=handover,
        broker=str((raw.get("brokerRef") or {}).get("secretName", "")),
        schedule_errors=() if spec is None else tuple(error for _, error in _schedules(raw) if error is not None),
    )


def handover_of(annotations: Mapping[str, Any]) -> Handover | None:
    """Read which ScaledObject is to be paused or let go on; to hand back counts more than to take over."""
    for name, is_back in ((BACK_ANNOTATION, True), (TAKE_ANNOTATION, False)):
        if annotations.get(name):
            return Handover(str(annotations[name]), is_back)
    return None


def _is_on(annotations: Mapping[str, Any], name: str) -> bool:
    return str(annotations.get(name, "")).lower() == "true"


def _schedules(raw: Mapping[str, Any]) -> list[tuple[Schedule, str | None]]:
    """Read the schedules, each with what is wrong with it. One that cannot be meant keeps no pool from scaling."""
    schedules = [
        Schedule(str(one["start"]), str(one["end"]), str(one.get("timezone", "UTC")), int(one["minReplicas"]))
        for one in raw.get("schedules") or ()
    ]
    return [(schedule, _schedule_error(schedule)) for schedule in schedules]


def _schedule_error(schedule: Schedule) -> str | None:
    problems = (problem_of(expression, schedule.timezone) for expression in (schedule.start, schedule.end))
    return next((problem for problem in problems if problem is not None), None)


def parse_spec(raw: Mapping[str, Any], *, paused: bool = False) -> Spec:
    """Read the spec's part that the policy needs."""
    fallback, budget = raw.get("fallback"), raw.get("budget")
    return Spec(
        min_replicas=int(raw.get("minReplicas", 0)),
        max_replicas=int(raw["maxReplicas"]),
        max_wait_seconds=_optional(raw.get("maxWaitSeconds")),
        backlog_per_replica=_optional(raw.get("backlogPerReplica")),
        expected_seconds=_optional(raw.get("expectedSeconds")),
        activation_backlog=int(raw.get("activationBacklog", 1)),
        cooldown_seconds=_optional(raw.get("cooldownSeconds")),
        scale_in_percent=float(raw.get("scaleInPercent", 50)),
        fallback=None if not fallback else Fallback(int(fallback["replicas"]), float(fallback.get("afterSeconds", 60))),
        budget=None if not budget else _budget(budget),
        mode=Mode(raw.get("mode", "Active")),
        paused=paused,
        schedules=tuple(schedule for schedule, error in _schedules(raw) if error is None),
    )


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


def _budget(raw: Mapping[str, Any]) -> Budget:
    return Budget(raw["name"], int(raw["maxReplicas"]), float(raw.get("weight", 1)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a pool's Deployment is left alone: a condition's type, reason and message."""

    condition: str
    reason: str
    message: str


def refusals(
    pools: Mapping[str, PoolResource], deployments: frozenset[str], autoscaled: Mapping[str, str]
) -> dict[str, Refusal]:
    """Tell which pools must not act.

    ``autoscaled`` maps Deployments to the HorizontalPodAutoscaler that owns their replicas. Of two pools for one
    Deployment the older keeps it, so that a mistake made later stops nothing that worked. A pool that only tells is in
    nobody's way.
    """
    owners: dict[str, PoolResource] = {}
    for pool in sorted(pools.values(), key=lambda pool: (not pool.acts, pool.created, pool.name)):
        owners.setdefault(pool.deployment, pool)
    found = {name: _refusal(pool, owners[pool.deployment], deployments, autoscaled) for name, pool in pools.items()}
    return {name: refusal for name, refusal in found.items() if refusal is not None}


def _refusal(
    pool: PoolResource, owner: PoolResource, deployments: frozenset[str], autoscaled: Mapping[str, str]
) -> Refusal | None:
    if pool.error is not None:
        return Refusal("Ready", "InvalidSpec", pool.error)
    if pool.acts and owner.name != pool.name:
        text = f"Deployment {pool.deployment} belongs to the older WorkerPool {owner.name}: delete one of the two."
        return Refusal("TargetConflict", "OtherWorkerPool", text)
    if pool.acts and pool.deployment in autoscaled:
        text = (
            f"Deployment {pool.deployment} is scaled by HorizontalPodAutoscaler {autoscaled[pool.deployment]}: "
            "delete it (or KEDA's ScaledObject that made it) to let this pool scale, or set mode to Advise to compare."
        )
        return Refusal("TargetConflict", AUTOSCALED, text)
    if pool.deployment not in deployments:
        text = f"There is no Deployment {pool.deployment} in namespace {pool.namespace}; the pool waits for it."
        return Refusal("Ready", "DeploymentMissing", text)
    return None


def stream_refusals(
    pools: Mapping[str, PoolResource], is_stream: Callable[[PoolResource, tuple[str, str]], bool]
) -> dict[str, Refusal]:
    """Refuse pools whose queues are streams: what was read stays there, so that its length is no backlog."""
    found = {
        name: [queue for queue in pool.queues if is_stream(pool, (pool.vhost, queue))] for name, pool in pools.items()
    }
    return {
        name: Refusal(
            "Ready",
            "StreamQueue",
            f"Queue {streams[0]} is a stream, which keeps what was read: its length says nothing of the work. "
            "Take it out of queues, or let the pods consume a classic or quorum queue.",
        )
        for name, streams in found.items()
        if streams
    }


def shared_queues(pools: Mapping[str, PoolResource]) -> dict[str, str]:
    """Say which pools count messages that another one counts too: each then asks for replicas for all of them."""
    readers: dict[tuple[str, str, str], list[str]] = {}
    for name, pool in sorted(pools.items()):
        for queue in pool.queues if pool.acts else ():
            readers.setdefault((pool.broker, pool.vhost, queue), []).append(name)
    texts: dict[str, str] = {}
    for (*_, queue), names in readers.items():
        for name in names if len(names) > 1 else ():
            others = " and ".join(other for other in names if other != name)
            text = f"Queue {queue} is also counted by {others}: each asks for replicas for all of its messages."
            texts.setdefault(name, text)
    return texts
