"""The decision: need, limits, explanation. Pure, so the same input always gives the same answer."""

from dataclasses import replace

from imagemill_operator.policy.explain import Explanation, sentence
from imagemill_operator.policy.learn import learn, without_old_rate
from imagemill_operator.policy.model import Decision, Limit, Memory, Observation, Spec, Term
from imagemill_operator.policy.need import Estimates, estimate, needed_replicas, terms_of
from imagemill_operator.policy.settle import (
    cooldown_seconds,
    kept_floor,
    remember_peaks,
    settle,
    settle_partly_known,
    settle_unknown,
    within_pause,
)


def decide(observation: Observation, spec: Spec, memory: Memory) -> Decision:
    """Decide how many replicas a pool should have.

    What the observation teaches (rates, seconds per image) counts from the next decision on; so one decision depends
    on the backlog seen and on nothing that the backlog has just changed, and more backlog never means fewer replicas.
    """
    memory = without_old_rate(observation, memory)
    known = estimate(observation, memory, spec)
    if observation.backlog is None:
        return _explained(*_unknown(observation, spec, memory), (), observation, spec, known)
    terms = terms_of(observation.backlog, observation, spec, known)
    needed = needed_replicas(terms)
    memory = remember_peaks(_with_past(memory, observation), terms, observation, spec, known)
    learned = learn(observation, memory)
    # Of what was learned just now the limits read only since when something is unknown.
    settled = settle if observation.all_told else settle_partly_known
    desired, limit = within_pause(
        settled(needed, observation.backlog, learned, observation, spec, known), observation, spec
    )
    learned = _remember_step(learned, desired, observation, spec)
    if min(needed, desired) >= spec.max_replicas:
        learned = replace(learned, at_maximum_seconds=observation.at_seconds)
    return _explained(desired, needed, limit, learned, terms, observation, spec, known)


def _unknown(observation: Observation, spec: Spec, memory: Memory) -> tuple[int, int, Limit, Memory]:
    learned = learn(observation, memory)
    desired, limit = within_pause(settle_unknown(learned, observation, spec), observation, spec)
    return desired, desired, limit, learned


def _with_past(memory: Memory, observation: Observation) -> Memory:
    """Assume that replicas found at the first look were needed: whoever set them knew what we do not yet."""
    if memory.at_seconds is not None or memory.peaks:
        return memory
    return replace(memory, peaks=((observation.at_seconds, observation.current_replicas),))


def _remember_step(memory: Memory, desired: int, observation: Observation, spec: Spec) -> Memory:
    """Let the next step wait for this one, if it is taken: advice alone changes nothing that is to be waited for."""
    if desired >= observation.current_replicas or not spec.acts:
        return memory
    return replace(memory, stepped_at_seconds=observation.at_seconds)


def _explained(
    desired: int,
    needed: int,
    limit: Limit,
    memory: Memory,
    terms: tuple[Term, ...],
    observation: Observation,
    spec: Spec,
    known: Estimates,
) -> Decision:
    measured = memory.busy_seconds_per_image
    decision = Decision(
        desired_replicas=desired,
        needed_replicas=needed,
        limit=limit,
        terms=terms,
        reason="",
        act=spec.acts,
        arrival_rate=memory.arrival_rate,
        service_rate=None if measured is None else observation.ready_replicas * known.replica_rate,
        busy_seconds=measured,
        start_seconds=memory.start_seconds,
        predicted_wait_seconds=_predicted_wait_seconds(observation, desired, known),
        attainable=_unattainable(observation, needed, spec, known),
        memory=memory,
    )
    return explain(decision, observation, spec)


def explain(decision: Decision, observation: Observation, spec: Spec) -> Decision:
    """Put the sentence that fits the decision's numbers."""
    since = decision.memory.unknown_since_seconds
    known = estimate(observation, decision.memory, spec)
    given = Explanation(
        desired_replicas=decision.desired_replicas,
        needed_replicas=decision.needed_replicas,
        limit=decision.limit,
        service_rate=decision.service_rate,
        predicted_wait_seconds=decision.predicted_wait_seconds,
        arrival_rate=decision.arrival_rate,
        term=max(decision.terms, key=lambda term: term.replicas).name if decision.terms else "",
        cooldown_seconds=cooldown_seconds(observation, spec, known),
        unknown_seconds=0.0 if since is None else observation.at_seconds - since,
        just_drained=max((held for _, held in decision.memory.peaks), default=0) < decision.desired_replicas,
    )
    return replace(decision, reason=sentence(observation, spec, given))


def _predicted_wait_seconds(observation: Observation, desired: int, known: Estimates) -> float | None:
    """How long a message that arrives now will wait before it is taken."""
    if observation.backlog is None:
        return None
    ready = observation.backlog.ready
    if observation.ready_replicas > 0:
        return ready / (observation.ready_replicas * known.replica_rate)
    if desired > 0:
        return known.start_seconds + ready / (desired * known.replica_rate)
    return 0.0 if ready == 0 else None


def _unattainable(observation: Observation, needed: int, spec: Spec, known: Estimates) -> str | None:
    """Say under which conditions the objective could hold, when it cannot hold now."""
    if needed > spec.max_replicas:
        return f"The objective needs {needed} replicas, but the maximum is {spec.max_replicas}: raise maxReplicas."
    if spec.max_wait_seconds is None or spec.min_replicas > 0 or observation.ready_replicas > 0:
        return None
    first = known.delay_seconds + known.start_seconds
    if first <= spec.max_wait_seconds:
        return None
    return (
        f"From 0 replicas the first message waits {first:.0f} s (seen after {known.delay_seconds:.0f} s, started in "
        f"{known.start_seconds:.0f} s), longer than the objective of {spec.max_wait_seconds:g} s: set minReplicas to 1."
    )


def limited(decision: Decision, replicas: int, observation: Observation, spec: Spec) -> Decision:
    """Apply the share of a budget to a decision; busy workers and the pool's own minimum are not taken away."""
    allowed = max(replicas, min(kept_floor(observation, spec), decision.desired_replicas), spec.min_replicas)
    if allowed >= decision.desired_replicas:
        return decision
    return explain(replace(decision, desired_replicas=allowed, limit=Limit.BUDGET), observation, spec)
