"""Single decisions, as a person would check them on paper."""

from dataclasses import replace

import pytest

from imagemill_operator.policy import (
    Backlog,
    Budget,
    Fallback,
    Limit,
    Memory,
    Mode,
    Observation,
    Pool,
    PoolTracker,
    Spec,
    conditions,
    decide,
    decide_all,
)

WAIT = Spec(max_replicas=32, max_wait_seconds=10.0)
SHARE = Spec(max_replicas=16, backlog_per_replica=10.0)


def seen(ready: int = 0, unacked: int = 0, current: int = 0, **more: object) -> Observation:
    values = {"ready_replicas": current, **more}
    return Observation(at_seconds=100.0, backlog=Backlog(ready, unacked), current_replicas=current, **values)  # type: ignore[arg-type]


def memory(busy_seconds: float = 1.0, rate: float = 0.0, start: float = 2.0, **more: object) -> Memory:
    arrivals = {
        "arrivals": rate * 20,
        "arrivals_seconds": 20.0,
        "arrivals_slow": rate * 60,
        "arrivals_slow_seconds": 60.0,
    }
    return Memory(busy_seconds=busy_seconds * 50, busy_images=50.0, start_seconds=start, **(arrivals | more))  # type: ignore[arg-type]


def test_the_sentence_of_a_pool_that_keeps_up() -> None:
    decision = decide(seen(212, current=6), replace(WAIT, max_wait_seconds=20.0), memory(busy_seconds=6 / 35, rate=33))
    assert decision.reason == "212 waiting, 35 a second with 6 workers: 6 s wait, objective 20 s, so 6 stay."
    assert decision.limit is Limit.NEED


def test_a_burst_into_an_empty_pool_goes_straight_to_what_is_needed() -> None:
    decision = decide(seen(300), SHARE, Memory())
    assert (decision.desired_replicas, decision.limit) == (16, Limit.MAXIMUM)
    assert decision.reason == (
        "300 waiting, no worker ready: 300 each, objective 10 each, 30 are needed but 16 is the maximum, so 16 start."
    )


def test_the_backlog_has_three_quarters_of_the_objective_less_seeing_and_starting() -> None:
    """100 messages of 1 s, within 15 s of which 2 pass before it is seen and 2 until the pods run: 100 / 11."""
    assert decide(seen(100), replace(WAIT, max_wait_seconds=20.0), memory()).desired_replicas == 10


def test_ready_workers_work_through_the_start_of_the_others() -> None:
    """6 ready do 78 of 120 in the 13 s that are left, the rest is for pods that have 11 s: 6 + 42 / 11."""
    decision = decide(seen(120, current=6), replace(WAIT, max_wait_seconds=20.0), memory())
    assert decision.desired_replicas == 10
    assert decision.reason.endswith("20 s wait, objective 20 s, three quarters of it are the aim, so 4 more start.")


def test_a_steady_stream_is_served() -> None:
    decision = decide(seen(1, 9, current=9), WAIT, memory(rate=10))
    assert decision.desired_replicas == 10
    assert decision.reason.endswith("objective 10 s, 10 a second arrive, so 1 more starts.")
    assert max(decision.terms, key=lambda term: term.replicas).name == "arrival_rate"


def test_a_stream_from_before_a_long_gap_asks_for_nothing() -> None:
    """The operator was away for three hours; the queue is empty now."""
    assert decide(seen(0, current=1), WAIT, memory(rate=100, at_seconds=100.0 - 3 * 3600)).needed_replicas == 0
    assert decide(seen(1, current=1), WAIT, memory(rate=10, at_seconds=100.0 - 60)).needed_replicas == 10


def test_a_rate_that_cannot_be_learned_anew_is_not_believed_for_ever() -> None:
    looks = [replace(seen(5, current=2), at_seconds=100.0 + tick * 2.0) for tick in range(40)]
    known = memory(rate=10, at_seconds=98.0, arrivals_at_seconds=98.0)
    for look in looks:
        decision = decide(look, WAIT, known)
        known = decision.memory
    assert decision.arrival_rate is None


LONG_WORK = memory(busy_seconds=60.0)
HALF_A_MINUTE = replace(WAIT, max_wait_seconds=30.0)


@pytest.mark.parametrize(("ready", "replicas"), [(1, 1), (5, 5), (40, 32)])
def test_there_are_never_more_replicas_than_messages(ready: int, replicas: int) -> None:
    """Work is longer than the objective: a second replica for one message would have nothing to do."""
    assert decide(seen(ready), HALF_A_MINUTE, LONG_WORK).desired_replicas == replicas
    assert decide(seen(ready), replace(SHARE, backlog_per_replica=0.1), LONG_WORK).needed_replicas == ready


def test_a_share_that_a_person_wrote_spreads_messages_whatever_threads_there_are() -> None:
    spec = replace(SHARE, backlog_per_replica=3.0)
    assert decide(seen(12, current=1, threads_per_replica=8), spec, memory()).desired_replicas == 4


def test_a_message_that_is_in_work_already_asks_for_no_second_replica() -> None:
    decision = decide(seen(0, 1, current=1), HALF_A_MINUTE, LONG_WORK)
    assert decision.desired_replicas == 1
    assert decision.reason == (
        "none waiting, 1 in work, 0.017 a second with 1 worker: 0 s wait, objective 30 s, so 1 stays."
    )


def test_what_one_consumer_has_fetched_cannot_be_taken_by_others() -> None:
    assert decide(seen(0, 100, current=1), HALF_A_MINUTE, LONG_WORK).desired_replicas == 1
    assert decide(seen(3, 100, current=1), HALF_A_MINUTE, LONG_WORK).desired_replicas == 4


def test_what_waits_has_all_that_is_fetched_before_it() -> None:
    """20 wait behind 80: 100 s of work are 8 replicas for the 13 s that are left; 140 s are 8 + (140 - 8 × 13) / 11."""
    spec = replace(WAIT, max_wait_seconds=20.0)
    assert decide(seen(20, 80, current=8), spec, memory()).needed_replicas == 8
    assert decide(seen(60, 80, current=8), spec, memory()).needed_replicas == 12


@pytest.mark.parametrize(
    ("unacked", "consumers", "threads", "status"),
    [
        (100, 1, 1.0, "True"),
        (12, 1, 4.0, "False"),
        (100, None, 1.0, "Unknown"),
        (8, 2, 1.0, "False"),
        (9, 2, 1.0, "True"),
    ],
)
def test_consumers_that_fetch_more_than_they_can_work_on_are_told(
    unacked: int, consumers: int | None, threads: float, status: str
) -> None:
    look = seen(0, unacked, current=2, consumers=consumers, threads_per_replica=threads)
    told = next(
        item for item in conditions(look, WAIT, decide(look, WAIT, Memory())) if item["type"] == "PrefetchHoards"
    )
    assert told["status"] == status
    assert ("lower the prefetch" in told["message"]) == (status == "True")


def test_nothing_is_started_while_nothing_waits() -> None:
    for spec in (WAIT, SHARE):
        assert decide(seen(0, 50, current=2), spec, memory(rate=100)).desired_replicas == 2
        assert decide(seen(0, 5), spec, memory()).desired_replicas == 0


def test_more_replicas_than_the_wait_asks_for_are_explained_by_what_is_in_work() -> None:
    decision = decide(seen(1, 10, current=10), HALF_A_MINUTE, LONG_WORK)
    assert decision.desired_replicas == 11
    assert decision.reason.endswith("6 s wait, objective 30 s, the 10 in work are to be done too, so 1 more starts.")


def test_threads_count_as_so_many_workers() -> None:
    assert decide(seen(1, 9, current=10, threads_per_replica=4), WAIT, memory(rate=10)).needed_replicas == 3


def test_an_objective_shorter_than_the_start_says_how_it_could_hold() -> None:
    decision = decide(seen(5), Spec(max_replicas=12, max_wait_seconds=4.0), memory(start=12.0))
    assert decision.desired_replicas == 5
    assert "set minReplicas to 1" in (decision.attainable or "")


def test_while_nobody_knows_how_long_a_message_takes_a_few_find_out() -> None:
    """10,000 messages that take 5 ms: 4 replicas do them in time, a second each would need 500."""
    spec = Spec(max_replicas=500, max_wait_seconds=30.0)
    first = decide(seen(10_000, completed_total=0.0), spec, Memory())
    assert (first.desired_replicas, first.limit) == (16, Limit.LEARNING)
    assert first.reason.endswith("nobody knows yet how long a message takes, so 16 start.")
    look = replace(seen(10_000, current=16, completed_total=0.0), ready_replicas=0, at_seconds=102.0)
    second = decide(look, spec, first.memory)
    assert second.desired_replicas == 32
    done = replace(seen(3_600, 32, current=32, completed_total=6_400.0, busy_seconds_total=32.0), at_seconds=104.0)
    before = replace(second.memory, busy_seconds_total=0.0)
    third = decide(done, spec, before)
    assert third.desired_replicas <= 64, "what was learned just now counts from the next decision on"
    fourth = decide(replace(done, at_seconds=106.0, current_replicas=third.desired_replicas), spec, third.memory)
    assert (fourth.busy_seconds, fourth.needed_replicas) == (0.005, 1)


def test_what_a_person_expects_counts_until_some_were_measured() -> None:
    spec = Spec(max_replicas=500, max_wait_seconds=30.0, expected_seconds=0.005)
    assert decide(seen(10_000), spec, Memory()).desired_replicas == 4
    assert decide(seen(50), replace(spec, expected_seconds=60.0), Memory()).desired_replicas == 50
    one = Memory(busy_seconds=1.0, busy_images=1.0, start_seconds=2.0)
    assert "× 0.204 s" in decide(seen(100), spec, one).terms[1].text
    assert "× 1 s" in decide(seen(100), spec, memory()).terms[1].text


def test_messages_that_are_not_done_yet_tell_that_work_is_long() -> None:
    """Two replicas are at work for 40 s and nothing is done: no message takes the second that was assumed."""
    known, spec = Memory(), Spec(max_replicas=12, max_wait_seconds=60.0)
    for tick in range(21):
        look = replace(seen(6, 2, current=2, completed_total=0.0), at_seconds=100.0 + tick * 2)
        decision = decide(look, spec, known)
        known = decision.memory
    assert "8 not done × 38 s" in decision.terms[1].text
    assert decision.desired_replicas == 8


def test_nothing_wakes_a_pool_below_its_activation_backlog() -> None:
    spec = replace(SHARE, activation_backlog=5)
    assert decide(seen(4), spec, Memory()).limit is Limit.ACTIVATION
    assert decide(seen(5), spec, Memory()).desired_replicas == 1


def test_scale_in_waits_for_the_cool_down_and_then_goes_in_steps() -> None:
    known, current, path = Memory(), 16, []
    for tick in range(60):
        backlog = Backlog(300) if tick == 0 else Backlog(0)
        decision = decide(Observation(tick * 1.0, backlog, current, current, busy_replicas=0), SHARE, known)
        current, known = decision.desired_replicas, decision.memory
        path.append(current)
    assert path[9] == 16
    assert [count for index, count in enumerate(path) if index == 0 or path[index - 1] != count] == [16, 8, 4, 2, 1, 0]
    assert path.index(8) == 10
    assert path.index(0) == 30


def path_of(backlogs: list[Backlog], known: Memory, spec: Spec = WAIT) -> list[int]:
    """Replicas decided on, one look a second; every replica is ready at once and idle."""
    current, path = 0, []
    for tick, backlog in enumerate(backlogs):
        decision = decide(Observation(tick * 1.0, backlog, current, current, busy_replicas=0), spec, known)
        current, known = decision.desired_replicas, decision.memory
        path.append(current)
    return path


def test_replicas_that_only_a_burst_needed_are_kept_for_about_as_long_as_a_start() -> None:
    burst = [Backlog(0), Backlog(20), *[Backlog(0)] * 20]
    path = path_of(burst, memory(start=9.0))
    assert path[1] == path[9] > path[10], "9 s after the burst was last seen"
    quick = path_of(burst, memory(start=1.0))
    assert quick[1] == quick[6] > quick[7], "three looks of 2 s are the least"
    assert path_of(burst, memory(start=9.0), replace(WAIT, cooldown_seconds=0.0))[2] < path[1]


def test_replicas_that_a_stream_needed_are_kept_for_the_cool_down() -> None:
    first = decide(seen(1, 9, current=10), WAIT, memory(rate=10))
    gone = replace(first.memory, arrivals=0.0, arrivals_slow=0.0)
    later = replace(seen(0, current=10, busy_replicas=0), at_seconds=109.0)
    decision = decide(later, WAIT, gone)
    assert (decision.desired_replicas, decision.limit) == (10, Limit.COOLDOWN)
    assert "what was needed in the last 10 s counts too" in decision.reason
    assert decide(replace(later, at_seconds=110.0), WAIT, gone).desired_replicas < 10


def test_replicas_that_take_long_to_start_are_kept_as_long_but_not_for_ever() -> None:
    assert kept_seconds(memory(busy_seconds=10.0, start=30.0), SHARE) == 30
    assert kept_seconds(memory(busy_seconds=10.0, start=600.0), SHARE) == 60


def test_a_pool_that_has_just_drained_a_backlog_says_so() -> None:
    first = decide(seen(20), WAIT, memory())
    later = replace(seen(0, current=first.desired_replicas, busy_replicas=0), at_seconds=102.0)
    decision = decide(later, WAIT, first.memory)
    assert decision.reason.endswith("0 would do but a larger backlog was there just now, so 6 stay.")


def test_replicas_found_at_the_first_look_are_kept_for_a_cool_down() -> None:
    decision = decide(seen(0, current=9, busy_replicas=0), SHARE, Memory())
    assert (decision.desired_replicas, decision.limit) == (9, Limit.COOLDOWN)


def test_workers_that_do_not_tell_are_busy_as_long_as_messages_are_unacked() -> None:
    decision = decide(seen(0, 7, current=10), replace(SHARE, cooldown_seconds=0.0), Memory())
    assert (decision.desired_replicas, decision.limit) == (7, Limit.BUSY)
    assert (
        decide(seen(0, 7, current=10, busy_replicas=2), replace(SHARE, cooldown_seconds=0.0), Memory()).limit
        is Limit.STEP
    )


def test_unknown_holds_and_then_goes_up_to_the_fallback() -> None:
    spec = replace(WAIT, fallback=Fallback(replicas=5, after_seconds=30.0))
    blind = replace(seen(current=3), backlog=None)
    first = decide(blind, spec, memory())
    assert (first.desired_replicas, first.limit) == (3, Limit.UNKNOWN)
    later = decide(replace(blind, at_seconds=131.0), spec, first.memory)
    assert (later.desired_replicas, later.limit) == (5, Limit.FALLBACK)
    assert later.reason == "The broker has not told the backlog for 31 s and the fallback is 5, so 2 more start."


def test_the_known_part_of_a_backlog_is_a_lower_bound() -> None:
    spec = replace(SHARE, fallback=Fallback(replicas=5, after_seconds=30.0))
    more = decide(seen(75, current=3, untold="queue b"), spec, memory())
    assert (more.desired_replicas, more.limit) == (8, Limit.NEED)
    assert more.reason.endswith(
        "objective 10 each, the broker does not tell queue b, which may hold more, so 5 more start."
    )
    less = decide(seen(5, current=3, untold="queue b"), spec, memory())
    assert (less.desired_replicas, less.limit) == (3, Limit.UNKNOWN)
    later = decide(replace(seen(5, current=3, untold="queue b"), at_seconds=131.0), spec, less.memory)
    assert (later.desired_replicas, later.limit) == (5, Limit.FALLBACK)


def test_a_part_of_the_backlog_teaches_no_rate() -> None:
    first = decide(seen(75, current=3, completed_total=0.0), SHARE, memory(rate=1))
    part = replace(seen(5, current=3, untold="queue b", completed_total=0.0), at_seconds=102.0)
    assert decide(part, SHARE, first.memory).arrival_rate == first.arrival_rate


def kept_seconds(known: Memory, spec: Spec, **more: object) -> int:
    """How long eight tasks' replicas are kept by consumers whose queue has been empty since they took them."""
    current, now = 8, 100.0
    first = decide(replace(seen(8, current=8, **more), at_seconds=now), spec, known)
    known = first.memory
    while current == 8:
        now += 2.0
        decision = decide(replace(seen(0, current=current, **more), at_seconds=now), spec, known)
        current, known = decision.desired_replicas, decision.memory
    return int(now - 100.0)


def test_consumers_that_acknowledge_before_they_work_are_not_stopped_in_mid_task() -> None:
    """Celery's default: nothing is unacknowledged, and work seems to take no time."""
    assert kept_seconds(Memory(), SHARE) == 300, "nothing is known of the work"
    assert kept_seconds(memory(busy_seconds=0.001), WAIT) == 300
    assert kept_seconds(memory(busy_seconds=0.001), replace(SHARE, expected_seconds=30.0)) == 180
    assert kept_seconds(memory(busy_seconds=10.0), SHARE) == 10, "what is in work is seen"
    assert kept_seconds(memory(busy_seconds=0.001), SHARE, busy_replicas=0) == 10, "they tell themselves"
    assert kept_seconds(Memory(), replace(SHARE, cooldown_seconds=6.0)) == 6, "the owner says so"


def test_a_grace_period_that_is_shorter_than_the_work_is_told() -> None:
    def told(grace: float | None, known: Memory) -> dict[str, str]:
        look = seen(0, 1, current=1, grace_seconds=grace)
        every = conditions(look, WAIT, decide(look, WAIT, known))
        return next(item for item in every if item["type"] == "GraceCoversWork")

    assert told(30.0, memory(busy_seconds=60.0))["status"] == "False"
    assert "raise terminationGracePeriodSeconds" in told(30.0, memory(busy_seconds=60.0))["message"]
    assert told(200.0, memory(busy_seconds=60.0))["status"] == "True"
    assert told(30.0, Memory())["status"] == told(None, memory())["status"] == "Unknown"


def test_pending_pods_count_as_capacity_to_come() -> None:
    spec = replace(WAIT, max_wait_seconds=20.0)
    first = decide(seen(100), spec, memory())
    starting = replace(seen(104, current=first.desired_replicas), ready_replicas=0, at_seconds=102.0)
    assert decide(starting, spec, first.memory).desired_replicas == 10


@pytest.mark.parametrize(("change", "begin"), [({"paused": True}, "Paused"), ({"mode": Mode.ADVISE}, "Advice only")])
def test_a_pool_that_may_not_be_changed_only_tells(change: dict[str, object], begin: str) -> None:
    decision = decide(seen(300), replace(SHARE, **change), Memory())  # type: ignore[arg-type]
    assert not decision.act
    assert decision.reason.startswith(begin)


@pytest.mark.parametrize("change", [{"paused": True}, {"mode": Mode.ADVISE}])
def test_advice_does_not_change_while_nothing_else_does(change: dict[str, object]) -> None:
    spec = replace(SHARE, cooldown_seconds=0.0, **change)  # type: ignore[arg-type]
    known, advice = Memory(), set()
    for tick in range(10):
        look = replace(seen(0, current=16, busy_replicas=0), at_seconds=100.0 + 2 * tick)
        decision = decide(look, spec, known)
        known = decision.memory
        advice.add(decision.desired_replicas)
    assert advice == {8}


def test_a_budget_limits_the_pool_and_the_reason_says_so() -> None:
    spec = replace(SHARE, budget=Budget("gpu", max_replicas=6))
    pools = {name: Pool(seen(100), spec, Memory()) for name in ("a", "b")}
    decisions = decide_all(pools)
    assert [decision.desired_replicas for decision in decisions.values()] == [3, 3]
    assert "the budget shared with other pools leaves 3" in decisions["a"].reason


def test_a_budget_counts_replicas_until_they_are_gone() -> None:
    """Six licences: four of a's replicas go on with their work for a while, so that b can have two."""
    spec = replace(SHARE, cooldown_seconds=0.0, scale_in_percent=100.0, budget=Budget("gpu", max_replicas=6))
    steady = Memory(at_seconds=98.0, backlog=Backlog(0))
    shrinking = Pool(seen(0, current=4, busy_replicas=0), spec, steady)
    decisions = decide_all({"a": shrinking, "b": Pool(seen(100), spec, Memory())})
    assert (decisions["a"].desired_replicas, decisions["b"].desired_replicas) == (0, 2)
    gone = {"a": Pool(seen(0, existing_replicas=4), spec, Memory()), "b": Pool(seen(100, current=2), spec, Memory())}
    assert decide_all(gone)["b"].desired_replicas == 2
    gone["a"] = Pool(seen(0, existing_replicas=0), spec, Memory())
    assert decide_all(gone)["b"].desired_replicas == 6


def test_a_need_that_goes_up_and_down_around_the_maximum_is_news_once() -> None:
    known, told = Memory(), []
    for tick, ready in enumerate([160, 100, 160, 100, *[0] * 50]):
        look = replace(seen(ready, current=16, busy_replicas=16), at_seconds=100.0 + tick * 2)
        decision = decide(look, SHARE, known)
        known = decision.memory
        told += [item["status"] for item in conditions(look, SHARE, decision) if item["type"] == "AtMaximum"]
    assert told == ["True"] * 32 + ["False"] * 22, "a minute after it was reached last"


def test_a_paused_pool_keeps_its_part_of_the_budget() -> None:
    spec = replace(SHARE, budget=Budget("gpu", max_replicas=6))
    pools = {"a": Pool(seen(0, current=4), replace(spec, paused=True), Memory()), "b": Pool(seen(100), spec, Memory())}
    assert decide_all(pools)["b"].desired_replicas == 2


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"max_replicas": 3}, "exactly one objective"),
        ({"max_replicas": 3, "max_wait_seconds": 1.0, "backlog_per_replica": 1.0}, "exactly one objective"),
        ({"max_replicas": 3, "min_replicas": 4, "max_wait_seconds": 1.0}, "min_replicas is 4"),
        ({"max_replicas": 3, "max_wait_seconds": 0.0}, "greater than 0"),
        ({"max_replicas": 3, "max_wait_seconds": 1.0, "expected_seconds": 0.0}, "expected_seconds is 0"),
    ],
)
def test_a_spec_that_cannot_be_meant_is_refused(values: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Spec(**values)  # type: ignore[arg-type]


def test_the_state_of_a_pool_has_the_keys_of_the_contract() -> None:
    pool = PoolTracker("gray", ["work.gray"], WAIT)
    assert pool.to_dict() is None
    for tick in range(3):
        pool.see(replace(seen(20, current=2), at_seconds=tick * 10.0))
    state = pool.to_dict()
    assert state is not None
    assert state["backlog"] == {"ready": 20, "unacked": 0}
    assert state["objective"] == {"max_wait_seconds": 10.0}
    assert len(state["history"]) == 3
    assert state["history"][-1] == {
        "at": 20.0,
        "backlog": 20,
        "waiting": 20,
        "replicas": 2,
        "ready": 2,
        "objective_backlog": None,
        "broken": False,
        "arrival_rate": None,
        "done_rate": None,
    }
    assert "history" not in (pool.to_dict(history_seconds=0) or {})
    assert {condition["type"] for condition in state["conditions"]} == {
        "BrokerReachable",
        "AtMaximum",
        "CapacityBlocked",
        "ObjectiveAttainable",
        "PrefetchHoards",
        "GraceCoversWork",
    }
