"""A Deployment is taken over from KEDA and handed back by an annotation, and never has two that scale it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pika
import pytest
from tests.cluster import bodies, operator_process
from tests.cluster.fake_kube import FakeKube
from tests.cluster.operator_process import eventually
from tests.cluster.rabbit import Rabbit, free_ports
from tests.cluster.stand_ins import Cluster, Keda

from imagemill_operator.kube import KEDA_HELD, KEDA_PAUSED
from imagemill_operator.pools import Handover, parse_pool
from imagemill_operator.takeover import LOOK_SECONDS, RETRY_SECONDS, Takeovers, judged

TAKE, BACK = "imagemill.dev/take-over", "imagemill.dev/hand-back"
HPA = {"worker-gray": "keda-hpa-gray"}


def annotated(**annotations: str) -> bodies.Body:
    body = bodies.pool(mode="Advise")
    names = {"take": TAKE, "back": BACK, "pause": "imagemill.dev/pause"}
    body["metadata"]["annotations"] = {names[name]: value for name, value in annotations.items()}
    return body


def cluster(body: bodies.Body, *, deployment: str = "worker-gray") -> Cluster:
    """A burst that needs eight, and KEDA in charge."""
    found = Cluster(body, replicas=2, ready=75)
    found.keda.add("gray", deployment)
    found.autoscaled = dict(HPA)
    return found


def conditions(cluster: Cluster) -> dict[str, Any]:
    return {item["type"]: item for item in cluster.status["conditions"]}


@pytest.mark.parametrize(
    ("is_back", "paused", "expected", "change"),
    [
        (False, None, (True, "KedaPaused"), True),
        (False, "true", (True, "KedaPaused"), None),
        (False, "false", (True, "KedaPaused"), True),
        (False, "f", (True, "KedaPaused"), True),
        (False, "yes", (True, "KedaPaused"), None),
        (True, "true", (True, "HandedBack"), False),
        (True, "1", (True, "HandedBack"), False),
        (True, "False", (True, "HandedBack"), None),
        (True, None, (True, "HandedBack"), None),
    ],
)
def test_what_is_to_be_done_follows_from_how_the_scaled_object_is(
    is_back: bool, paused: str | None, expected: tuple[bool, str], change: bool | None
) -> None:
    body = {
        "metadata": {} if paused is None else {"annotations": {KEDA_PAUSED: paused}},
        "spec": {"scaleTargetRef": {"name": "worker"}},
    }
    outcome, told = judged(Handover("gray", is_back), "worker", body)
    assert ((outcome.done, outcome.reason), told) == (expected, change)


def test_a_scaled_object_of_something_else_by_the_same_name_is_left_alone() -> None:
    body = {"metadata": {}, "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "worker"}}}
    outcome, change = judged(Handover("gray", is_back=False), "worker", body)
    assert (outcome.done, outcome.reason, change) == (False, "OtherTarget", None)
    assert "scales StatefulSet worker, not Deployment worker" in outcome.message


def test_where_keda_holds_a_number_it_would_set_that_again_so_nothing_is_taken_over_or_said_to_be_back() -> None:
    body = {
        "metadata": {"annotations": {KEDA_PAUSED: "true", KEDA_HELD: "4"}},
        "spec": {"scaleTargetRef": {"name": "worker"}},
    }
    for is_back, told in ((False, None), (True, False)):
        outcome, change = judged(Handover("gray", is_back), "worker", body)
        assert (outcome.done, outcome.reason, change) == (False, "ReplicasHeld", told)
        assert "paused-replicas of ScaledObject gray: take that annotation away" in outcome.message


def test_nothing_is_left_to_take_over_when_the_scaled_object_is_gone_and_nobody_takes_it_back() -> None:
    for is_back in (False, True):
        outcome, change = judged(Handover("gray", is_back), "worker", None)
        assert (outcome.done, outcome.reason, change) == (not is_back, "ScaledObjectMissing", None)


def test_an_annotation_makes_a_pool_act_and_to_hand_back_counts_more() -> None:
    assert parse_pool(annotated(take="gray")).acts
    both = parse_pool(annotated(take="gray", back="gray"))
    assert (both.acts, both.handover) == (False, Handover("gray", is_back=True))


def test_a_pool_pauses_keda_waits_for_its_autoscaler_to_go_and_scales() -> None:
    seen = cluster(annotated(take="gray"))
    seen.tick(3)
    assert seen.keda.written == [("gray", True)]
    assert seen.scalings == []
    assert (conditions(seen)["TargetConflict"]["reason"], seen.condition("TargetConflict")) == ("WaitsForKeda", "True")
    assert "waits until KEDA has removed" in seen.status["reason"]
    seen.autoscaled = {}
    seen.tick()
    assert seen.scalings == [8]
    assert (seen.condition("TakenOver"), seen.condition("Ready")) == ("True", "True")
    assert "imagemill.dev/hand-back=gray hands the Deployment back" in conditions(seen)["TakenOver"]["message"]


def test_keda_is_paused_again_when_somebody_lets_it_go_on() -> None:
    seen = cluster(annotated(take="gray"))
    seen.autoscaled = {}
    seen.tick(2)
    asked = seen.keda.asked
    seen.keda.add("gray", "worker-gray")
    seen.autoscaled = dict(HPA)
    seen.tick(int(RETRY_SECONDS))
    assert seen.keda.written == [("gray", True)] * 2
    assert seen.keda.asked == asked + 2, "it is not asked with every tick"
    seen.autoscaled = {}
    seen.tick(int(LOOK_SECONDS))
    assert seen.keda.asked == asked + 4


def test_without_rights_nothing_is_changed_and_that_is_said_with_what_to_do() -> None:
    seen = cluster(annotated(take="gray"))
    seen.keda.refused, seen.autoscaled = 403, {}
    seen.tick(5)
    assert (seen.scalings, seen.keda.written) == ([], [])
    assert seen.status["reason"].startswith("The operator may not pause ScaledObject gray: add it to kedaScaledObjects")
    assert conditions(seen)["TargetConflict"]["reason"] == "ScaledObjectForbidden"


def test_a_scaled_object_of_another_deployment_is_left_alone() -> None:
    seen = cluster(annotated(take="gray"), deployment="worker-blue")
    seen.autoscaled = {}
    seen.tick(2)
    assert (seen.scalings, seen.keda.written) == ([], [])
    assert "scales Deployment worker-blue, not Deployment worker-gray" in seen.status["reason"]


def test_a_paused_pool_takes_nothing_over_as_nobody_would_scale() -> None:
    seen = cluster(annotated(take="gray", pause="true"))
    seen.tick(2)
    assert seen.keda.asked == 0


def test_a_pool_that_could_not_scale_takes_nothing_over() -> None:
    missing, unusable = annotated(take="gray"), annotated(take="gray")
    missing["spec"]["deployment"] = "worker-red"
    unusable["spec"]["minReplicas"] = 9
    for body in (missing, unusable):
        seen = cluster(body, deployment=body["spec"]["deployment"])
        seen.tick(2)
        assert (seen.keda.asked, seen.keda.written) == (0, [])


def test_an_older_pool_keeps_its_deployment_and_keda_is_not_paused_for_another() -> None:
    older, seen = bodies.pool("older", created="2025-01-01T00:00:00Z", deployment="worker-gray"), annotated(take="gray")
    both = Cluster(older, seen, replicas=2)
    both.keda.add("gray", "worker-gray")
    both.tick(2)
    assert both.keda.written == []


def test_nothing_is_handed_back_that_another_pool_scales() -> None:
    other = annotated(take="gray")
    other["metadata"].update(name="other", uid="uid-other")
    seen = Cluster(annotated(back="gray"), other, replicas=2)
    seen.keda.add("gray", "worker-gray")
    seen.tick(40)
    assert seen.keda.written == [("gray", True)]
    told = next(dict(status) for name, status in reversed(seen.statuses) if name == "gray")
    taken = next(item for item in told["conditions"] if item["type"] == "TakenOver")
    assert (taken["status"], taken["reason"]) == ("False", "OtherWorkerPool")
    assert "WorkerPool other scales Deployment worker-gray" in taken["message"]


def test_an_autoscaler_of_an_object_by_another_name_is_not_said_to_be_paused() -> None:
    seen = cluster(annotated(take="grey"))
    seen.tick(2)
    assert (seen.scalings, seen.keda.written) == ([], [])
    assert conditions(seen)["TargetConflict"]["reason"] == "ScaledObjectMissing"
    assert seen.status["reason"].startswith(
        "There is no ScaledObject grey to pause, and Deployment worker-gray is scaled"
    )


def test_all_hand_overs_are_looked_at_together() -> None:
    """An API server that does not answer is waited for once, not once for each pool."""
    pools = {str(number): parse_pool(bodies.pool(str(number))) for number in range(5)}
    taking = {name: replace(pool, handover=Handover(name, is_back=False)) for name, pool in pools.items()}
    asked: set[str] = set()

    class Slow(Keda):
        async def get_scaled_object(self, name: str) -> dict[str, Any] | None:
            asked.add(name)
            while len(asked) < len(taking):
                await asyncio.sleep(0)
            return None

    async def settled() -> int:
        return len(await asyncio.wait_for(Takeovers(Slow(), lambda: 0.0).settle(taking, {}), 10.0))

    assert asyncio.run(settled()) == len(taking)


def test_an_operator_without_the_lease_pauses_nothing() -> None:
    seen = cluster(annotated(take="gray"))
    seen.leads = False
    seen.tick(2)
    assert seen.keda.written == []


def test_an_api_server_that_does_not_answer_takes_nothing_back() -> None:
    seen = cluster(annotated(take="gray"))
    seen.autoscaled = {}
    seen.tick()
    seen.keda.refused, seen.ready = 500, 200
    seen.tick(40)
    assert seen.condition("TakenOver") == "True"


def test_handed_back_the_pool_stops_before_keda_goes_on() -> None:
    seen = cluster(annotated(take="gray"))
    seen.autoscaled = {}
    seen.tick()
    assert seen.scalings == [8]
    seen.pools["gray"] = annotated(take="gray", back="gray")
    seen.ready = 0
    seen.tick(60)
    assert seen.scalings == [8]
    assert seen.keda.written == [("gray", True), ("gray", False)]
    assert conditions(seen)["TakenOver"]["reason"] == "HandedBack"
    assert seen.status["reason"].startswith("Paused, nothing is changed")


def test_a_pool_that_only_tells_after_it_had_taken_over_says_that_nobody_scales() -> None:
    seen = cluster(annotated(take="gray"))
    seen.autoscaled = {}
    seen.tick(2)
    left = annotated()
    left["status"] = {"conditions": seen.status["conditions"]}
    seen.pools["gray"] = left
    seen.controller = seen.new_controller()
    for _ in range(2):
        seen.tick(6)
        assert (seen.condition("TakenOver"), conditions(seen)["TakenOver"]["reason"]) == ("False", "LeftPaused")
        assert "imagemill.dev/hand-back" in conditions(seen)["TakenOver"]["message"]
        left["status"] = {"conditions": seen.status["conditions"]}
    seen.autoscaled = dict(HPA)
    seen.tick(6)
    assert "TakenOver" not in conditions(seen), "somebody let KEDA go on"


def test_a_pool_that_is_gone_after_it_had_taken_over_is_logged_once_with_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = cluster(annotated(take="gray"))
    seen.autoscaled = {}
    seen.tick(2)
    seen.pools = {}
    seen.tick(3)
    told = [record.getMessage() for record in caplog.records if "is gone" in record.getMessage()]
    assert len(told) == 1
    assert "ScaledObject gray, which stays paused: take the annotation autoscaling.keda.sh/paused away" in told[0]


@pytest.fixture
def kube(broker: Rabbit) -> Iterator[FakeKube]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.amqp_url))
    connection.channel().queue_declare("taken.over", durable=True)
    connection.close()
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "worker"}}
    with FakeKube().running() as running:
        running.add_deployment("worker")
        running.put("horizontalpodautoscalers", {"metadata": {"name": "keda-hpa-so"}, "spec": target})
        running.put("scaledobjects", {"metadata": {"name": "so"}, "spec": target})
        yield running


def add_pool(kube: FakeKube, annotations: dict[str, str]) -> None:
    spec = {"deployment": "worker", "queues": ["taken.over"], "minReplicas": 3, "maxReplicas": 4, "maxWaitSeconds": 10}
    kube.add_pool("taker", {**spec, "mode": "Advise"}, annotations)


def keda_is_paused(kube: FakeKube) -> bool:
    annotations = (kube.get("scaledobjects", "so") or {})["metadata"].get("annotations") or {}
    return annotations.get(KEDA_PAUSED) == "true"


def replicas(kube: FakeKube) -> int:
    return int((kube.get("deployments", "worker") or {})["spec"]["replicas"])


def test_over_and_back_as_a_process(broker: Rabbit, kube: FakeKube, tmp_path: Path) -> None:
    add_pool(kube, {TAKE: "so"})
    env = {"IMAGEMILL_BROKER_METRICS_URL": broker.metrics_url}
    with operator_process.running(tmp_path, kube.url, free_ports(1)[0], **env):
        eventually(lambda: keda_is_paused(kube), what="KEDA paused")
        assert replicas(kube) == 0
        kube.delete("horizontalpodautoscalers", "keda-hpa-so")
        eventually(lambda: replicas(kube) == 3, what="three replicas")
        add_pool(kube, {TAKE: "so", BACK: "so"})
        eventually(lambda: not keda_is_paused(kube), what="KEDA goes on")
