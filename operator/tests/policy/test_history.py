"""What is remembered of a pool's last day: within bounds, and nothing that was bad is smoothed away."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_operator.policy import DAY_SECONDS, Backlog, History, Memory, Observation, Spec, decide
from imagemill_operator.policy.history import COARSE_SECONDS, FINE_SECONDS, Steps, moment_of

WAIT = Spec(max_replicas=8, max_wait_seconds=10.0)
SHARE = Spec(max_replicas=8, backlog_per_replica=5.0)
MEASURED = Memory(busy_seconds=100.0, busy_images=100.0)


def seen(at: float, waiting: int = 0, unacked: int = 0, ready: int = 2, done: float | None = None) -> Observation:
    return Observation(
        at_seconds=at,
        backlog=Backlog(waiting, unacked),
        current_replicas=ready,
        ready_replicas=ready,
        completed_total=done,
    )


def remember(history: History, observation: Observation, spec: Spec = WAIT, memory: Memory = MEASURED) -> None:
    history.add(observation, spec, decide(observation, spec, memory))


def test_a_day_stays_within_its_bounds_whatever_is_seen() -> None:
    history = History()
    observation = seen(0.0, 3, 1, done=0.0)
    decision = decide(observation, WAIT, MEASURED)
    for tick in range(0, int(1.2 * DAY_SECONDS), 4):
        history.add(replace(observation, at_seconds=float(tick), completed_total=float(tick)), WAIT, decision)
    hour, day = history.to_list(3600), history.to_list(DAY_SECONDS)
    assert len(hour) <= 3600 / FINE_SECONDS
    assert len(day) <= DAY_SECONDS / COARSE_SECONDS
    assert day[-1]["at"] - day[0]["at"] > 0.98 * DAY_SECONDS
    assert len(history.to_list(900)) < len(hour)
    columns = [column for steps in (history._fine, history._coarse) for column in (*steps._whole.values(),)]
    assert sum(map(sys.getsizeof, columns)) < 30_000


def test_the_objective_is_told_as_it_was_then() -> None:
    history = History()
    remember(history, seen(0.0, waiting=15, ready=2))
    remember(history, seen(10.0, waiting=15, ready=1))
    two, one = history.to_list()
    assert (two["objective_backlog"], two["broken"]) == (20.0, False)
    assert (one["objective_backlog"], one["broken"]) == (10.0, True)


def test_without_a_ready_worker_the_objective_is_what_those_that_start_can_hold() -> None:
    observation = replace(seen(0.0, waiting=30, ready=0), current_replicas=0)
    decision = decide(observation, WAIT, replace(MEASURED, start_seconds=4.0))
    goal = moment_of(observation, WAIT, decision, None).goal
    assert goal == 6.0 * decision.desired_replicas


def test_a_share_has_its_objective_without_any_rate() -> None:
    history = History()
    remember(history, seen(0.0, waiting=9, unacked=2, ready=2), SHARE, Memory())
    assert history.to_list()[0] | {"at": 0} == {
        "at": 0,
        "backlog": 11,
        "waiting": 9,
        "replicas": 2,
        "ready": 2,
        "objective_backlog": 10.0,
        "broken": True,
        "arrival_rate": None,
        "done_rate": None,
    }


def test_a_peak_between_two_steps_is_told() -> None:
    history = History()
    for at, waiting in ((0.0, 1), (2.0, 400), (4.0, 0), (10.0, 0)):
        remember(history, seen(at, waiting))
    assert [point["waiting"] for point in history.to_list()] == [400, 0]
    assert [point["broken"] for point in history.to_list()] == [True, False]
    assert [point["waiting"] for point in history.to_list(DAY_SECONDS)] == [400]


def test_rates_are_those_of_the_step() -> None:
    history = History()
    for at, waiting, done in ((0.0, 0, 0.0), (2.0, 8, 2.0), (4.0, 8, 6.0), (10.0, 2, 12.0)):
        remember(history, seen(at, waiting, done=done))
    first, second = history.to_list()
    assert (first["arrival_rate"], first["done_rate"]) == (3.5, 1.5)
    assert (second["arrival_rate"], second["done_rate"]) == (0.0, 1.0)


@pytest.mark.parametrize("later", [seen(120.0, 5, done=9.0), seen(-5.0, 5, done=9.0), seen(2.0, 5, done=None)])
def test_what_nobody_told_is_no_rate(later: Observation) -> None:
    history = History()
    remember(history, seen(0.0, 0, done=0.0))
    remember(history, later)
    assert all(point["arrival_rate"] is None for point in history.to_list(DAY_SECONDS))


def test_a_counter_that_begins_anew_is_no_work() -> None:
    history = History()
    for at, done in ((0.0, 100.0), (2.0, 1.0), (4.0, 5.0)):
        remember(history, seen(at, 0, done=done))
    assert history.to_list()[0]["done_rate"] == 2.0


def test_unknown_is_not_empty() -> None:
    history = History()
    observation = replace(seen(0.0), backlog=None)
    remember(history, observation)
    assert history.to_list()[0]["backlog"] is None
    assert not history.to_list()[0]["broken"]


@given(st.lists(st.tuples(st.floats(0.1, 400.0), st.integers(0, 500), st.integers(0, 8)), min_size=1, max_size=80))
def test_no_step_hides_that_the_objective_was_broken(looks: list[tuple[float, int, int]]) -> None:
    fine, coarse, at, broken = Steps(10.0, 1e6), Steps(300.0, 1e6), 0.0, False
    for gap, waiting, ready in looks:
        at += gap
        observation = seen(at, waiting, ready=ready)
        moment = moment_of(observation, WAIT, decide(observation, WAIT, MEASURED), None)
        broken = broken or moment.broken
        for steps in (fine, coarse):
            steps.add(moment)
    for steps in (fine, coarse):
        told = steps.to_list(0.0)
        assert any(point["broken"] for point in told) == broken
        assert max(point["waiting"] for point in told) >= max(waiting for _, waiting, _ in looks) * (not broken)
        assert [point["at"] for point in told] == sorted(point["at"] for point in told)
