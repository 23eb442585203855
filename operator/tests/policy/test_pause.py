"""Scale-in or scale-out paused."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from imagemill_operator.policy import Backlog, Budget, Limit, Memory, Observation, Pool, Spec, decide, decide_all

SHARE = Spec(max_replicas=16, backlog_per_replica=10.0, cooldown_seconds=0.0)
LATER = Memory(at_seconds=0.0)
counts = st.integers(0, 200)


def seen(ready: int | None, current: int) -> Observation:
    return Observation(100.0, None if ready is None else Backlog(ready), current, current, busy_replicas=0)


def test_scale_in_that_is_paused_keeps_what_is_there_and_says_so() -> None:
    decision = decide(seen(20, 8), replace(SHARE, paused_in=True), LATER)
    assert (decision.desired_replicas, decision.limit) == (8, Limit.PAUSED)
    assert "2 would do but scale-in is paused, so 8 stay." in decision.reason
    assert decide(seen(120, 8), replace(SHARE, paused_in=True), LATER).desired_replicas == 12


def test_scale_out_that_is_paused_adds_nothing_and_says_so() -> None:
    decision = decide(seen(120, 8), replace(SHARE, paused_out=True), LATER)
    assert (decision.desired_replicas, decision.limit) == (8, Limit.PAUSED)
    assert "12 are needed but scale-out is paused, so 8 stay." in decision.reason
    assert decide(seen(20, 8), replace(SHARE, paused_out=True), LATER).desired_replicas < 8


def test_a_budget_takes_nothing_from_a_pool_whose_scale_in_is_paused() -> None:
    budget = Budget("gpu", 10)
    held = replace(SHARE, paused_in=True, budget=budget)
    decisions = decide_all(
        {
            "held": Pool(seen(10, 8), held, LATER),
            "other": Pool(seen(160, 2), replace(SHARE, budget=budget), LATER),
        }
    )
    assert {name: decision.desired_replicas for name, decision in decisions.items()} == {"held": 8, "other": 2}


@given(st.none() | counts, st.integers(0, 30), st.booleans(), st.booleans())
def test_no_replica_goes_or_comes_where_that_is_paused(
    ready: int | None, current: int, paused_in: bool, paused_out: bool
) -> None:
    spec = replace(SHARE, min_replicas=2, paused_in=paused_in, paused_out=paused_out)
    desired = decide(seen(ready, current), spec, LATER).desired_replicas
    free = decide(seen(ready, current), replace(spec, paused_in=False, paused_out=False), LATER).desired_replicas
    assert not (paused_in and desired < current)
    assert not (paused_out and desired > current)
    assert desired in (free, current)
