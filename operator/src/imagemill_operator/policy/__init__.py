"""How many workers a queue needs, and why: a pure policy without Kubernetes, on the standard library alone.

A caller looks at its queue and its workers, asks, acts, and asks again some two seconds later::

    from imagemill_operator.policy import Backlog, CounterSum, Observation, PoolTracker, Spec

    pool = PoolTracker("gray", ["work.gray"], Spec(min_replicas=1, max_replicas=4, max_wait_seconds=10.0))
    images, seconds = CounterSum(), CounterSum()
    while running:
        decision = pool.see(
            Observation(
                at_seconds=time.time(),
                backlog=Backlog(ready=212, unacked=6),   # None when the broker did not answer: unknown is not empty
                current_replicas=6,                      # workers asked for
                ready_replicas=6,                        # workers that work
                busy_replicas=6,                         # None when the workers do not say
                completed_total=images.update({worker: images_finished, ...}, started=new_workers),
                busy_seconds_total=seconds.update({worker: seconds_worked, ...}, started=new_workers),
                pod_start_seconds=1.4,                   # how long the present workers took to start; None unknown
                threads_per_replica=2,
            )
        )
        if decision.act:
            start_or_stop_workers(decision.desired_replicas)   # idle ones first
        serve_json(pool.to_dict())

``decide(observation, spec, memory)`` is the function below it, ``decide_all`` decides for several pools and keeps
those with a common ``Budget`` within it, ``share_budget`` is that sharing alone. ``scheduled`` gives a spec the minimum
that its schedules ask for at a moment.

``PoolTracker.to_dict`` gives one pool of ``/pools``: ``name``, ``queues``, ``mode``, ``paused``,
``desired_replicas`` (decided), ``needed_replicas`` (before limits), ``current_replicas`` (set now),
``ready_replicas``, ``busy_replicas``, ``min_replicas``, ``max_replicas``, ``backlog`` (``ready`` and ``unacked``, None
when unknown), ``arrival_rate`` and ``service_rate`` (messages a second), ``busy_seconds`` (per image),
``start_seconds``, ``predicted_wait_seconds``, ``objective`` (``max_wait_seconds`` or ``backlog_per_replica``),
``limit`` (what decided), ``reason`` (one sentence), ``terms`` (``name``, ``replicas``, ``text``), ``conditions``
(``type``, ``status``, ``reason``, ``message``), ``at`` (unix seconds), and ``history`` (an hour unless asked for up to
a day, oldest first: ``at``, ``backlog``, ``waiting``, ``replicas``, ``ready``, ``objective_backlog`` (with which the
objective was just held then), ``broken`` (it was not held), ``arrival_rate``, ``done_rate``). In a cluster a pool whose
Deployment is left alone tells only ``name``, ``queues``, ``limit`` ("refused"), ``reason``, ``terms`` (none),
``conditions`` and ``history``.
"""

from imagemill_operator.policy.budget import Claim, Pool, decide_all, share_budget
from imagemill_operator.policy.counters import CounterSum
from imagemill_operator.policy.decide import decide
from imagemill_operator.policy.history import DAY_SECONDS, HOUR_SECONDS, History
from imagemill_operator.policy.model import (
    Backlog,
    Budget,
    Decision,
    Fallback,
    Limit,
    Memory,
    Mode,
    Observation,
    Schedule,
    Spec,
    Term,
)
from imagemill_operator.policy.need import LONGEST_WORK
from imagemill_operator.policy.schedule import NextTime, is_on, scheduled
from imagemill_operator.policy.state import PoolTracker, condition, conditions, pool_state
from imagemill_operator.policy.steer import Change, changed, parse_change, steered

__all__ = [
    "DAY_SECONDS",
    "HOUR_SECONDS",
    "LONGEST_WORK",
    "Backlog",
    "Budget",
    "Change",
    "Claim",
    "CounterSum",
    "Decision",
    "Fallback",
    "History",
    "Limit",
    "Memory",
    "Mode",
    "NextTime",
    "Observation",
    "Pool",
    "PoolTracker",
    "Schedule",
    "Spec",
    "Term",
    "changed",
    "condition",
    "conditions",
    "decide",
    "decide_all",
    "is_on",
    "parse_change",
    "pool_state",
    "scheduled",
    "share_budget",
    "steered",
]
