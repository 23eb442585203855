"""The operator as a process, between a real RabbitMQ and a small Kubernetes API."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pika
import pytest
from tests.cluster import operator_process
from tests.cluster.fake_kube import FakeKube
from tests.cluster.operator_process import Operator, eventually
from tests.cluster.rabbit import Rabbit, free_ports

POOL = {
    "deployment": "worker",
    "queues": ["burst"],
    "maxReplicas": 16,
    "backlogPerReplica": 10,
    "cooldownSeconds": 5,
    "scaleInPercent": 100,
}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube().running() as running:
        running.add_deployment("worker")
        running.add_pool("burst", POOL)
        yield running


@pytest.fixture
def queue(broker: Rabbit) -> Iterator[Any]:
    parameters = pika.URLParameters(broker.amqp_url)
    parameters.heartbeat = 0  # nobody answers it while a test waits for something else
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare("burst", durable=True, arguments={"x-queue-type": "quorum"})
    yield channel
    channel.queue_delete("burst")
    connection.close()


@pytest.fixture
def start(broker: Rabbit, kube: FakeKube, tmp_path: Path) -> Any:
    def begin(**env: str) -> Any:
        urls = {"IMAGEMILL_BROKER_METRICS_URL": broker.metrics_url, "AMQP_URL": broker.amqp_url}
        return operator_process.running(tmp_path, kube.url, free_ports(1)[0], **urls, **env)

    return begin


def publish(queue: Any, count: int) -> None:
    for _ in range(count):
        queue.basic_publish("", "burst", b"x")


def replicas(kube: FakeKube) -> int:
    return int((kube.get("deployments", "worker") or {})["spec"]["replicas"])


@contextmanager
def followed_within(seconds: float, kube: FakeKube, operator: Operator) -> Iterator[None]:
    """By the operator's own ticks, two a second at most: on a busy machine they and the broker are late together."""
    looked = looks(operator)
    yield
    eventually(lambda: replicas(kube) == 16, what="16 replicas")
    assert looks(operator) - looked <= seconds * 2


def status(kube: FakeKube) -> dict[str, Any]:
    return dict((kube.get("workerpools", "burst") or {}).get("status", {}))


def events(kube: FakeKube) -> list[dict[str, Any]]:
    return [kube.get("events", name) or {} for name in kube.names("events")]


def reasons(kube: FakeKube) -> list[str]:
    return [str(event["reason"]) for event in events(kube)]


def test_a_burst_is_followed_up_and_down_and_explained(kube: FakeKube, queue: Any, start: Any) -> None:
    with start() as operator:
        eventually(lambda: status(kube).get("backlog") == {"ready": 0, "unacked": 0}, what="an empty queue")
        with followed_within(5.0, kube, operator):
            publish(queue, 300)
        counts = [count for _, _, count in kube.scalings]
        assert counts == sorted(counts), "a tick may see half of the burst, but nothing is taken back"
        eventually(lambda: operator.get("/pools/burst")["ready_replicas"] == 16)
        queue.queue_purge("burst")
        eventually(lambda: replicas(kube) == 0, what="back to 0")
        eventually(
            lambda: {"ScaledOut", "ScaledIn"} <= set(reasons(kube)), what="both Events: they follow what they tell"
        )
        check_what_is_told(kube, operator)


def check_what_is_told(kube: FakeKube, operator: Operator) -> None:
    eventually(lambda: status(kube)["desiredReplicas"] == 0)
    metrics = operator.get("/metrics")
    assert 'imagemill_pool_desired_replicas{pool="burst"} 0.0' in metrics
    assert 'imagemill_pool_scale_changes_total{direction="out",pool="burst"}' in metrics
    assert operator.get("/healthz")["alive"] is True
    assert operator.get("/pools")["pools"][0]["history"]
    assert operator.get("/pools/burst")["history"]
    pool = kube.get("workerpools", "burst") or {}
    assert "finalizers" not in pool["metadata"]
    assert pool["metadata"]["annotations"] == {}, "kopf leaves no notes on objects"


def test_an_event_tells_its_moment_to_the_microsecond_and_which_operator_acted(
    kube: FakeKube, queue: Any, start: Any
) -> None:
    with start(POD_NAME="first"):
        eventually(lambda: status(kube).get("backlog") == {"ready": 0, "unacked": 0}, what="an empty queue")
        before = datetime.now(UTC)
        publish(queue, 300)
        eventually(lambda: "ScaledOut" in reasons(kube))
    event = next(event for event in events(kube) if event["reason"] == "ScaledOut")
    assert before < datetime.fromisoformat(event["eventTime"]) < datetime.now(UTC)
    assert event["firstTimestamp"][:19] == event["eventTime"][:19]
    # With a time so exact the API server wants to know who did what.
    assert (event["action"], event["reportingInstance"]) == ("ScaledOut", "first")


def test_a_connection_that_ended_meanwhile_is_made_anew_without_a_word(
    kube: FakeKube, queue: Any, broker: Rabbit, start: Any
) -> None:
    with start() as operator:
        eventually(lambda: end_connections(broker, "imagemill-operator") > 0, what="a connection for live looks")
        looked = looks(operator)
        eventually(lambda: looks(operator) > looked + 1, what="two looks more")
        with followed_within(5.0, kube, operator):
            publish(queue, 300)
        log = operator.log.read_text()
    assert "Traceback" not in log
    assert "pika" not in log


def end_connections(broker: Rabbit, name: str) -> int:
    """Returns how many there were. Looking again is no harm: the list is a second old."""
    found = [item for item in manage(broker, "GET", "") if item["client_properties"].get("connection_name") == name]
    for connection in found:
        manage(broker, "DELETE", f"/{quote(connection['name'])}")
    return len(found)


def manage(broker: Rabbit, method: str, path: str) -> Any:
    parts = urlsplit(broker.management_url)
    url = f"http://{parts.hostname}:{parts.port}/api/connections{path}"
    login = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")


def looks(operator: Operator) -> float:
    line = next(line for line in operator.get("/metrics").splitlines() if line.startswith("imagemill_operator_ticks "))
    return float(line.split()[1])


def test_an_operator_that_is_killed_in_mid_burst_is_replaced_and_nothing_is_scaled_in(
    kube: FakeKube, queue: Any, start: Any
) -> None:
    with start(POD_NAME="first") as first, start(POD_NAME="second") as second:
        eventually(lambda: status(kube).get("backlog") == {"ready": 0, "unacked": 0}, what="an empty queue")
        acting = eventually(lambda: next((one for one in (first, second) if one.get("/healthz")["acting"]), None))
        publish(queue, 300)
        eventually(lambda: replicas(kube) == 16)
        acting.kill()
        other = second if acting is first else first
        eventually(lambda: other.get("/healthz")["acting"], what="the other acts")
        eventually(lambda: other.get("/pools")["pools"][0]["desired_replicas"] == 16)
        counts = [count for _, _, count in kube.scalings]
        assert counts == sorted(counts)


def test_pods_that_were_evicted_do_not_block_new_ones(kube: FakeKube, queue: Any, start: Any) -> None:
    kube.add_deployment("worker", 1)
    (name,) = kube.names("pods")
    eventually(lambda: (kube.get("pods", name) or {})["status"]["conditions"], what="a pod that is ready")
    pod = kube.get("pods", name) or {}
    crashing = {"containerStatuses": [{"restartCount": 5}], "conditions": [{"type": "Ready", "status": "False"}]}
    kube.put("pods", {**pod, "status": {**crashing, "phase": "Running"}})
    publish(queue, 300)
    with start():
        eventually(lambda: status(kube).get("limit") == "blocked")
        kube.put("pods", {**pod, "status": {**crashing, "phase": "Failed"}})
        eventually(lambda: replicas(kube) == 16)


def test_a_deployment_with_an_autoscaler_is_refused_while_it_has_one(kube: FakeKube, queue: Any, start: Any) -> None:
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "worker"}}
    kube.put("horizontalpodautoscalers", {"metadata": {"name": "keda-hpa"}, "spec": target})
    publish(queue, 300)
    with start():
        eventually(lambda: status(kube).get("limit") == "refused")
        assert kube.scalings == []
        eventually(lambda: "TargetConflict" in reasons(kube))
        kube.delete("horizontalpodautoscalers", "keda-hpa")
        eventually(lambda: replicas(kube) == 16)


def test_a_missing_deployment_is_waited_for_and_pause_holds(kube: FakeKube, queue: Any, start: Any) -> None:
    publish(queue, 300)
    kube.delete("deployments", "worker")
    # Paused from the start: of two objects that change, the operator may see either first.
    kube.add_pool("burst", POOL, {"imagemill.dev/pause": "true"})
    with start():
        eventually(lambda: "There is no Deployment worker" in status(kube).get("reason", ""))
        kube.add_deployment("worker")
        eventually(lambda: status(kube).get("reason", "").startswith("Paused"))
        assert kube.scalings == []
        kube.add_pool("burst", POOL, {"imagemill.dev/pause": "false"})
        eventually(lambda: replicas(kube) == 16)


def test_without_a_broker_it_refuses_to_start(tmp_path: Path) -> None:
    with operator_process.running(tmp_path, "http://127.0.0.1:9", free_ports(1)[0]) as operator:
        assert operator.process.wait(90) == 2
        assert "set IMAGEMILL_BROKER_METRICS_URL" in operator.log.read_text()
