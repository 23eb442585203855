"""What the operator keeps of a pool from tick to tick."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from imagemill_operator.channels import ChannelList
from imagemill_operator.facts import PodFacts
from imagemill_operator.idle import IdleTimes, PodsSeen, has_moved, needs_proof
from imagemill_operator.observe import Counters, readings_of, with_work
from imagemill_operator.policy import Decision, History, Memory, Observation, Spec
from imagemill_operator.workers import WorkerReading


class PoolMemory:
    """What the operator keeps of one pool between ticks.

    ``asleep_at`` is when it last stood at 0. At the first look nobody knows: an operator before this one may just have
    woken it. ``has_too_many`` is whether some of its replicas will be given up soon. ``told`` is which of its pods
    work, as they tell or the broker; ``by_broker`` what the broker told of them last, where none tells itself;
    ``all_tell`` is whether all that stay tell themselves.
    """

    def __init__(self, memory: Memory, now: float) -> None:
        self.memory = memory
        self.counters = Counters()
        self.history = History()
        self.asleep_at = now
        self.has_too_many = False
        self.idle = IdleTimes()
        self.seen: Observation | None = None
        self.told: Mapping[str, WorkerReading] = {}
        self.by_broker: PodsSeen | None = None
        self.all_tell = False

    def wants_channels(self, now: float) -> bool:
        """Whether to ask the broker which pods hold messages: only while some may go, and not all tell themselves."""
        return self.has_too_many and not self.all_tell and self.idle.is_due(now)

    def see_pods(
        self,
        seen: Observation,
        pods: Collection[PodFacts],
        workers: Mapping[str, WorkerReading],
        channels: ChannelList | None,
        everybody: Collection[PodFacts],
        queues: Collection[str],
    ) -> Observation:
        """Add to an observation which pods are at work, and remember it."""
        told = {pod.name: workers[pod.name] for pod in pods if pod.name in workers}
        self.all_tell = all(pod.name in told for pod in pods if not pod.terminating)
        if not self.has_too_many:
            self.idle = IdleTimes()
        elif channels is not None:
            self.idle.take(channels, pods, everybody, queues, seen.at_seconds)
        by_broker = self._by_broker(seen) if self.has_too_many and not self.all_tell else None
        known = self.by_broker if by_broker is None or by_broker.pending else by_broker
        self.by_broker = None if told else known
        held = {} if by_broker is None else readings_of(by_broker, pods, seen.at_seconds)
        self.told = {**held, **told}
        self.seen = with_work(seen, pods, told, by_broker)
        return self.seen

    def _by_broker(self, seen: Observation) -> PodsSeen:
        if has_moved(self.seen, seen):
            self.idle.move(seen.at_seconds)
        self.idle.count(None if seen.backlog is None else seen.backlog.unacked, seen.at_seconds)
        with_proof = needs_proof(self.memory.busy_seconds_per_image, seen.grace_seconds)
        return self.idle.seen(seen.at_seconds, with_proof=with_proof)


def without_step(decision: Decision, before: Memory) -> Decision:
    """Take back that a step was made."""
    return replace(decision, memory=replace(decision.memory, stepped_at_seconds=before.stepped_at_seconds))


def may_go(spec: Spec, observation: Observation, decision: Decision) -> bool:
    """Whether some replicas will be given up soon, or could be for other pools of a budget."""
    current, most = observation.current_replicas, spec.max_replicas
    if spec.paused_in:
        return False
    if spec.budget is not None:
        return current > spec.min_replicas
    useful = most if observation.useful_replicas is None else observation.useful_replicas
    return max(min(decision.needed_replicas, most, useful), spec.min_replicas) < current
