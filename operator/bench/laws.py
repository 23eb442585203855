"""The two scaling laws: ours, and that of KEDA with the Horizontal Pod Autoscaler."""

import math
import random
from collections import deque
from dataclasses import replace

from bench.simulator import View
from bench.traces import Trace
from imagemill_operator.policy import Backlog, Memory, Observation, Spec, decide

TICK_SECONDS = 2.0
HPA_SYNC_SECONDS = 15.0
"""Of the controller manager; nobody can set it for one pool."""


class Ours:
    """The operator's policy, fed with what the operator sees: stale broker metrics, live ones only at 0 replicas.

    Consumers tell how busy they are.
    """

    name = "imagemill, told"
    interval_seconds = TICK_SECONDS
    idle_first = True

    def __init__(self, trace: Trace, seed: int = 1) -> None:
        self.spec = Spec(max_replicas=trace.max_replicas, max_wait_seconds=trace.objective_seconds)
        self.memory = Memory()

    def replicas(self, view: View) -> int:
        """Decide on one view."""
        decision = decide(observe(view), self.spec, self.memory)
        self.memory = decision.memory
        return decision.desired_replicas


class Foreign(Ours):
    """The same for consumers that tell nothing, as a stranger's are.

    The broker tells what is acknowledged, and which channels hold messages.
    """

    name = "imagemill"

    def replicas(self, view: View) -> int:
        """Decide on one view."""
        seen = replace(
            observe(view), busy_replicas=None, busy_seconds_total=None, holding_replicas=view.holding_replicas
        )
        decision = decide(seen, self.spec, self.memory)
        self.memory = decision.memory
        return decision.desired_replicas


def observe(view: View) -> Observation:
    """Turn a view into the policy's observation."""
    backlog = None
    if view.ready is not None and view.unacked is not None and view.live_ready is not None:
        asleep = view.replicas == 0
        backlog = Backlog(max(view.live_ready, view.ready) if asleep else view.ready, view.unacked)
    return Observation(
        at_seconds=view.now,
        backlog=backlog,
        current_replicas=view.replicas,
        ready_replicas=view.ready_replicas,
        busy_replicas=view.busy_replicas,
        completed_total=view.completed,
        busy_seconds_total=view.busy_seconds,
        pod_start_seconds=view.start_seconds,
        delay_seconds=TICK_SECONDS,
    )


class Keda:
    """KEDA 2.20 with the HPA's defaults, told the same objective: a queue length of objective ÷ typical work.

    KEDA looks every 30 s whether there is anything (0 to 1) and goes back to 0 after 300 s of nothing. The HPA looks
    every 15 s: ceil(backlog ÷ target) within a tolerance of 10 %, at most 4 more or double each time, and never below
    the highest recommendation of the last 300 s. Both hold while the metrics are gone. Their clocks are independent.
    """

    name = "KEDA"
    interval_seconds = 1.0
    idle_first = False
    poll_seconds = 30.0
    cooldown_seconds = 300.0
    stabilisation_seconds = 300.0
    pods_a_step = 4
    target_share = 1.0

    def __init__(self, trace: Trace, seed: int = 1) -> None:
        dice = random.Random(seed)
        self.max_replicas = trace.max_replicas
        self.target = max(1.0, self.target_share * trace.objective_seconds / trace.typical_seconds)
        self.advice: deque[tuple[float, int]] = deque()
        self.active_at = -math.inf
        self.poll_at = dice.uniform(0, self.poll_seconds)
        self.sync_at = dice.uniform(0, HPA_SYNC_SECONDS)

    def replicas(self, view: View) -> int:
        """Let each look when its time has come."""
        polls, syncs = view.now >= self.poll_at, view.now >= self.sync_at
        self.poll_at += self.poll_seconds * polls
        self.sync_at += HPA_SYNC_SECONDS * syncs
        if view.ready is None or view.unacked is None:
            return view.replicas
        backlog = view.ready + view.unacked
        wanted = self._poll(backlog, view) if polls else view.replicas
        return self._sync(backlog, view) if syncs and wanted == view.replicas > 0 else wanted

    def _poll(self, backlog: int, view: View) -> int:
        if backlog > 0:
            self.active_at = view.now
            return max(1, view.replicas)
        if view.now - self.active_at < self.cooldown_seconds:
            return view.replicas
        self.advice.clear()
        return 0

    def _sync(self, backlog: int, view: View) -> int:
        ratio = backlog / (self.target * view.replicas)
        advice = view.replicas if abs(1 - ratio) <= 0.1 else math.ceil(backlog / self.target)
        self.advice.append((view.now, advice))
        while self.advice[0][0] <= view.now - self.stabilisation_seconds:
            self.advice.popleft()
        if advice <= view.replicas:
            advice = min(view.replicas, max(old for _, old in self.advice))
        fastest = max(view.replicas + self.pods_a_step, view.replicas * 2)
        return max(1, min(advice, fastest, self.max_replicas))


class Expert(Keda):
    """KEDA as somebody sets it who knows it well, and the service time: it looks every 2 s, and aims at half."""

    name = "KEDA, tuned"
    poll_seconds = 2.0
    cooldown_seconds = 30.0
    stabilisation_seconds = 30.0
    pods_a_step = 100
    target_share = 0.5


LAWS: tuple[type[Ours | Keda], ...] = (Foreign, Ours, Keda, Expert)
