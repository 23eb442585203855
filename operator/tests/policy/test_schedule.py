"""Minimums by the time of day."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from imagemill_operator.policy import Backlog, Limit, Memory, Observation, Schedule, Spec, decide, is_on, scheduled

DAY = 24
WAIT = Spec(max_replicas=12, max_wait_seconds=10.0)
hours = st.integers(0, DAY - 1)


def next_time(expression: str, timezone: str, at_seconds: float) -> float:
    """A clock of whole hours: an expression is the hour, or never."""
    if expression == "never":
        return float("inf")
    now = int(at_seconds)
    return now + 1 + (int(expression) - now - 1) % DAY


def schedule(start: int, end: int, replicas: int = 5) -> Schedule:
    return Schedule(str(start), str(end), "UTC", replicas)


def test_it_holds_from_its_start_until_its_end() -> None:
    office = schedule(8, 18)
    assert [hour for hour in range(DAY) if is_on(office, hour, next_time)] == list(range(8, 18))


def test_it_may_hold_over_midnight() -> None:
    night = schedule(22, 6)
    assert [hour for hour in range(DAY) if is_on(night, hour, next_time)] == [*range(6), 22, 23]


def test_one_that_never_ends_or_never_begins_is_as_in_keda() -> None:
    assert not is_on(Schedule("8", "never", "UTC", 5), 9, next_time)
    assert is_on(Schedule("never", "18", "UTC", 5), 9, next_time)


def test_the_highest_of_those_that_hold_counts() -> None:
    spec = replace(WAIT, schedules=(schedule(8, 18, 3), schedule(9, 12, 7)))
    assert [scheduled(spec, hour, next_time).min_replicas for hour in (7, 8, 9, 12, 18)] == [0, 3, 7, 3, 0]


def test_the_reason_names_the_schedule() -> None:
    spec = scheduled(replace(WAIT, schedules=(Schedule("8", "18", "Europe/Berlin", 4),)), 9, next_time)
    decision = decide(Observation(9.0, Backlog(0), 0, 0), spec, Memory())
    assert (decision.desired_replicas, decision.limit) == (4, Limit.MINIMUM)
    assert "4 is the minimum by schedule, until 18 (Europe/Berlin), so 4 start." in decision.reason


@given(hours, hours, hours)
def test_it_holds_for_as_long_as_the_hours_between(start: int, end: int, now: int) -> None:
    expected = (now - start) % DAY < (end - start) % DAY
    assert is_on(schedule(start, end), now, next_time) == expected


@given(st.lists(st.builds(schedule, hours, hours, st.integers(1, 30)), max_size=5), hours, st.integers(0, 12))
def test_the_minimum_is_raised_never_lowered_and_never_above_the_maximum(
    schedules: list[Schedule], now: int, minimum: int
) -> None:
    spec = replace(WAIT, min_replicas=minimum, schedules=tuple(schedules))
    found = scheduled(spec, now, next_time)
    assert minimum <= found.min_replicas <= spec.max_replicas
    held = [one.min_replicas for one in schedules if is_on(one, now, next_time)]
    assert found.min_replicas == max([minimum, *(min(one, spec.max_replicas) for one in held)])


@given(st.integers(0, 100), st.integers(0, 12), hours)
def test_a_schedule_never_leads_to_fewer_replicas(ready: int, current: int, now: int) -> None:
    plain = replace(WAIT, min_replicas=1)
    raised = scheduled(replace(plain, schedules=(schedule(8, 18),)), now, next_time)
    seen = Observation(float(now), Backlog(ready), current, current)
    assert decide(seen, raised, Memory()).desired_replicas >= decide(seen, plain, Memory()).desired_replicas
