"""One sentence that a person would say about a decision."""

from dataclasses import dataclass

from imagemill_operator.policy.model import Backlog, Limit, Mode, Observation, Spec
from imagemill_operator.policy.need import AIM_SHARE, ARRIVAL_RATE


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the sentence needs beside observation and spec."""

    desired_replicas: int
    needed_replicas: int
    limit: Limit
    service_rate: float | None
    predicted_wait_seconds: float | None
    arrival_rate: float | None = None
    term: str = ""
    cooldown_seconds: float = 0.0
    unknown_seconds: float = 0.0
    just_drained: bool = False


def sentence(observation: Observation, spec: Spec, given: Explanation) -> str:
    """Say what waits, what the workers do, what was asked for and what follows.

    For example: "212 waiting, 35 a second with 6 workers: 6 s wait, objective 10 s, so 6 stay."
    """
    text = _body(observation, spec, given)
    if spec.paused:
        return f"Paused, nothing is changed: {text}"
    return f"Advice only: {text}" if spec.mode is Mode.ADVISE else text


def _body(observation: Observation, spec: Spec, given: Explanation) -> str:
    outcome = f"so {_outcome(observation.current_replicas, given.desired_replicas)}."
    if observation.backlog is None:
        return f"{_unknown(observation, spec, given)}, {outcome}"
    parts = [_measure(observation.backlog, observation, spec, given), spec.objective_text]
    because = [*_untold(observation), *_because(observation, spec, given)]
    return ", ".join(
        [f"{_situation(observation.backlog, observation, given)}: {parts[0]}", *parts[1:], *because, outcome]
    )


def _unknown(observation: Observation, spec: Spec, given: Explanation) -> str:
    if given.limit is Limit.FALLBACK and spec.fallback is not None:
        return (
            f"The broker has not told the backlog for {given.unknown_seconds:.0f} s "
            f"and the fallback is {spec.fallback.replicas}"
        )
    return f"The broker does not tell {observation.untold or 'the backlog'}, which is unknown and not empty"


def _untold(observation: Observation) -> list[str]:
    return [f"the broker does not tell {observation.untold}, which may hold more"] if observation.untold else []


def _situation(backlog: Backlog, observation: Observation, given: Explanation) -> str:
    return f"{_waiting(backlog)}, {_workers(observation, given)}"


def _waiting(backlog: Backlog) -> str:
    if backlog.ready:
        return f"{backlog.ready:,} waiting"
    return f"none waiting, {backlog.unacked:,} in work" if backlog.unacked else "Nothing to do"


def _workers(observation: Observation, given: Explanation) -> str:
    ready = observation.ready_replicas
    if ready == 0:
        return "no worker ready" + (
            f", {observation.current_replicas} starting" if observation.current_replicas else ""
        )
    noun = "worker" if ready == 1 else "workers"
    if given.service_rate is None:
        return f"{ready} {noun} of unknown speed"
    return f"{_number(given.service_rate)} a second with {ready} {noun}"


def _measure(backlog: Backlog, observation: Observation, spec: Spec, given: Explanation) -> str:
    if spec.backlog_per_replica is not None:
        replicas = max(observation.current_replicas, 1)
        return f"{_number(backlog.total / replicas)} each"
    wait = given.predicted_wait_seconds
    return "wait unknown" if wait is None else f"{_seconds(wait)} wait"


def _because(observation: Observation, spec: Spec, given: Explanation) -> list[str]:
    """Say what asked for replicas where the wait alone does not tell, and what the limit made of it."""
    wanted = _wanted(observation, spec, given)
    limit = _limit_text(observation, spec, given, wanted)
    asks_for_more = (
        max(wanted, given.desired_replicas) > observation.current_replicas or wanted > given.desired_replicas
    )
    reasons = _because_of_need(observation.backlog, spec, given) if asks_for_more and _is_needed(given) else []
    return [*reasons, *([limit] if limit else [])]


def _is_needed(given: Explanation) -> bool:
    return given.limit not in (Limit.MINIMUM, Limit.FALLBACK, Limit.ACTIVATION)


def _wanted(observation: Observation, spec: Spec, given: Explanation) -> int:
    """Return the need within the bounds: a number beyond them would contradict the bounds beside it."""
    most, useful = spec.max_replicas, observation.useful_replicas
    if useful is not None and spec.min_replicas <= useful and given.limit is not Limit.SINGLE:
        most = min(most, useful)
    return max(spec.min_replicas, min(given.needed_replicas, most))


def _limit_text(observation: Observation, spec: Spec, given: Explanation, wanted: int) -> str:
    current, desired = observation.current_replicas, given.desired_replicas
    would_do, is_needed = f"{wanted} would do but", f"{_are(wanted)} needed but" if wanted > desired else ""
    texts = {
        Limit.MINIMUM: _minimum(current, spec, given),
        Limit.MAXIMUM: f"{_are(given.needed_replicas)} needed but {spec.max_replicas} is the maximum",
        Limit.COOLDOWN: f"{would_do} {_held(given)}",
        Limit.STEP: f"{would_do} {_step(current, spec, given)}",
        Limit.BUSY: f"{would_do} others are still at work",
        Limit.ACTIVATION: f"it starts from {spec.activation_backlog} on",
        Limit.SINGLE: f"{is_needed} each queue serves a single active consumer",
        Limit.LEARNING: f"{_are(wanted)} guessed but nobody knows yet how long a message takes",
        Limit.BLOCKED: _blocked(observation, spec, given, is_needed),
        Limit.FALLBACK: f"the fallback is {desired}",
        Limit.PAUSED: f"{is_needed} scale-out is paused" if wanted > current else f"{would_do} scale-in is paused",
        Limit.BUDGET: f"{is_needed} the budget shared with other pools leaves {desired}",
    }
    return texts.get(given.limit, "").strip()


def _minimum(current: int, spec: Spec, given: Explanation) -> str:
    """A minimum is why some stay, never why others stop."""
    if given.desired_replicas >= current:
        return spec.minimum_text
    return f"{given.needed_replicas or 'none'} would do but {spec.minimum_text}"


def _step(current: int, spec: Spec, given: Explanation) -> str:
    if given.desired_replicas >= current:
        return "others were stopped just now"
    return f"at most {spec.scale_in_percent:g} % go at a time"


def _blocked(observation: Observation, spec: Spec, given: Explanation, is_needed: str) -> str:
    if given.desired_replicas > observation.current_replicas:
        return f"{observation.blocked}, but {spec.minimum_text}"
    return f"{is_needed} {observation.blocked}"


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"


def _held(given: Explanation) -> str:
    if given.just_drained:
        return "a larger backlog was there just now"
    return f"what was needed in the last {given.cooldown_seconds:.0f} s counts too"


def _because_of_need(backlog: Backlog | None, spec: Spec, given: Explanation) -> list[str]:
    """More replicas although the objective holds now need a word of explanation."""
    wait, objective = given.predicted_wait_seconds, spec.max_wait_seconds
    if given.term == ARRIVAL_RATE:
        return [f"{_number(given.arrival_rate or 0.0)} a second arrive"]
    if wait is None or objective is None or wait > objective:
        return []
    if wait > objective * AIM_SHARE:
        return ["three quarters of it are the aim"]
    in_work = backlog.unacked if backlog else 0
    if in_work == 1:
        return ["the one in work is to be done too"]
    return [f"the {in_work:,} in work are to be done too"] if in_work else []


def _outcome(current: int, desired: int) -> str:
    if desired > current:
        return _verb(desired - current, " more" if current else "", "start")
    if desired < current:
        return _verb(current - desired, f" of {current}", "stop") if desired else _all_stop(current)
    return _verb(current, "", "stay") if current else "none is started"


def _all_stop(current: int) -> str:
    return f"all {current} stop" if current > 1 else "the only one stops"


def _verb(count: int, more: str, verb: str) -> str:
    return f"{count}{more} {verb}{'s' if count == 1 else ''}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 1 or value == 0 else f"{value:.1f} s"
