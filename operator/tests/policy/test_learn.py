"""What the policy learns from counters: rates, seconds per image, start time."""

import math

import pytest

from imagemill_operator.policy import Backlog, CounterSum, Memory, Observation
from imagemill_operator.policy.counters import FORGET_AFTER_UPDATES
from imagemill_operator.policy.learn import learn


def run(ticks: int, **series: object) -> Memory:
    """Feed observations two seconds apart; series are functions of the tick."""
    memory = Memory()
    for tick in range(ticks):
        values = {name: value(tick) for name, value in series.items()}  # type: ignore[operator]
        memory = learn(Observation(at_seconds=tick * 2.0, current_replicas=4, ready_replicas=4, **values), memory)
    return memory


def test_arrivals_are_what_was_finished_and_what_the_backlog_grew_by() -> None:
    memory = run(120, backlog=lambda tick: Backlog(tick * 4), completed_total=lambda tick: tick * 6.0)
    assert memory.arrival_rate == pytest.approx(5.0, rel=0.05)


def test_a_burst_is_not_taken_for_a_stream() -> None:
    memory = run(10, backlog=lambda tick: Backlog(300 if tick else 0), completed_total=lambda tick: 0.0)
    assert memory.arrival_rate is not None
    assert memory.arrival_rate < 300 / 60


def test_purged_messages_are_no_arrivals() -> None:
    """Ten a second come and go all the time; 10,000 that waited are purged 20 s before the end."""
    memory = run(
        110, backlog=lambda tick: Backlog(10_000 if tick < 100 else 0), completed_total=lambda tick: tick * 20.0
    )
    assert memory.arrival_rate is not None
    assert memory.arrival_rate > 5.0


def test_a_burst_that_is_worked_off_is_no_stream_though_the_backlog_is_told_late() -> None:
    memory = run(
        20,
        backlog=lambda tick: Backlog(400 - tick // 5 * 100 if tick else 0),
        completed_total=lambda tick: max(0, tick - 1) * 20.0,
    )
    assert memory.arrival_rate is not None
    assert memory.arrival_rate < 10.0


def test_without_a_counter_a_working_pool_learns_no_rate() -> None:
    assert run(10, backlog=lambda tick: Backlog(tick)).arrival_rate is None


def test_seconds_per_image_come_from_the_workers() -> None:
    memory = run(
        30,
        backlog=lambda tick: Backlog(0),
        completed_total=lambda tick: tick * 10.0,
        busy_seconds_total=lambda tick: tick * 2.5,
    )
    assert memory.busy_seconds_per_image == pytest.approx(0.25)


def test_without_them_from_the_messages_in_work_and_the_acknowledgements() -> None:
    """Four workers that finish 8 messages in 2 s take a second each; one that finishes 8 alone a quarter of it."""
    memory = run(30, backlog=lambda tick: Backlog(50, 4), completed_total=lambda tick: tick * 8.0)
    assert memory.busy_seconds_per_image == pytest.approx(1.0)
    alone = run(30, backlog=lambda tick: Backlog(0, 1), completed_total=lambda tick: tick * 8.0)
    assert alone.busy_seconds_per_image == pytest.approx(0.25)


def test_a_late_backlog_makes_work_look_no_longer_than_it_is() -> None:
    """Two of four workers are busy on average, with messages of a second; the broker tells every fifth look."""
    in_work = [1, 3, 2, 0, 4, 2, 1, 3, 2, 2]
    memory = run(
        200,
        backlog=lambda tick: Backlog(int(in_work[tick // 5 % 10] == 4), in_work[tick // 5 % 10]),
        completed_total=lambda tick: tick * 4.0,
    )
    assert memory.busy_seconds_per_image == pytest.approx(1.0, rel=0.1)


def test_where_nobody_tells_what_is_done_work_does_not_look_longer_and_longer() -> None:
    assert run(100, backlog=lambda tick: Backlog(50, 4)).in_work_seconds == 0.0
    assert run(11, backlog=lambda tick: Backlog(50, 4), completed_total=lambda tick: 0.0).in_work_seconds == 80.0


def test_fetched_messages_are_not_all_in_work() -> None:
    memory = run(30, backlog=lambda tick: Backlog(0, 100), completed_total=lambda tick: tick * 8.0)
    assert memory.busy_seconds_per_image == pytest.approx(1.0)


def test_slower_images_are_learned_within_some_minutes() -> None:
    done = [0.0]
    worked = [0.0]
    for tick in range(1, 200):
        done.append(done[-1] + 4)
        worked.append(worked[-1] + (0.4 if tick < 100 else 4.0))
    memory = run(
        200,
        backlog=lambda tick: Backlog(5),
        completed_total=lambda tick: done[tick],
        busy_seconds_total=lambda tick: worked[tick],
    )
    assert memory.busy_seconds_per_image == pytest.approx(1.0, rel=0.1)


def test_a_counter_that_starts_again_teaches_nothing_wrong() -> None:
    memory = run(4, backlog=lambda tick: Backlog(5), completed_total=lambda tick: [100.0, 110.0, 2.0, 12.0][tick])
    assert memory.arrival_rate is not None
    assert math.isfinite(memory.arrival_rate)
    assert memory.arrival_rate < 5.0


def test_the_sum_of_counters_survives_workers_that_come_go_and_restart() -> None:
    total = CounterSum()
    assert total.update({"a": 100.0}) == 0.0
    assert total.update({"a": 103.0, "b": 2.0}, started={"b"}) == 5.0
    assert total.update({"b": 1.0}) == 6.0
    assert total.update({}, started={"c"}) == 6.0
    assert total.update({"a": 4.0, "c": 1.0}, started={"c"}) == 11.0, "a started again, c was a while in starting"
    assert total.update({"a": 5.0, "b": 3.0}) == 14.0, "did not answer for a while"


def test_what_a_worker_counted_before_it_was_heard_is_nobodys_news() -> None:
    total = CounterSum()
    total.update({})
    assert total.update({"a": 50_000.0}) == 0.0
    for _ in range(FORGET_AFTER_UPDATES):
        total.update({})
    assert total.update({"a": 60_000.0}) == 0.0, "away for so long that its mark is forgotten"
    assert total.update({"a": 60_002.0}) == 2.0
