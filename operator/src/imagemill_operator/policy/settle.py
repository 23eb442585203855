"""What is left of the need after the limits: bounds, cool-down, steps, busy workers, what is unknown or blocked."""

import math
from dataclasses import replace

from imagemill_operator.policy.model import Backlog, Limit, Memory, Observation, Peaks, Spec, Term
from imagemill_operator.policy.need import LONGEST_WORK, Estimates, lasting_replicas, passing_replicas

STEP_SECONDS = 5.0
"""Time between two steps of scale-in."""
COOLDOWN_SECONDS = 10.0
LONGEST_COOLDOWN_SECONDS = 60.0
"""Replicas are kept about as long as a start takes (the ski-rental problem), within these bounds."""
COOLDOWN_OF_UNKNOWN_WORK_SECONDS = 300.0
"""As KEDA's, when nobody tells whether replicas are at work."""
HIDDEN_WORK_SECONDS = 0.01
"""Work that takes less is either done in no time or not seen."""
HIDDEN_WORK_SHARE = 0.2
"""So is work that takes less than this share of what is expected."""
FIRST_REPLICAS = 16
"""So many may start at once before it is known how long a message takes."""
LEAST_HOLD_LOOKS = 3
"""So many looks outlast one of the broker's own intervals of 5 s, within which the backlog it tells stands still."""

Settled = tuple[int, Limit]


def settle(
    needed: int, backlog: Backlog, memory: Memory, observation: Observation, spec: Spec, known: Estimates
) -> Settled:
    """Bound the need: up at once, down slowly."""
    wanted, limit = _bounded(needed, backlog, observation, spec)
    if wanted > observation.current_replicas:
        return _outward(wanted, limit, observation, spec, known)
    if wanted < observation.current_replicas:
        return _inward(wanted, limit, memory, observation, spec)
    return wanted, limit


def _bounded(needed: int, backlog: Backlog, observation: Observation, spec: Spec) -> Settled:
    useful = observation.useful_replicas
    if useful is not None and needed > useful and spec.min_replicas <= useful <= spec.max_replicas:
        return useful, Limit.SINGLE
    if needed > spec.max_replicas:
        return spec.max_replicas, Limit.MAXIMUM
    if needed < spec.min_replicas:
        return spec.min_replicas, Limit.MINIMUM
    asleep = observation.current_replicas == 0 and spec.min_replicas == 0
    if asleep and needed > 0 and backlog.total < spec.activation_backlog:
        return 0, Limit.ACTIVATION
    return needed, Limit.NEED


def _outward(wanted: int, limit: Limit, observation: Observation, spec: Spec, known: Estimates) -> Settled:
    """More replicas that cannot run would only be more of the trouble; the minimum is the owner's wish all the same.

    While nobody knows how long a message takes, a few have to find out, and double from look to look.
    """
    current = observation.current_replicas
    if observation.blocked is not None:
        return max(current, spec.min_replicas), Limit.BLOCKED
    first = max(FIRST_REPLICAS, 2 * current, spec.min_replicas)
    knows_work = known.is_measured or spec.expected_seconds is not None
    if wanted > first and spec.max_wait_seconds is not None and not knows_work:
        return first, Limit.LEARNING
    return wanted, limit


def _inward(wanted: int, limit: Limit, memory: Memory, observation: Observation, spec: Spec) -> Settled:
    """Give up no more than the cool-down, the step and the busy workers allow; a lowered maximum counts at once."""
    current = min(observation.current_replicas, spec.max_replicas)
    held = min(max((replicas for _, replicas in (*memory.peaks, *memory.drain_peaks)), default=0), spec.max_replicas)
    floors = (
        (min(busy_floor(observation), current), Limit.BUSY),
        (min(held, current), Limit.COOLDOWN),
        (_step_floor(current, memory, observation, spec), Limit.STEP),
    )
    floor, reason = max(floors, key=lambda pair: pair[0])
    return (floor, reason) if floor > wanted else (wanted, limit)


def kept_floor(observation: Observation, spec: Spec) -> int:
    """Count the replicas that no budget takes away: those at work, and all while scale-in is paused."""
    current = observation.current_replicas
    return current if spec.paused_in else min(busy_floor(observation), current)


def within_pause(settled: Settled, observation: Observation, spec: Spec) -> Settled:
    """Keep the replicas where the way they would go is paused."""
    desired, current = settled[0], observation.current_replicas
    is_held = spec.paused_in if desired < current else spec.paused_out
    return (current, Limit.PAUSED) if is_held and desired != current else settled


def busy_floor(observation: Observation) -> int:
    """Count the replicas that must be assumed at work: as they or the broker say, else one for each unacked message."""
    if observation.busy_replicas is not None:
        return max(observation.busy_replicas, observation.holding_replicas or 0)
    if observation.backlog is None or not observation.all_told:
        return observation.ready_replicas
    if observation.holding_replicas is not None:
        return observation.holding_replicas
    return min(observation.backlog.unacked, observation.ready_replicas)


def _step_floor(current: int, memory: Memory, observation: Observation, spec: Spec) -> int:
    """At most ``scale_in_percent`` of the replicas go at a time, at least one, and then none for a while."""
    stepped = memory.stepped_at_seconds
    if stepped is not None and 0 <= observation.at_seconds - stepped < STEP_SECONDS:
        return current
    return current - max(1, math.floor(current * spec.scale_in_percent / 100))


def settle_partly_known(
    needed: int, backlog: Backlog, memory: Memory, observation: Observation, spec: Spec, known: Estimates
) -> Settled:
    """The known part is a lower bound: go up to what it needs, and down for nothing."""
    held, why = settle_unknown(memory, observation, spec)
    desired, limit = settle(needed, backlog, memory, observation, spec, known)
    return (desired, limit) if desired > held else (held, why)


def settle_unknown(memory: Memory, observation: Observation, spec: Spec) -> Settled:
    """Hold what is there; after a while go up to the fallback. Never down, but for the owner's own maximum."""
    held = max(spec.min_replicas, min(observation.current_replicas, spec.max_replicas))
    since = memory.unknown_since_seconds
    unknown_seconds = 0.0 if since is None else observation.at_seconds - since
    if spec.fallback is None or unknown_seconds < spec.fallback.after_seconds:
        return held, Limit.UNKNOWN
    fallback = min(spec.fallback.replicas, spec.max_replicas)
    if fallback <= held or observation.blocked is not None:
        return held, Limit.UNKNOWN
    return fallback, Limit.FALLBACK


def remember_peaks(
    memory: Memory, terms: tuple[Term, ...], observation: Observation, spec: Spec, known: Estimates
) -> Memory:
    """Keep the highest needs of the cool-down; those of a backlog to be drained only for about a replica's start."""
    at, lasting, passing = observation.at_seconds, lasting_replicas(terms), passing_replicas(terms)
    return replace(
        memory,
        peaks=_with_peak(memory.peaks, at, lasting, cooldown_seconds(observation, spec, known)),
        drain_peaks=_with_peak(memory.drain_peaks, at, passing, drain_hold_seconds(observation, spec, known)),
    )


def cooldown_seconds(observation: Observation, spec: Spec, known: Estimates) -> float:
    """Return how long replicas are kept that were needed; when they may be at work unseen, as long as that takes."""
    if spec.cooldown_seconds is not None:
        return spec.cooldown_seconds
    if not _may_hide_work(observation, spec, known):
        return min(max(known.start_seconds, COOLDOWN_SECONDS), LONGEST_COOLDOWN_SECONDS)
    if spec.expected_seconds is None:
        return COOLDOWN_OF_UNKNOWN_WORK_SECONDS
    return max(COOLDOWN_SECONDS, 2 * LONGEST_WORK * spec.expected_seconds)


def _may_hide_work(observation: Observation, spec: Spec, known: Estimates) -> bool:
    """Whether consumers may acknowledge a message before they work on it: they look idle then.

    Work that seems to take next to no time is the sign of it, or far less than its owner expects.
    """
    least = max(HIDDEN_WORK_SECONDS, (spec.expected_seconds or 0.0) * HIDDEN_WORK_SHARE)
    return observation.busy_replicas is None and (not known.is_measured or known.busy_seconds < least)


def drain_hold_seconds(observation: Observation, spec: Spec, known: Estimates) -> float:
    """Return how long replicas are kept that only a backlog needed.

    To keep an idle replica costs as much as to start one after as long as a start takes: longer is not worth it (the
    ski-rental problem).
    """
    cooldown = cooldown_seconds(observation, spec, known)
    if spec.cooldown_seconds is None and _may_hide_work(observation, spec, known):
        return cooldown
    return min(cooldown, max(LEAST_HOLD_LOOKS * known.delay_seconds, known.start_seconds))


def _with_peak(peaks: Peaks, at_seconds: float, held: int, hold_seconds: float) -> Peaks:
    """Leave out what is too old, and what the new need covers."""
    young = (peak for peak in peaks if at_seconds - hold_seconds < peak[0] <= at_seconds)
    return (*(peak for peak in young if peak[1] > held), (at_seconds, held))
