"""A pool's state as JSON: what ``/pools`` serves, the page draws and ``imagemill pools`` prints."""

from collections.abc import Sequence
from typing import Any

from imagemill_operator.policy.decide import decide
from imagemill_operator.policy.history import HOUR_SECONDS, History
from imagemill_operator.policy.model import Backlog, Decision, Limit, Memory, Observation, Spec
from imagemill_operator.policy.need import LONGEST_WORK

AT_MAXIMUM_SECONDS = 60.0
HOARDED_PER_THREAD = 4
"""Messages that a consumer may hold for each of its threads; a prefetch of two or three is usual and does no harm."""


def condition(kind: str, status: bool | None, reason: str, message: str) -> dict[str, str]:
    """One condition as Kubernetes writes them; None is "Unknown"."""
    text = "Unknown" if status is None else str(status)
    return {"type": kind, "status": text, "reason": reason, "message": message}


def conditions(observation: Observation, spec: Spec, decision: Decision) -> list[dict[str, str]]:
    """State what the policy itself can tell, from BrokerReachable to GraceCoversWork."""
    reachable, untold = observation.all_told, observation.untold or "the backlog"
    at_maximum = _is_at_maximum(observation, decision)
    return [
        condition(
            "BrokerReachable",
            reachable,
            "Answered" if reachable else "NoAnswer",
            "The backlog is known." if reachable else f"The broker does not tell {untold}; nothing is scaled in.",
        ),
        condition(
            "AtMaximum",
            at_maximum,
            "MaximumNeeded" if at_maximum else "RoomLeft",
            f"{decision.needed_replicas} needed, at most {spec.max_replicas}.",
        ),
        _capacity(observation),
        condition(
            "ObjectiveAttainable",
            decision.attainable is None,
            "CanHold" if decision.attainable is None else "CannotHold",
            decision.attainable or "The objective can be held.",
        ),
        _hoarding(observation),
        _grace(observation, decision),
    ]


def _is_at_maximum(observation: Observation, decision: Decision) -> bool:
    """Now or a minute ago: a need that goes up and down around the maximum is not news each time."""
    since = decision.memory.at_maximum_seconds
    if since is None or decision.limit is Limit.BUDGET:
        return False
    return 0 <= observation.at_seconds - since < AT_MAXIMUM_SECONDS


def _grace(observation: Observation, decision: Decision) -> dict[str, str]:
    """State whether a replica that is told to stop has the time to finish what it is at."""
    grace, busy = observation.grace_seconds, decision.busy_seconds
    if grace is None or busy is None:
        return condition("GraceCoversWork", None, "WorkUnknown", "How long messages take is not known yet.")
    longest = LONGEST_WORK * busy
    if longest <= grace:
        return condition("GraceCoversWork", True, "LongEnough", "Replicas that stop can finish their messages.")
    text = (
        f"Messages take {busy:.3g} s, some {longest:.3g} s, but a pod is killed {grace:g} s after it is told to stop: "
        "raise terminationGracePeriodSeconds."
    )
    return condition("GraceCoversWork", False, "TooShort", text)


def _capacity(observation: Observation) -> dict[str, str]:
    """State whether replicas start; some that do not are told, and keep no others from it."""
    if observation.blocked is not None:
        return condition("CapacityBlocked", True, "ReplicasDoNotStart", observation.blocked)
    if observation.trouble is not None:
        return condition("CapacityBlocked", False, "SomeDoNotStart", f"{observation.trouble}; others are started.")
    return condition("CapacityBlocked", False, "ReplicasStart", "Nothing keeps replicas from starting.")


def _hoarding(observation: Observation) -> dict[str, str]:
    """State whether consumers have fetched far more than they can work on: new replicas cannot take that."""
    backlog, consumers = observation.backlog, observation.consumers
    if backlog is None or (backlog.unacked and not consumers):
        return condition(
            "PrefetchHoards", None, "ConsumersUnknown", "The broker does not tell how many consumers it has."
        )
    if backlog.unacked <= (consumers or 0) * observation.threads_per_replica * HOARDED_PER_THREAD:
        return condition("PrefetchHoards", False, "MessagesLeft", "What consumers cannot work on is left to others.")
    held = (
        f"{consumers:,} {'consumer has' if consumers == 1 else 'consumers have'} fetched {backlog.unacked:,} messages"
    )
    text = f"{held}, which no other replica can take: lower the prefetch."
    return condition("PrefetchHoards", True, "MessagesHeld", text)


def objective(spec: Spec) -> dict[str, float]:
    """The one objective that is set."""
    both = {"max_wait_seconds": spec.max_wait_seconds, "backlog_per_replica": spec.backlog_per_replica}
    return {name: value for name, value in both.items() if value is not None}


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)


def _replicas(observation: Observation, spec: Spec, decision: Decision) -> dict[str, int | None]:
    return {
        "desired_replicas": decision.desired_replicas,
        "needed_replicas": decision.needed_replicas,
        "current_replicas": observation.current_replicas,
        "ready_replicas": observation.ready_replicas,
        "busy_replicas": observation.busy_replicas,
        "min_replicas": spec.min_replicas,
        "max_replicas": spec.max_replicas,
    }


def _backlog(backlog: Backlog | None) -> dict[str, int | None]:
    if backlog is None:
        return {"ready": None, "unacked": None}
    return {"ready": backlog.ready, "unacked": backlog.unacked}


def _rates(decision: Decision) -> dict[str, float | None]:
    return {
        "arrival_rate": _rounded(decision.arrival_rate),
        "service_rate": _rounded(decision.service_rate),
        "busy_seconds": _rounded(decision.busy_seconds),
        "start_seconds": _rounded(decision.start_seconds),
        "predicted_wait_seconds": _rounded(decision.predicted_wait_seconds, 2),
    }


def pool_state(
    name: str,
    queues: Sequence[str],
    observation: Observation,
    spec: Spec,
    decision: Decision,
    *,
    history: list[dict[str, Any]] | None = None,
    more_conditions: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """Everything a person may ask about a pool, as JSON values; the keys are the contract with the page and the CLI."""
    return {
        "name": name,
        "queues": list(queues),
        "mode": spec.mode.value,
        "paused": spec.paused,
        **_replicas(observation, spec, decision),
        "backlog": _backlog(observation.backlog),
        **_rates(decision),
        "objective": objective(spec),
        "limit": decision.limit.value,
        "reason": decision.reason,
        "terms": [term.to_dict() for term in decision.terms],
        "conditions": [*conditions(observation, spec, decision), *more_conditions],
        "at": round(observation.at_seconds, 3),
        **({} if history is None else {"history": history}),
    }


class PoolTracker:
    """Memory and history of one pool for a caller that keeps its pools in one process.

    >>> from imagemill_operator.policy import Backlog
    >>> pool = PoolTracker("gray", ["work.gray"], Spec(max_replicas=4, max_wait_seconds=10.0))
    >>> seen = Observation(at_seconds=0.0, backlog=Backlog(30), current_replicas=0, ready_replicas=0)
    >>> pool.see(seen).desired_replicas
    4
    >>> pool.to_dict()["reason"]
    '30 waiting, no worker ready: 12 s wait, objective 10 s, 24 are needed but 4 is the maximum, so 4 start.'
    """

    def __init__(self, name: str, queues: Sequence[str], spec: Spec) -> None:
        self.name = name
        self.queues = list(queues)
        self.spec = spec
        self.memory = Memory()
        self.history = History()
        self._last: tuple[Observation, Decision] | None = None

    def see(self, observation: Observation) -> Decision:
        """Decide on what is seen now and remember both."""
        return self.remember(observation, decide(observation, self.spec, self.memory))

    def remember(self, observation: Observation, decision: Decision) -> Decision:
        """Remember a decision that was made elsewhere, for instance by ``decide_all``."""
        self.memory = decision.memory
        self.history.add(observation, self.spec, decision)
        self._last = observation, decision
        return decision

    def to_dict(self, *, history_seconds: float = HOUR_SECONDS) -> dict[str, Any] | None:
        """State of the pool as JSON values with so much of its history, None before anything was seen."""
        if self._last is None:
            return None
        shown = self.history.to_list(history_seconds) if history_seconds > 0 else None
        return pool_state(self.name, self.queues, self._last[0], self.spec, self._last[1], history=shown)
