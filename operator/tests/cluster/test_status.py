"""What is written about a pool, and when."""

import pytest
from tests.cluster import bodies

from imagemill_operator.policy import Backlog, Memory, Observation, decide
from imagemill_operator.pools import Refusal, parse_pool
from imagemill_operator.status import (
    Status,
    condition_events,
    decided_status,
    duration,
    is_due,
    refused_status,
    sharing_condition,
    state_of,
    timed_conditions,
)


def status(ready: int | None = 30, current: int = 2) -> Status:
    pool = parse_pool(bodies.pool())
    assert pool.spec is not None
    backlog = None if ready is None else Backlog(ready)
    seen = Observation(1_700_000_000.0, backlog, current, current)
    decision = decide(seen, pool.spec, Memory())
    state = state_of(pool, seen, pool.spec, decision, conditions=[sharing_condition(None)])
    return decided_status(pool, state, pool.spec, decision.memory)


def test_a_status_tells_the_story() -> None:
    told = status()
    assert (told["desiredReplicas"], told["limit"], told["objective"]) == (3, "need", "10 each")
    assert told["decidedAt"] == "2023-11-14T22:13:20Z"
    conditions = {item["type"]: item["status"] for item in told["conditions"]}
    assert conditions == {
        "Ready": "True",
        "TargetConflict": "False",
        "BrokerReachable": "True",
        "AtMaximum": "False",
        "CapacityBlocked": "False",
        "ObjectiveAttainable": "True",
        "PrefetchHoards": "False",
        "Writable": "True",
        "GraceCoversWork": "Unknown",
        "QueueShared": "False",
    }


def test_what_matters_is_written_at_once() -> None:
    before = status()
    assert is_due(before, None, 0.0)
    assert is_due(status(ready=50), before, 0.0)
    assert is_due(status(ready=None), before, 0.0)


def test_numbers_that_drift_wait_and_nothing_new_is_never_written() -> None:
    before, drifted = status(), status(ready=29)
    assert not is_due(drifted, before, 3.0)
    assert is_due(drifted, before, 11.0)
    assert not is_due({**before, "decidedAt": "later", "memory": {}}, before, 3600.0)


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    first = timed_conditions([{"type": "Ready", "status": "True"}], [], 0.0)
    same = timed_conditions([{"type": "Ready", "status": "True"}], first, 60.0)
    other = timed_conditions([{"type": "Ready", "status": "False"}], same, 120.0)
    assert [found[0]["lastTransitionTime"][-9:] for found in (first, same, other)] == [
        "00:00:00Z",
        "00:00:00Z",
        "00:02:00Z",
    ]


def test_events_come_with_changes_only() -> None:
    good, blind = status()["conditions"], status(ready=None)["conditions"]
    assert condition_events(good, []) == []
    assert [event[:2] for event in condition_events(blind, good)] == [("Warning", "BrokerUnreachable")]
    assert condition_events(blind, blind) == []
    assert [event[:2] for event in condition_events(good, blind)] == [("Normal", "BrokerReachable")]


def test_a_refused_pool_takes_back_what_it_said() -> None:
    refusal = Refusal("TargetConflict", "HorizontalPodAutoscaler", "It is scaled by another.")
    told = refused_status(parse_pool(bodies.pool()), refusal, 0.0)
    assert told["desiredReplicas"] is None
    assert told["reason"] == "It is scaled by another."
    assert {item["type"]: item["status"] for item in told["conditions"]} == {"Ready": "False", "TargetConflict": "True"}


@pytest.mark.parametrize(("seconds", "text"), [(None, "unknown"), (0.0, "0.0s"), (42.4, "42s"), (900.0, "15m")])
def test_durations_fit_a_column(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
