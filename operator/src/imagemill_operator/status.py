"""A WorkerPool's status and the Events about it. Pure."""

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imagemill_operator.depth import BrokerProblem
from imagemill_operator.idle import INTERVALS, LAG_SECONDS, PodsSeen
from imagemill_operator.policy import Decision, Memory, Observation, Spec, condition, pool_state
from imagemill_operator.pools import BACK_ANNOTATION, TAKE_ANNOTATION, PoolResource, Refusal
from imagemill_operator.takeover import TAKEN, Outcome

REFRESH_SECONDS = 10.0
"""Numbers that only drift are written so often at most; what matters is written at once."""
AT_ONCE = ("observedGeneration", "desiredReplicas", "currentReplicas", "readyReplicas", "limit")
LEFT_PAUSED = "LeftPaused"
LEAVES_PAUSED = (TAKEN, LEFT_PAUSED)
UNTIMED = ("memory", "decidedAt")
"""Fields that change with every tick and are no reason to write."""

Status = dict[str, Any]


def timestamp(at_seconds: float) -> str:
    """As Kubernetes writes times."""
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float | None) -> str:
    """A duration as people read it in a column."""
    if seconds is None:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.1f}s"
    return f"{seconds:.0f}s" if seconds < 600 else f"{seconds / 60:.0f}m"


def objective_text(spec: Spec) -> str:
    """The objective as people read it in a column."""
    if spec.max_wait_seconds is not None:
        return duration(spec.max_wait_seconds)
    return f"{spec.backlog_per_replica:g} each"


def decided_status(pool: PoolResource, state: Mapping[str, Any], spec: Spec, memory: Memory) -> Status:
    """Turn a pool's state (see ``pool_state``) into the status of its WorkerPool."""
    return {
        "observedGeneration": pool.generation,
        "desiredReplicas": state["desired_replicas"],
        "neededReplicas": state["needed_replicas"],
        "currentReplicas": state["current_replicas"],
        "readyReplicas": state["ready_replicas"],
        "busyReplicas": state["busy_replicas"],
        "backlog": state["backlog"],
        "arrivalRate": state["arrival_rate"],
        "serviceRate": state["service_rate"],
        "busySeconds": state["busy_seconds"],
        "startSeconds": state["start_seconds"],
        "predictedWaitSeconds": state["predicted_wait_seconds"],
        "predictedWait": duration(state["predicted_wait_seconds"]),
        "objective": objective_text(spec),
        "limit": state["limit"],
        "reason": state["reason"],
        "terms": state["terms"],
        "decidedAt": timestamp(state["at"]),
        "memory": rounded(memory.to_dict()),
        "conditions": state["conditions"],
    }


def refused_status(pool: PoolResource, refusal: Refusal, at_seconds: float) -> Status:
    """Return the status of a pool whose Deployment is left alone; what was seen of it before is taken back."""
    seen = ("desiredReplicas", "neededReplicas", "currentReplicas", "readyReplicas", "busyReplicas", "backlog")
    told = ("arrivalRate", "serviceRate", "predictedWaitSeconds", "predictedWait", "terms", "objective")
    return {
        "observedGeneration": pool.generation,
        **dict.fromkeys((*seen, *told)),
        "limit": "refused",
        "reason": refusal.message,
        "decidedAt": timestamp(at_seconds),
        "conditions": refused_conditions(refusal),
    }


def refused_conditions(refusal: Refusal) -> list[dict[str, str]]:
    """State that the pool is not under control, and whether another scaler is why."""
    conflict = refusal.condition == "TargetConflict"
    return [
        condition("Ready", False, refusal.reason, refusal.message),
        condition("TargetConflict", conflict, refusal.reason if conflict else "NoConflict", refusal.message),
    ]


def _deciding_text(spec: Spec) -> str:
    paused = [way for way, is_paused in (("in", spec.paused_in), ("out", spec.paused_out)) if is_paused]
    text = f" Scale-{' and scale-'.join(paused)} {'are' if len(paused) > 1 else 'is'} paused." if paused else ""
    return f"The replicas follow the queues.{text}"


def schedule_conditions(pool: PoolResource) -> list[dict[str, str]]:
    """State whether the schedules can be meant, if there are any."""
    if pool.schedule_errors:
        text = f"{'; '.join(pool.schedule_errors)}. That schedule does not count."
        return [condition("SchedulesValid", False, "InvalidSchedule", text)]
    if pool.spec is None or not pool.spec.schedules:
        return []
    return [condition("SchedulesValid", True, "Understood", "All schedules count.")]


def broker_conditions(pool: PoolResource, problem: BrokerProblem | None) -> list[dict[str, str]]:
    """State whether the pool's own broker can be asked, if it names one."""
    if problem is not None:
        return [condition("BrokerConfigured", False, problem.reason, problem.message)]
    if not pool.broker:
        return []
    return [condition("BrokerConfigured", True, "SecretRead", f"The broker is that of Secret {pool.broker}.")]


def ready_conditions(
    observation: Observation, spec: Spec, decision: Decision, refusal: str | None
) -> list[dict[str, str]]:
    """State that the pool is under control. A broker that does not answer leaves it unknown."""
    if refusal is not None:
        ready = condition("Ready", False, "WriteRefused", refusal)
    elif not observation.all_told:
        ready = condition("Ready", None, "BacklogUnknown", decision.reason)
    elif not decision.act:
        ready = condition("Ready", True, "OnlyTelling", decision.reason)
    else:
        ready = condition("Ready", True, "Deciding", _deciding_text(spec))
    return [
        ready,
        condition("TargetConflict", False, "NoConflict", "Nothing else scales the Deployment."),
        condition(
            "Writable",
            refusal is None,
            "Accepted" if refusal is None else "WriteRefused",
            refusal or "Nothing keeps the replicas from being set.",
        ),
    ]


def sharing_condition(shared: str | None) -> dict[str, str]:
    """State whether another pool counts the same messages."""
    if shared is None:
        return condition("QueueShared", False, "OwnQueues", "No other pool counts the messages of its queues.")
    return condition("QueueShared", True, "CountedTwice", shared)


def idle_condition(by_broker: PodsSeen | None, *, tell_themselves: bool) -> dict[str, str]:
    """State whether it is known which pods are idle, so that they can go first."""
    if by_broker is None:
        if tell_themselves:
            return condition("IdlePodsKnown", True, "PodsTell", "The pods tell which of them work.")
        text = "The broker is asked which pods hold messages when there are too many of them."
        return condition("IdlePodsKnown", None, "NotAsked", text)
    if by_broker.problem:
        text = (
            f"{by_broker.problem} So for each message in work a pod is taken to be busy, but nobody knows which, and "
            "none is marked to go first."
        )
        return condition("IdlePodsKnown", False, "BrokerDoesNotTell", text)
    text = f"The broker tells which pods hold messages.{_lag_text(by_broker.lag_seconds)}"
    return condition("IdlePodsKnown", True, "BrokerTells", text)


def _lag_text(lag_seconds: float | None) -> str:
    if lag_seconds is None or round(lag_seconds) <= LAG_SECONDS:
        return ""
    return (
        f" It renews its statistics every {lag_seconds / INTERVALS:.0f} s (collect_statistics_interval), so a pod has "
        f"to look idle for {lag_seconds:.0f} s before it may go."
    )


def takeover_conditions(
    outcome: Outcome | None, pool: PoolResource, autoscaled: Container[str]
) -> list[dict[str, str]]:
    """State who scales, if the pool takes its Deployment over from KEDA or hands it back, or left KEDA paused."""
    if outcome is not None and pool.handover is not None:
        taken = outcome.done and not pool.handover.is_back
        return [condition("TakenOver", taken, outcome.reason, outcome.message)]
    left = any(old["type"] == "TakenOver" and old["reason"] in LEAVES_PAUSED for old in known_conditions(pool))
    if not left or pool.acts or pool.handover is not None or pool.deployment in autoscaled:
        return []
    text = (
        "This pool had taken the Deployment over and only tells now, so nobody scales it: KEDA's ScaledObject is "
        f"still paused. Name it in {BACK_ANNOTATION} to let it go on, or in {TAKE_ANNOTATION} to scale here."
    )
    return [condition("TakenOver", False, LEFT_PAUSED, text)]


def known_conditions(pool: PoolResource) -> Sequence[Mapping[str, str]]:
    """Return the conditions that were written last, by this operator or one before it."""
    return pool.status.get("conditions") or ()


def state_of(
    pool: PoolResource,
    observation: Observation,
    spec: Spec,
    decision: Decision,
    refusal: str | None = None,
    problem: BrokerProblem | None = None,
    conditions: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """Return the pool's state as ``/pools`` tells it, without its history.

    ``refusal`` says why the replicas cannot be set, ``problem`` why its broker cannot be asked; ``conditions`` are more
    that the controller knows of.
    """
    more = [
        *ready_conditions(observation, spec, decision, refusal),
        *conditions,
        *schedule_conditions(pool),
        *broker_conditions(pool, problem),
    ]
    return pool_state(pool.name, pool.queues, observation, spec, decision, more_conditions=more)


def timed_conditions(
    now: Sequence[Mapping[str, str]], before: Sequence[Mapping[str, str]], at_seconds: float
) -> list[dict[str, str]]:
    """Give each condition the time of its last change of status."""
    known = {old["type"]: old for old in before}
    return [{**new, "lastTransitionTime": _since(new, known.get(new["type"]), at_seconds)} for new in now]


def _since(new: Mapping[str, str], old: Mapping[str, str] | None, at_seconds: float) -> str:
    if old is not None and old["status"] == new["status"] and "lastTransitionTime" in old:
        return old["lastTransitionTime"]
    return timestamp(at_seconds)


def is_due(status: Status, written: Status | None, age_seconds: float) -> bool:
    """Tell whether a status is worth a write: at once for what matters, else now and then if anything differs."""
    if written is None:
        return True
    if any(status.get(name) != written.get(name) for name in AT_ONCE) or _statuses(status) != _statuses(written):
        return True
    return age_seconds >= REFRESH_SECONDS and _without_times(status) != _without_times(written)


def _statuses(status: Status) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in status["conditions"]}


def _without_times(status: Status) -> Status:
    return {name: value for name, value in status.items() if name not in UNTIMED}


def rounded(value: Any) -> Any:
    """Shorten floats: nobody needs 17 digits in an object that people read."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


EVENTS_OF_CONDITIONS = {
    ("BrokerReachable", "False"): ("Warning", "BrokerUnreachable"),
    ("BrokerReachable", "True"): ("Normal", "BrokerReachable"),
    ("AtMaximum", "True"): ("Warning", "AtMaximum"),
    ("CapacityBlocked", "True"): ("Warning", "CapacityBlocked"),
    ("CapacityBlocked", "False"): ("Normal", "CapacityFree"),
    ("TargetConflict", "True"): ("Warning", "TargetConflict"),
    ("TargetConflict", "False"): ("Normal", "TargetFree"),
    ("QueueShared", "True"): ("Warning", "QueueShared"),
    ("Writable", "False"): ("Warning", "WriteRefused"),
    ("Writable", "True"): ("Normal", "WriteAccepted"),
    ("BrokerConfigured", "False"): ("Warning", "BrokerNotConfigured"),
    ("BrokerConfigured", "True"): ("Normal", "BrokerConfigured"),
    ("SchedulesValid", "False"): ("Warning", "InvalidSchedule"),
    ("Ready", "False"): ("Warning", "NotReady"),
}


def condition_events(
    now: Sequence[Mapping[str, str]], before: Sequence[Mapping[str, str]]
) -> list[tuple[str, str, str]]:
    """Return (type, reason, message) of the Events for conditions that changed.

    At the first look good news is no news, and a new queue takes a moment until the broker tells it.
    """
    known = {item["type"]: item["status"] for item in before}
    events = []
    for item in now:
        was = known.get(item["type"])
        kind = EVENTS_OF_CONDITIONS.get((item["type"], item["status"]))
        first = was is None and (kind is None or kind[0] == "Normal" or item["type"] == "BrokerReachable")
        if kind is None or was == item["status"] or first:
            continue
        events.append((*kind, item["message"]))
    return events
