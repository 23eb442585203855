"""What pods and Deployments tell."""

import pytest
from tests.cluster import bodies

from imagemill_operator.facts import (
    autoscaled_deployment,
    deployment_facts,
    owning_deployment,
    pod_facts,
    pods_by_deployment,
    typical_start_seconds,
)


def test_a_pod_belongs_to_the_deployment_of_its_replica_set() -> None:
    assert owning_deployment(bodies.pod()) == "worker-gray"
    assert owning_deployment(bodies.pod(ownerReferences=[{"kind": "StatefulSet", "name": "mq"}])) is None
    assert owning_deployment(bodies.pod(labels={})) is None


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_nobodys_replica(phase: str) -> None:
    evicted = bodies.pod(ready=False, restarts=3)
    assert pods_by_deployment(evicted)["worker-gray"].stuck == "keeps crashing"
    evicted["status"]["phase"] = phase
    assert pods_by_deployment(evicted) == {}


def test_a_ready_pod_tells_how_long_it_took_to_start() -> None:
    facts = pod_facts(bodies.pod())
    assert (facts.ready, facts.start_seconds, facts.stuck) == (True, 4.0, None)
    assert pod_facts(bodies.pod(restarts=1)).start_seconds is None


def test_a_pod_whose_node_was_away_for_a_moment_did_not_start_then() -> None:
    assert pod_facts(bodies.pod(since="2026-01-04T00:00:00Z")).start_seconds is None
    assert pod_facts(bodies.pod(since="2026-01-01T00:09:00Z")).start_seconds == 540.0


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (bodies.pod(ready=False, waiting="CrashLoopBackOff"), "cannot run (CrashLoopBackOff)"),
        (bodies.pod(ready=False, waiting="ImagePullBackOff"), "cannot run (ImagePullBackOff)"),
        (bodies.pod(ready=False, restarts=4), "keeps crashing"),
    ],
)
def test_a_pod_that_will_not_become_ready_is_said_so(body: bodies.Body, word: str) -> None:
    assert pod_facts(body).stuck == word


def test_a_pod_that_cannot_be_scheduled_is_said_so() -> None:
    facts = pod_facts(bodies.unschedulable())
    assert (facts.unschedulable, facts.unschedulable_since_seconds) == ("0/3 nodes: cpu", bodies.SECONDS)


def test_a_pod_that_is_starting_is_not_stuck() -> None:
    assert pod_facts(bodies.pod(ready=False, waiting="ContainerCreating")).stuck is None


def test_a_pod_that_restarted_long_ago_and_is_unready_for_a_moment_does_not_crash() -> None:
    blip = bodies.pod(ready=False, restarts=7, since="2026-01-04T00:00:00Z")
    blip["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-02T00:00:00Z"}}
    assert pod_facts(blip).stuck is None
    blip["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-04T00:00:01Z"}}
    assert pod_facts(blip).stuck == "keeps crashing"


def test_the_typical_start_is_the_median() -> None:
    starts = [pod_facts(bodies.pod(since=f"2026-01-01T00:00:{second:02}Z")) for second in (2, 3, 40)]
    assert typical_start_seconds(starts) == 3.0
    assert typical_start_seconds([]) is None


def test_a_slow_first_start_is_outweighed_by_younger_pods() -> None:
    first = pod_facts(bodies.pod(since="2026-01-01T00:00:50Z"))
    younger = [
        pod_facts(bodies.pod(created="2026-01-01T01:00:00Z", since=f"2026-01-01T01:00:0{second}Z"))
        for second in (1, 2, 3, 4, 5)
    ]
    assert typical_start_seconds([first, *younger]) == 3.0


def test_deployments_without_replicas_have_one() -> None:
    body = {"metadata": {"name": "w", "uid": "u", "resourceVersion": "7"}, "spec": {}}
    assert deployment_facts(body).replicas == 1


def test_a_deployment_says_how_long_its_pods_may_go_on() -> None:
    body = {"metadata": {"name": "w"}, "spec": {"template": {"spec": {"terminationGracePeriodSeconds": 600}}}}
    assert deployment_facts(body).grace_seconds == 600.0
    assert deployment_facts({"metadata": {"name": "w"}}).grace_seconds == 30.0


def test_a_deployment_that_may_not_create_pods_says_why() -> None:
    quota = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods"}
    body = {"metadata": {"name": "w"}, "status": {"conditions": [quota]}}
    assert deployment_facts(body).failure == "pods are not created (exceeded quota: pods)"
    body["status"]["conditions"] = [{**quota, "status": "False"}]
    assert deployment_facts(body).failure is None


def test_only_autoscalers_of_deployments_matter() -> None:
    target = {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "w"}}}
    assert autoscaled_deployment(target) == "w"
    assert autoscaled_deployment({"spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "w"}}}) is None
