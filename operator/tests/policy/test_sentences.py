"""The sentence of a decision contradicts neither its numbers nor the bounds beside it, whatever the decision is."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.test_properties import memories, observations, specs

from imagemill_operator.policy import (
    Backlog,
    Budget,
    Decision,
    Limit,
    Memory,
    Observation,
    Pool,
    Spec,
    decide,
    decide_all,
)

NEEDED = re.compile(r"([\d,]+) (?:is|are) (?:needed|guessed) but (?:([\d,]+) is the maximum)?")
WOULD_DO = re.compile(r"([\d,]+|none) would do but")
STOPS = re.compile(r"stops?\.$")
STARTS = re.compile(r"(?<!none is )starts?\.$")
pauses = st.sampled_from([{}, {"paused_in": True}, {"paused_out": True}, {"paused_in": True, "paused_out": True}])


def number(text: str) -> int:
    return 0 if text == "none" else int(text.replace(",", ""))


def check(decision: Decision, seen: Observation, spec: Spec) -> None:
    text, current, desired = decision.reason, seen.current_replicas, decision.desired_replicas
    if found := NEEDED.search(text):
        assert desired < number(found[1]) or decision.limit is Limit.MAXIMUM, text
        assert found[2] or number(found[1]) <= spec.max_replicas, text
        assert found[2] is None or number(found[1]) > number(found[2]), text
    if found := WOULD_DO.search(text):
        assert number(found[1]) < desired, text
        assert number(found[1]) <= spec.max_replicas, text
    assert bool(STOPS.search(text)) == (desired < current), text
    assert bool(STARTS.search(text)) == (desired > current), text
    assert not re.search(r"\b1 are\b|\barrival_rate\b", text), text
    if desired < current and f"{spec.min_replicas} is the minimum" in text:
        assert WOULD_DO.search(text), text


@given(observations(), specs(), memories(), pauses, st.none() | st.integers(0, 200))
def test_no_decision_contradicts_its_numbers(
    seen: Observation, spec: Spec, memory: Memory, paused: dict[str, bool], useful: int | None
) -> None:
    seen, spec = replace(seen, useful_replicas=useful), replace(spec, **paused)
    check(decide(seen, spec, memory), seen, spec)


@given(st.lists(st.tuples(observations(), specs(), memories()), min_size=2, max_size=3), st.integers(0, 150))
def test_no_share_of_a_budget_contradicts_its_numbers(
    inputs: list[tuple[Observation, Spec, Memory]], total: int
) -> None:
    budget = Budget("shared", total)
    pools = {str(n): Pool(seen, replace(spec, budget=budget), memory) for n, (seen, spec, memory) in enumerate(inputs)}
    for name, decision in decide_all(pools).items():
        check(decision, pools[name].observation, pools[name].spec)


BUSY = Memory(
    busy_seconds=100.0,
    busy_images=100.0,
    arrivals=60.0,
    arrivals_seconds=20.0,
    arrivals_slow=180.0,
    arrivals_slow_seconds=60.0,
)


def test_what_is_needed_although_nothing_waits_is_said_with_the_reason() -> None:
    spec = Spec(max_replicas=3, max_wait_seconds=10.0, budget=Budget("machine", 2))
    seen = Observation(at_seconds=1.0, backlog=Backlog(0, 5), current_replicas=2, ready_replicas=2, busy_replicas=2)
    memory = replace(BUSY, at_seconds=0.5)
    decision = decide_all({"a": Pool(replace(seen, backlog=Backlog(1, 5)), spec, memory)})["a"]
    assert decision.reason == (
        "1 waiting, 2 a second with 2 workers: 0.5 s wait, objective 10 s, 3 a second arrive, "
        "3 are needed but the budget shared with other pools leaves 2, so 2 stay."
    )


@pytest.mark.parametrize(("current", "words"), [(1, "1 is the minimum, so 1 stays."), (0, "so 1 starts.")])
def test_a_minimum_keeps_workers(current: int, words: str) -> None:
    seen = Observation(at_seconds=1.0, backlog=Backlog(0), current_replicas=current, ready_replicas=current)
    spec = Spec(max_replicas=3, min_replicas=1, max_wait_seconds=10.0)
    assert decide(seen, spec, replace(BUSY, arrivals=0.0, arrivals_slow=0.0)).reason.endswith(words)


def test_a_minimum_does_not_stop_others() -> None:
    seen = Observation(at_seconds=1000.0, backlog=Backlog(0), current_replicas=2, ready_replicas=2, busy_replicas=0)
    spec = Spec(max_replicas=3, min_replicas=1, max_wait_seconds=10.0)
    decision = decide(seen, spec, replace(BUSY, at_seconds=999.0, arrivals=0.0, arrivals_slow=0.0, peaks=((0.0, 0),)))
    assert decision.reason.endswith("none would do but 1 is the minimum, so 1 of 2 stops.")
