"""Who works, how many can go, and who is marked to go first."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.cluster import bodies

from imagemill_operator.facts import PodFacts, pod_facts
from imagemill_operator.going import (
    UNSEEN_SECONDS,
    busy_replicas,
    endangered_replicas,
    indispensable_replicas,
    is_busy,
    victims,
)
from imagemill_operator.workers import WorkerReading

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
IDLE, BUSY = WorkerReading(NOON, 0, 1.0, 0.0, 0.0), WorkerReading(NOON, 1, 1.0, 0.0, 0.0)


def pods(count: int, **change: Any) -> list[PodFacts]:
    return [pod_facts(bodies.pod(f"p{number}", **change)) for number in range(count)]


def lost(name: str, since: str = "2026-01-01T11:59:00Z") -> PodFacts:
    """A pod that was ready, runs on, and is not ready any more."""
    body = bodies.pod(name, ready=False, since=since)
    body["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
    return pod_facts(body)


def starting(name: str) -> PodFacts:
    return pod_facts(bodies.pod(name, ready=False))


def test_pods_that_do_not_answer_count_as_busy() -> None:
    assert busy_replicas(pods(3), {"p0": IDLE}, NOON) == 2
    assert busy_replicas(pods(3), {}, NOON) is None


def test_idle_pods_are_chosen_to_go_and_never_more_than_asked() -> None:
    told = {"p0": BUSY, "p1": IDLE, "p2": IDLE}
    assert victims(pods(3), told, 1, NOON) == {"p1"}
    assert victims(pods(3), told, 3, NOON) == {"p1", "p2"}
    assert victims(pods(3), told, -2, NOON) == set()


def test_pods_that_are_starting_go_by_themselves_first() -> None:
    assert victims([*pods(2), starting("p9")], {"p0": IDLE, "p1": IDLE}, 1, NOON) == set()


def test_a_pod_that_is_not_ready_any_more_is_busy_until_it_tells_otherwise() -> None:
    assert is_busy(lost("p8"), {}, NOON)
    assert is_busy(lost("p8"), {"p8": BUSY}, NOON + UNSEEN_SECONDS * 9)
    assert not is_busy(lost("p8"), {"p8": IDLE}, NOON)
    assert not is_busy(lost("p8"), {}, NOON + UNSEEN_SECONDS)
    assert not is_busy(starting("p9"), {}, NOON)
    assert is_busy(starting("p9"), {"p9": BUSY}, NOON)


def test_a_pod_that_crashed_and_starts_again_holds_nothing() -> None:
    crashed = pod_facts(bodies.pod("p8", ready=False, restarts=1))
    assert crashed.unready_since_seconds is None


def test_a_busy_pod_that_is_not_ready_keeps_all_that_would_go_after_it() -> None:
    told = {"p0": IDLE, "p1": IDLE, "p8": BUSY}
    seen = [*pods(2), lost("p8")]
    assert busy_replicas(seen, told, NOON) == 1
    assert indispensable_replicas(seen, told, NOON) == 3, "Kubernetes would stop p8 before the idle ones"
    assert indispensable_replicas(seen, {**told, "p8": IDLE}, NOON) == 0
    assert indispensable_replicas([*seen, starting("p9")], told, NOON) == 3
    assert victims([*seen, starting("p9")], told, 1, NOON) == {"p9"}, "marked, it goes before p8"


def test_when_nobody_tells_a_pod_that_is_not_ready_any_more_may_be_at_what_is_in_work() -> None:
    seen = [*pods(2), lost("p8")]
    assert endangered_replicas(seen, NOON, unacked=1) == 3
    assert endangered_replicas(seen, NOON, unacked=None) == 3
    assert endangered_replicas(seen, NOON, unacked=0) is None
    assert endangered_replicas(pods(2), NOON, unacked=1) is None


def stopped_by_kubernetes(pods: list[PodFacts], marked: set[str], count: int) -> list[PodFacts]:
    """Of pods that are equal otherwise the worst choice."""
    return sorted(pods, key=lambda pod: (pod.ready, pod.name not in marked))[:count]


KIND = st.sampled_from(["ready", "starting", "lost"])


@given(st.lists(st.tuples(KIND, st.sampled_from([IDLE, BUSY, None])), max_size=8), st.integers(0, 8))
def test_no_pod_at_work_goes_while_those_that_are_indispensable_stay(
    drawn: list[tuple[str, WorkerReading | None]], asked: int
) -> None:
    make = {"ready": lambda name: replace(pods(1)[0], name=name), "starting": starting, "lost": lost}
    seen = [make[kind](f"n{number}") for number, (kind, _) in enumerate(drawn)]
    told = {f"n{number}": reading for number, (_, reading) in enumerate(drawn) if reading is not None}
    count = min(asked, len(seen) - indispensable_replicas(seen, told, NOON))
    gone = stopped_by_kubernetes(seen, victims(seen, told, count, NOON), count)
    assert not [pod.name for pod in gone if is_busy(pod, told, NOON)]
