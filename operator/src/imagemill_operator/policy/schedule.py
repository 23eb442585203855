"""Minimums by the time of day: more replicas from one time until another, whatever waits."""

from collections.abc import Callable
from dataclasses import replace

from imagemill_operator.policy.model import Schedule, Spec

NextTime = Callable[[str, str, float], float]
"""When a cron expression comes next: (expression, time zone, unix time) to unix time, infinity for never."""


def is_on(schedule: Schedule, at_seconds: float, next_time: NextTime) -> bool:
    """Tell whether a schedule holds: its end comes before it starts anew, as in KEDA."""
    end = next_time(schedule.end, schedule.timezone, at_seconds)
    return end < next_time(schedule.start, schedule.timezone, at_seconds)


def scheduled(spec: Spec, at_seconds: float, next_time: NextTime) -> Spec:
    """Raise the minimum to the highest of the schedules that hold, within the maximum."""
    on = [schedule for schedule in spec.schedules if is_on(schedule, at_seconds, next_time)]
    if not on:
        return spec
    highest = max(on, key=lambda schedule: schedule.min_replicas)
    minimum = min(highest.min_replicas, spec.max_replicas)
    if minimum <= spec.min_replicas:
        return spec
    return replace(spec, min_replicas=minimum, schedule_in_force=highest)
