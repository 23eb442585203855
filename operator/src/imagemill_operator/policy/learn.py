"""What one observation adds to the memory: arrivals, seconds per image, start time."""

import math
from dataclasses import dataclass, replace

from imagemill_operator.policy.model import Backlog, Memory, Observation
from imagemill_operator.policy.need import FEW_IMAGES

RATE_FAST_SECONDS = 10.0
"""Time constant of the quick arrival rate: falls soon after a burst."""
RATE_SLOW_SECONDS = 60.0
"""Time constant of the slow one. The lower of both counts, so that a burst is not taken for a stream."""
WORK_SECONDS = 60.0
"""Seconds per image are those of about the last minute,"""
WORK_IMAGES = 20.0
"""and of at least so many images."""
LONGEST_STEP_SECONDS = 60.0
"""A longer gap between observations teaches nothing about rates, and what was learned before it is no longer so."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Two neighbouring observations with a known backlog."""

    seconds: float
    before: Backlog
    now: Backlog
    completed: float | None
    worked_seconds: float | None


def without_old_rate(observation: Observation, memory: Memory) -> Memory:
    """Forget an arrival rate that has not been seen for so long that another may have taken its place."""
    seen_at = memory.at_seconds if memory.arrivals_at_seconds is None else memory.arrivals_at_seconds
    if seen_at is None or observation.at_seconds - seen_at <= LONGEST_STEP_SECONDS:
        return memory
    return replace(
        memory,
        arrivals=0.0,
        arrivals_seconds=0.0,
        arrivals_slow=0.0,
        arrivals_slow_seconds=0.0,
        arrivals_at_seconds=None,
    )


def learn(observation: Observation, memory: Memory) -> Memory:
    """Return the memory for the next decision."""
    step = _step(observation, memory)
    learned = memory if step is None else _learn_arrivals(observation, _learn_work(observation, memory, step), step)
    return _remember(observation, learned)


def _step(observation: Observation, memory: Memory) -> _Step | None:
    """Compare with the last observation, when it is known and near enough to tell rates."""
    if observation.backlog is None or observation.untold or memory.backlog is None or memory.at_seconds is None:
        return None
    seconds = observation.at_seconds - memory.at_seconds
    if not 0 < seconds <= LONGEST_STEP_SECONDS:
        return None
    return _Step(
        seconds=seconds,
        before=memory.backlog,
        now=observation.backlog,
        completed=_grown(observation.completed_total, memory.completed_total),
        worked_seconds=_grown(observation.busy_seconds_total, memory.busy_seconds_total),
    )


def _grown(now: float | None, before: float | None) -> float | None:
    """How much a counter grew; None when one end is missing or the counter was started again."""
    return now - before if now is not None and before is not None and now >= before else None


def _remember(observation: Observation, memory: Memory) -> Memory:
    """Keep this observation as the one the next is compared with."""
    if not observation.all_told:
        since = memory.unknown_since_seconds
        return replace(memory, unknown_since_seconds=observation.at_seconds if since is None else since)
    started = observation.pod_start_seconds
    return replace(
        memory,
        at_seconds=observation.at_seconds,
        backlog=observation.backlog,
        completed_total=observation.completed_total,
        busy_seconds_total=observation.busy_seconds_total,
        start_seconds=memory.start_seconds if started is None else started,
        unknown_since_seconds=None,
    )


def _learn_arrivals(observation: Observation, memory: Memory, step: _Step) -> Memory:
    """Arrived = what was finished + what the backlog grew by.

    Without a counter of finished work only a pool that does not work can tell.
    """
    if step.completed is None and observation.ready_replicas > 0:
        return memory
    arrived = (step.completed or 0.0) + step.now.total - step.before.total
    fast, slow = (math.exp(-step.seconds / tau) for tau in (RATE_FAST_SECONDS, RATE_SLOW_SECONDS))
    # Purged and expired messages are no arrivals. What was counted just now may still be taken back: the backlog is
    # told some seconds late, and without it the end of a burst would look like a stream.
    arrived = max(arrived, -max(0.0, memory.arrivals * fast))
    return replace(
        memory,
        arrivals=memory.arrivals * fast + arrived,
        arrivals_seconds=(memory.arrivals_seconds or RATE_FAST_SECONDS) * fast + step.seconds,
        arrivals_slow=memory.arrivals_slow * slow + arrived,
        arrivals_slow_seconds=(memory.arrivals_slow_seconds or RATE_SLOW_SECONDS) * slow + step.seconds,
        arrivals_at_seconds=observation.at_seconds,
    )


def _learn_work(observation: Observation, memory: Memory, step: _Step) -> Memory:
    if step.completed is not None and memory.busy_images < FEW_IMAGES:
        seconds = memory.in_work_seconds + _in_work_seconds(observation, step)
        memory = replace(memory, in_work_seconds=seconds)
    worked = _worked_seconds(observation, step)
    if step.completed is None or worked is None:
        return memory
    keep = math.exp(-step.seconds / WORK_SECONDS) if memory.busy_images >= WORK_IMAGES else 1.0
    return replace(
        memory,
        busy_seconds=memory.busy_seconds * keep + worked,
        busy_images=memory.busy_images * keep + step.completed,
    )


def _in_work_seconds(observation: Observation, step: _Step) -> float:
    """Little's law: messages in work, at the beginning and the end of the step, for as long as it took."""
    slots = observation.ready_replicas * observation.threads_per_replica
    return sum(min(backlog.unacked, slots) for backlog in (step.before, step.now)) / 2 * step.seconds


def _worked_seconds(observation: Observation, step: _Step) -> float | None:
    """Seconds worked in this step: told by the workers, else by Little's law from the messages in work.

    A consumer with a prefetch holds more messages than it works on, so no more count than the ready ones have threads.
    """
    if observation.busy_seconds_total is not None:
        return step.worked_seconds
    return _in_work_seconds(observation, step) if observation.ready_replicas else None
