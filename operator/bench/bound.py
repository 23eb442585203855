"""What somebody who knows the future would pay: a bound that no scaling law can beat."""

import heapq

from bench.traces import Trace


def replica_seconds(trace: Trace) -> float:
    """All work, and the start of as many replicas as the objective needs at the same time.

    A replica that works on a message costs as long as that takes, whoever it is; and of the replicas that are needed at
    the same time each has to be started once.
    """
    return sum(trace.work_seconds) + least_peak(trace) * trace.start_seconds


def least_peak(trace: Trace) -> int:
    """Fewest replicas, all there from the beginning, with which nobody waits longer than the objective."""
    low, high = 0, trace.max_replicas
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(trace, middle) else (middle, high)
    return high


def keeps(trace: Trace, replicas: int) -> bool:
    """Whether so many replicas, always there, keep the objective of a queue that is served in order."""
    free = [0.0] * replicas
    for at, work in zip(trace.arrivals, trace.work_seconds, strict=True):
        begins = max(at, free[0])
        if begins - at > trace.objective_seconds:
            return False
        heapq.heapreplace(free, begins + work)
    return True


def is_attainable(trace: Trace) -> bool:
    """Whether the objective can be kept by a pool that sleeps: a first message waits for a start."""
    return trace.start_seconds < trace.objective_seconds and keeps(trace, trace.max_replicas)
