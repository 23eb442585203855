"""Statistics lag: when they prove that a pod is idle, and 10,000 scale-ins by them."""

import random
from dataclasses import dataclass, replace

from tests.cluster import bodies

from imagemill_operator.channels import Channel, ChannelList
from imagemill_operator.facts import PodFacts, pod_facts
from imagemill_operator.going import victims
from imagemill_operator.holders import Held
from imagemill_operator.idle import (
    FRESH_SECONDS,
    LAG_SECONDS,
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    REFUSED_SECONDS,
    IdleTimes,
    has_moved,
    needs_proof,
)
from imagemill_operator.observe import readings_of, with_work
from imagemill_operator.policy import Backlog, Observation
from imagemill_operator.policy.settle import busy_floor
from imagemill_operator.status import idle_condition


def looked(times: IdleTimes, now: float, **held: int) -> set[str]:
    """Look once and return who is proved idle."""
    times.look(Held(held), now)
    return {pod for pod, count in times.seen(now).held.items() if count == 0}


def test_a_pod_is_idle_when_it_has_looked_so_for_as_long_as_statistics_lag() -> None:
    times = IdleTimes()
    assert looked(times, 0.0, a=0, b=1) == set()
    assert times.seen(0.0).held == {"b": 1}
    assert looked(times, LAG_SECONDS - 1, a=0, b=0) == set()
    assert looked(times, LAG_SECONDS, a=0, b=0) == {"a"}
    assert looked(times, LAG_SECONDS + 4, a=1, b=0) == set()
    assert looked(times, LAG_SECONDS + 8, a=0, b=0) == set(), "b looked idle first at 9"
    assert looked(times, LAG_SECONDS + 9, a=0, b=0) == {"b"}


def test_a_message_that_moved_may_be_at_any_pod() -> None:
    times = IdleTimes()
    assert looked(times, 0.0, a=0) == set()
    times.move(8.0)
    assert looked(times, LAG_SECONDS, a=0) == set()
    assert looked(times, LAG_SECONDS + 8, a=0) == {"a"}


def test_where_messages_come_all_the_time_nobody_waits_for_ever_for_a_quiet_moment() -> None:
    times, now = IdleTimes(), 0.0
    while not looked(times, now, a=0):
        times.move(now)
        now += LOOK_SECONDS
    assert PATIENCE_SECONDS <= now <= PATIENCE_SECONDS + LAG_SECONDS
    quiet = now + LAG_SECONDS
    times.move(quiet)
    assert looked(times, quiet + 1, a=0) == set(), "after a quiet moment patience begins anew"


def test_where_every_message_can_be_finished_a_look_is_proof_enough() -> None:
    assert not needs_proof(1.0, 30.0)
    assert needs_proof(60.0, 30.0)
    assert needs_proof(None, 30.0)
    times = IdleTimes()
    times.look(Held({"a": 0}), 0.0)
    assert times.seen(0.0, with_proof=False).held == {"a": 0}


def test_where_statistics_are_renewed_seldom_a_pod_has_to_look_idle_for_longer() -> None:
    times, pods = IdleTimes(), [pod_facts(bodies.pod("a"))]
    told = ChannelList((Channel("10.0.0.7", 0, frozenset({"work"})),))
    for now in range(0, 80, 4):
        interval = None if now < 30 else 30.0
        times.take(replace(told, interval_seconds=interval), pods, pods, ["work"], float(now))
        assert times.seen(now).held == ({"a": 0} if now >= 60 else {})
    told_then = idle_condition(times.seen(76.0), tell_themselves=False)
    assert told_then["message"].endswith(
        "every 30 s (collect_statistics_interval), so a pod has to look idle for 60 s before it may go."
    )


def test_it_is_asked_as_often_as_there_may_be_something_new() -> None:
    times = IdleTimes()
    assert times.is_due(0.0)
    times.look(Held({"a": 0}), 0.0)
    assert not times.is_due(LOOK_SECONDS - 0.1)
    assert times.is_due(LOOK_SECONDS)


def test_an_old_look_says_nothing() -> None:
    times = IdleTimes()
    assert times.seen(0.0).pending
    times.look(Held({"a": 0}), 0.0)
    assert times.seen(FRESH_SECONDS + 1).pending


def test_a_refusal_counts_at_once_and_silence_after_a_while() -> None:
    times, pods = IdleTimes(), [pod_facts(bodies.pod("a"))]
    times.take(ChannelList(problem="No."), pods, pods, ["work"], 0.0)
    assert (times.seen(0.0).problem, times.seen(0.0).pending) == ("No.", False)
    times = IdleTimes()
    for now in range(0, int(FRESH_SECONDS) + 4, 4):
        times.take(ChannelList(problem="Late.", is_passing=True), pods, pods, ["work"], float(now))
        assert times.seen(now).pending == (now < FRESH_SECONDS)


def test_what_is_refused_or_too_much_is_asked_for_again_seldom() -> None:
    times, pods = IdleTimes(), [pod_facts(bodies.pod("a"))]
    times.take(ChannelList(problem="No."), pods, pods, ["work"], 0.0)
    assert not times.is_due(REFUSED_SECONDS - 0.1)
    assert times.is_due(REFUSED_SECONDS)
    times.take(ChannelList(problem="Late.", is_passing=True), pods, pods, ["work"], REFUSED_SECONDS)
    assert times.is_due(REFUSED_SECONDS + LOOK_SECONDS)


def test_pods_that_are_all_unknown_are_said_to_be() -> None:
    times, pods = IdleTimes(), [pod_facts(bodies.pod("a"))]
    times.take(ChannelList(), pods, pods, ["work"], 0.0)
    assert times.seen(0.0).problem.startswith("None of the pods is known to consume")


def observed(ready: int, unacked: int, done: float | None = None) -> Observation:
    return Observation(0.0, Backlog(ready, unacked), 4, 4, completed_total=done)


def test_a_message_moved_when_one_waited_or_came() -> None:
    assert has_moved(None, observed(0, 0))
    assert has_moved(observed(0, 1), observed(1, 1))
    assert has_moved(observed(1, 1), observed(0, 2))
    assert has_moved(observed(0, 1), observed(0, 2))
    assert has_moved(observed(0, 2, 5.0), observed(0, 2, 6.0)), "one was done, and another came"
    assert not has_moved(observed(0, 2, 5.0), observed(0, 1, 6.0))
    assert not has_moved(observed(0, 2), observed(0, 2))
    assert has_moved(replace(observed(0, 0), backlog=None), observed(0, 0))


@dataclass
class Worker:
    """A pod that takes one message and works for long, as a drain leaves it. ``phase`` is when its statistics come."""

    pod: PodFacts
    taken_at: float
    done_at: float
    phase: float

    def holds(self, at: float) -> int:
        return int(self.taken_at <= at < self.done_at)

    def told(self, at: float) -> int:
        """What its channel told at the last of its own times, gathered at the last time of the plugin's."""
        gathered = at - (at + self.phase) % 5.0
        return self.holds(gathered - (gathered + 2 * self.phase) % 5.0)


class Drain:
    """A burst is handed out until 0; from then on there are too many pods and each look wants rid of all."""

    def __init__(self, dice: random.Random, *, with_proof: bool) -> None:
        self.dice, self.with_proof = dice, with_proof
        self.workers = [self._worker(number) for number in range(dice.randint(2, 12))]
        self.times, self.phase = IdleTimes(), dice.uniform(0.0, 5.0)
        self.scale_ins = self.interrupted = 0

    def _worker(self, number: int) -> Worker:
        taken = self.dice.uniform(-40.0, 0.0)
        lasting = self.dice.choice([0.0, 2.0, 20.0, 60.0, 300.0]) * self.dice.uniform(0.5, 2.0)
        pod = pod_facts(bodies.pod(f"p{number}"))
        return Worker(pod, taken, taken + lasting, self.dice.uniform(0.0, 5.0))

    def run(self) -> None:
        now, looked_at, before = self.dice.uniform(0.0, 2.0), -LOOK_SECONDS, None
        while self.workers and now < 900.0:
            seen = Observation(now, Backlog(0, sum(one.holds(now - now % 5.0) for one in self.workers)), 1, 1)
            if now - looked_at >= LOOK_SECONDS:
                self.times.look(Held({one.pod.name: one.told(now) for one in self.workers}), now)
                looked_at = now
            if has_moved(before, seen):
                self.times.move(now)
            self.times.count(seen.backlog and seen.backlog.unacked, now)
            self._scale_in(seen, now)
            before, now = seen, now + 2.0

    def _scale_in(self, seen: Observation, now: float) -> None:
        by_broker = self.times.seen(now, with_proof=self.with_proof)
        pods = [one.pod for one in self.workers]
        told = readings_of(by_broker, pods, now)
        count = len(pods) - busy_floor(with_work(seen, pods, {}, by_broker))
        marked = victims(pods, told, count, now)
        self.dice.shuffle(self.workers)
        self.workers.sort(key=lambda one: one.pod.name not in marked)
        gone, self.workers = self.workers[:count], self.workers[count:]
        self.scale_ins += bool(gone)
        self.interrupted += sum(one.holds(now) for one in gone)


def drained(scale_ins: int, *, with_proof: bool) -> tuple[int, int]:
    """Drain pools by seed until there were so many scale-ins; return them, and the pods stopped at work."""
    count = interrupted = seed = 0
    while count < scale_ins:
        drain = Drain(random.Random(seed), with_proof=with_proof)
        drain.run()
        count, interrupted, seed = count + drain.scale_ins, interrupted + drain.interrupted, seed + 1
    return count, interrupted


def test_no_pod_at_work_is_stopped_in_ten_thousand_scale_ins_by_statistics_that_lag() -> None:
    count, interrupted = drained(10_000, with_proof=True)
    assert (count >= 10_000, interrupted) == (True, 0)


def test_one_look_alone_would_stop_pods_at_work() -> None:
    assert drained(200, with_proof=False)[1] > 0
