"""When more replicas are started although some of them do not start, and when not."""

from collections.abc import Iterable

from tests.cluster import bodies

from imagemill_operator.capacity import NODE_SECONDS, blocked_text, trouble_text
from imagemill_operator.facts import DeploymentFacts, PodFacts, pod_facts

NOW = bodies.SECONDS + 60.0
SOUND = DeploymentFacts("worker-gray", "u", "7", 8)


def pods(*, ready: int = 0, stuck: int = 0, waiting: int = 0) -> list[PodFacts]:
    found = [
        *(bodies.pod(f"r{number}") for number in range(ready)),
        *(bodies.pod(f"s{number}", ready=False, waiting="ErrImagePull") for number in range(stuck)),
        *(bodies.unschedulable(f"w{number}") for number in range(waiting)),
    ]
    return [pod_facts(body) for body in found]


def blocked(found: Iterable[PodFacts], now: float = NOW) -> str | None:
    return blocked_text(SOUND, list(found), now)


def test_one_bad_pod_of_many_keeps_no_other_from_starting() -> None:
    found = pods(ready=99, stuck=1)
    assert blocked(found) is None
    assert trouble_text(found) == "1 pod cannot run (ErrImagePull)"


def test_a_stuck_rollout_leaves_the_old_replicas_to_grow() -> None:
    assert blocked(pods(ready=8, stuck=5)) is None


def test_pods_that_are_stuck_and_outnumber_the_others_are_the_rule() -> None:
    assert blocked(pods(stuck=1)) == "1 pod cannot run (ErrImagePull)"
    assert blocked(pods(ready=1, stuck=1)) is None
    assert blocked(pods(ready=1, stuck=2)) == "2 pods cannot run (ErrImagePull)"


def test_a_pod_that_waits_for_a_node_asks_for_it_and_stops_nobody() -> None:
    found = pods(waiting=3)
    assert blocked(found) is None
    assert trouble_text(found) == "3 pods cannot be scheduled (0/3 nodes: cpu)"


def test_a_node_that_does_not_come_in_ten_minutes_is_not_waited_for() -> None:
    found = pods(ready=20, waiting=3)
    assert blocked(found, bodies.SECONDS + NODE_SECONDS) is None
    assert blocked(found, bodies.SECONDS + NODE_SECONDS + 1) == "3 pods cannot be scheduled (0/3 nodes: cpu)"


def test_a_quota_leaves_no_pod_to_look_at_and_is_told_by_the_deployment() -> None:
    refused = DeploymentFacts("worker-gray", "u", "7", 8, failure="pods are not created (exceeded quota)")
    assert blocked_text(refused, pods(ready=4), NOW) == "pods are not created (exceeded quota)"


def test_pods_that_are_leaving_are_nobodys_trouble() -> None:
    going = pod_facts(bodies.pod(ready=False, waiting="ErrImagePull", deletionTimestamp="2026-01-01T00:01:00Z"))
    assert (blocked([going]), trouble_text([going])) == (None, None)
