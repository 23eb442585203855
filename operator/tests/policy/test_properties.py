"""What holds for every input: bounds, monotony, no oscillation, unknown never lowers, determinism, explanation."""

import itertools
import math
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from imagemill_operator.policy import (
    Backlog,
    Budget,
    Claim,
    CounterSum,
    Fallback,
    Limit,
    Memory,
    Observation,
    Pool,
    Spec,
    decide,
    decide_all,
    share_budget,
)

counts = st.integers(0, 100_000)
seconds = st.floats(0.01, 600.0)
peaks = st.lists(st.tuples(st.floats(700.0, 1000.0), st.integers(0, 120)), max_size=3).map(sorted).map(tuple)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    low = draw(st.integers(0, 20))
    waits = draw(st.booleans())
    objective = draw(st.floats(0.1, 600.0))
    return Spec(
        min_replicas=low,
        max_replicas=low + draw(st.integers(0, 100)),
        max_wait_seconds=objective if waits else None,
        backlog_per_replica=None if waits else objective,
        activation_backlog=draw(st.integers(1, 50)),
        cooldown_seconds=draw(st.none() | st.floats(0.0, 300.0)),
        scale_in_percent=draw(st.floats(1.0, 100.0)),
        fallback=draw(st.none() | st.builds(Fallback, st.integers(0, 30), st.floats(0.0, 300.0))),
    )


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    images = draw(st.floats(0.0, 1000.0))
    return Memory(
        at_seconds=draw(st.none() | st.floats(900.0, 999.0)),
        backlog=draw(st.none() | st.builds(Backlog, counts, counts)),
        completed_total=draw(st.none() | st.floats(0, 1e6)),
        busy_seconds_total=draw(st.none() | st.floats(0, 1e6)),
        arrivals=draw(st.floats(-100.0, 1e5)),
        arrivals_seconds=20.0,
        arrivals_slow=draw(st.floats(-100.0, 1e5)),
        arrivals_slow_seconds=60.0,
        busy_seconds=images * draw(seconds),
        busy_images=images,
        start_seconds=draw(st.none() | seconds),
        unknown_since_seconds=draw(st.none() | st.floats(0.0, 1000.0)),
        stepped_at_seconds=draw(st.none() | st.floats(990.0, 1000.0)),
        peaks=draw(peaks),
        drain_peaks=draw(peaks),
    )


@st.composite
def observations(draw: st.DrawFn, backlog: st.SearchStrategy[Backlog | None] | None = None) -> Observation:
    current = draw(st.integers(0, 150))
    ready = draw(st.integers(0, current))
    return Observation(
        at_seconds=1000.0,
        backlog=draw(st.builds(Backlog, counts, counts) if backlog is None else backlog),
        current_replicas=current,
        ready_replicas=ready,
        busy_replicas=draw(st.none() | st.integers(0, ready)),
        threads_per_replica=draw(st.floats(0.5, 16.0)),
        completed_total=draw(st.none() | st.floats(0, 1e6)),
        busy_seconds_total=draw(st.none() | st.floats(0, 1e6)),
        pod_start_seconds=draw(st.none() | seconds),
        blocked=draw(st.none() | st.just("2 pods are crash-looping")),
    )


@given(observations(), specs(), memories())
def test_desired_is_within_the_bounds(seen: Observation, spec: Spec, memory: Memory) -> None:
    desired = decide(seen, spec, memory).desired_replicas
    blocked_below = seen.blocked is not None and desired == seen.current_replicas
    assert spec.min_replicas <= desired <= max(spec.max_replicas, seen.current_replicas * blocked_below)


@given(observations(), specs(), memories(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_backlog_never_means_fewer_replicas(
    seen: Observation, spec: Spec, memory: Memory, ready: int, unacked: int
) -> None:
    assert seen.backlog is not None
    more = replace(seen, backlog=Backlog(seen.backlog.ready + ready, seen.backlog.unacked + unacked))
    assert decide(more, spec, memory).desired_replicas >= decide(seen, spec, memory).desired_replicas


@given(observations(), specs(), memories())
def test_a_backlog_never_asks_for_more_replicas_than_could_have_a_message(
    seen: Observation, spec: Spec, memory: Memory
) -> None:
    assert seen.backlog is not None
    slots = seen.current_replicas * seen.threads_per_replica
    messages = seen.backlog.ready + min(seen.backlog.unacked, slots)
    terms = {term.name: term.replicas for term in decide(seen, spec, memory).terms}
    rate = terms.pop("arrival_rate", 0.0)
    assert terms.get("backlog", 0.0) <= math.ceil(messages / seen.threads_per_replica)
    assert max(terms.values()) <= messages or "backlog" in terms
    assert seen.backlog.ready > 0 or max(rate, *terms.values()) <= seen.current_replicas


@given(observations(backlog=st.none()), specs(), memories())
def test_unknown_never_lowers(seen: Observation, spec: Spec, memory: Memory) -> None:
    assert decide(seen, spec, memory).desired_replicas >= min(seen.current_replicas, spec.max_replicas)


@given(observations(), specs(), memories())
def test_a_part_that_is_unknown_only_adds(seen: Observation, spec: Spec, memory: Memory) -> None:
    desired = decide(replace(seen, untold="queue b"), spec, memory).desired_replicas
    assert desired >= min(seen.current_replicas, spec.max_replicas)
    assert desired >= decide(seen, spec, memory).desired_replicas


@given(observations(), specs(), memories())
def test_scale_in_never_goes_below_the_busy_workers(seen: Observation, spec: Spec, memory: Memory) -> None:
    desired = decide(seen, spec, memory).desired_replicas
    assume(desired < seen.current_replicas and seen.busy_replicas is not None)
    assert desired >= min(seen.busy_replicas or 0, spec.max_replicas)


@given(observations(), specs(), memories())
def test_blocked_capacity_never_scales_out(seen: Observation, spec: Spec, memory: Memory) -> None:
    blocked = replace(seen, blocked="1 pod cannot be scheduled: insufficient cpu")
    decision = decide(blocked, spec, memory)
    assert decision.desired_replicas <= max(seen.current_replicas, spec.min_replicas)
    if decision.limit is Limit.BLOCKED:
        assert "insufficient cpu" in decision.reason


@given(observations(backlog=st.none() | st.builds(Backlog, counts, counts)), specs(), memories())
def test_the_same_input_gives_the_same_decision(seen: Observation, spec: Spec, memory: Memory) -> None:
    assert decide(seen, spec, memory) == decide(seen, spec, memory)


@given(observations(), specs(), memories())
def test_memory_survives_as_json(seen: Observation, spec: Spec, memory: Memory) -> None:
    learned = decide(seen, spec, memory).memory
    assert Memory.from_dict(learned.to_dict()) == learned


@given(observations(), specs(), memories())
def test_every_decision_is_explained(seen: Observation, spec: Spec, memory: Memory) -> None:
    decision = decide(seen, spec, memory)
    assert decision.terms
    assert decision.needed_replicas >= max(term.replicas for term in decision.terms) - 1e-3
    assert decision.reason.endswith(".")
    change = decision.desired_replicas - seen.current_replicas
    word = "start" if change > 0 else "stop" if change < 0 else "stay" if seen.current_replicas else "none is started"
    assert word in decision.reason
    if decision.limit is Limit.MAXIMUM:
        assert f"{spec.max_replicas} is the maximum" in decision.reason


@given(specs(), st.integers(0, 3000), st.integers(0, 50), seconds, st.integers(0, 60))
def test_constant_input_settles_and_stays(
    spec: Spec, ready: int, unacked: int, busy_seconds: float, current: int
) -> None:
    memory = Memory(busy_seconds=busy_seconds, busy_images=1.0, start_seconds=2.0)
    spec = replace(spec, cooldown_seconds=min(spec.cooldown_seconds or 30.0, 30.0), scale_in_percent=50.0)
    replicas = []
    for tick in range(120):
        seen = Observation(tick * 2.0, Backlog(ready, unacked), current, current, busy_replicas=0)
        decision = decide(seen, spec, memory)
        current, memory = decision.desired_replicas, decision.memory
        replicas.append(current)
    turns = [b - a for a, b in itertools.pairwise(replicas) if a != b]
    assert len(set(replicas[-30:])) == 1
    assert not any(a < 0 < b for a, b in itertools.pairwise(turns)), replicas


@st.composite
def hearings(draw: st.DrawFn) -> list[set[int]]:
    """Which of six workers answer, tick by tick: some are silent for a moment, some for minutes."""
    spells = draw(st.lists(st.tuples(st.sets(st.integers(0, 5)), st.integers(1, 45)), min_size=1, max_size=6))
    return [heard for heard, ticks in spells for _ in range(ticks)]


@given(hearings(), st.lists(st.floats(0.0, 1e6), min_size=6, max_size=6), st.floats(0.1, 20.0))
def test_no_observation_of_a_steady_system_more_than_doubles_the_need(
    heard: list[set[int]], before: list[float], rate: float
) -> None:
    """Six workers that do ``rate`` messages a second each, all the time; each has counted for long."""
    done, worked, memory = CounterSum(), CounterSum(), Memory(start_seconds=2.0)
    spec = Spec(max_replicas=10_000, max_wait_seconds=60.0)
    for tick, told in enumerate(heard):
        seen = Observation(
            at_seconds=tick * 2.0,
            backlog=Backlog(6, 6),
            current_replicas=6,
            ready_replicas=6,
            busy_replicas=6,
            completed_total=done.update({str(worker): before[worker] + rate * tick * 2.0 for worker in told}),
            busy_seconds_total=worked.update({str(worker): before[worker] + tick * 2.0 for worker in told}),
        )
        decision = decide(seen, spec, memory)
        memory = decision.memory
        assert decision.needed_replicas <= 2 * 6, tick


claims = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.builds(Claim, st.integers(0, 10), st.integers(0, 40), st.floats(0.1, 10.0)),
    max_size=8,
)


@given(st.integers(0, 100), claims)
def test_a_budget_is_kept_and_used_up(budget: int, wanted: dict[str, Claim]) -> None:
    shares = share_budget(budget, wanted)
    least = sum(min(claim.least_replicas, claim.wanted_replicas) for claim in wanted.values())
    assert sum(shares.values()) == max(least, min(budget, sum(claim.wanted_replicas for claim in wanted.values())))
    assert all(shares[name] <= claim.wanted_replicas for name, claim in wanted.items())
    assert all(shares[name] >= min(claim.least_replicas, claim.wanted_replicas) for name, claim in wanted.items())


@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 5))
def test_a_budget_follows_the_weights(budget: int, one: int, other: int) -> None:
    shares = share_budget(budget, {"a": Claim(0, 1000, one), "b": Claim(0, 1000, other)})
    assert abs(shares["a"] - budget * one / (one + other)) <= 1


@given(st.integers(0, 40), st.lists(st.integers(0, 400), min_size=1, max_size=5))
def test_pools_with_one_budget_stay_within_it(total: int, backlogs: list[int]) -> None:
    pools = {
        f"pool-{number}": Pool(
            Observation(0.0, Backlog(backlog), 0, 0),
            Spec(max_replicas=20, backlog_per_replica=10.0, budget=Budget("shared", total)),
            Memory(),
        )
        for number, backlog in enumerate(backlogs)
    }
    decisions = decide_all(pools)
    assert sum(decision.desired_replicas for decision in decisions.values()) <= total
    for decision in decisions.values():
        if decision.limit is Limit.BUDGET:
            assert "budget" in decision.reason
