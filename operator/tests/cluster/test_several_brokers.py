"""The operator as a process with a broker for each pool, and one pool whose broker is not there."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest
from tests.cluster import operator_process
from tests.cluster.fake_kube import FakeKube
from tests.cluster.operator_process import Operator, eventually
from tests.cluster.rabbit import Rabbit, free_ports
from tests.cluster.test_rights_of_amqp import put

PASSWORD = "hunter2-and-more"
QUEUES = {"near": "several.near", "far": "several.far", "lost": "several.lost"}


@pytest.fixture
def channel(broker: Rabbit) -> Iterator[Any]:
    put(broker, "/api/users/scaler", {"password": PASSWORD, "tags": "monitoring"})
    put(broker, "/api/permissions/%2F/scaler", {"configure": "^$", "write": "^$", "read": ".*"})
    parameters = pika.URLParameters(broker.amqp_url)
    parameters.heartbeat = 0  # nobody answers it while a test waits for something else
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    for queue in QUEUES.values():
        channel.queue_declare(queue, durable=True)
    yield channel
    for queue in QUEUES.values():
        channel.queue_delete(queue)
    connection.close()


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube().running() as running:
        for pool, queue in QUEUES.items():
            running.add_deployment(f"worker-{pool}")
            spec = {"deployment": f"worker-{pool}", "queues": [queue], "maxReplicas": 4, "backlogPerReplica": 10}
            broker = {} if pool == "near" else {"brokerRef": {"secretName": f"broker-{pool}"}}
            running.add_pool(pool, {**spec, **broker})
        yield running


def add_secret(kube: FakeKube, name: str, broker: Rabbit) -> None:
    scaler = f"scaler:{PASSWORD}@"
    texts = {
        "amqp-url": broker.amqp_url.replace("guest:guest@", scaler),
        "management-url": broker.management_url.replace("guest:guest@", scaler),
    }
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    kube.put("secrets", {"metadata": {"name": name}, "data": data})


def replicas(kube: FakeKube, pool: str) -> int:
    return int((kube.get("deployments", f"worker-{pool}") or {})["spec"]["replicas"])


def condition(kube: FakeKube, pool: str) -> dict[str, str]:
    status = (kube.get("workerpools", pool) or {}).get("status", {})
    found = {item["type"]: item for item in status.get("conditions", ())}
    return dict(found.get("BrokerConfigured", {}))


def everything_told(kube: FakeKube, operator: Operator) -> str:
    pools = [kube.get("workerpools", pool) for pool in QUEUES]
    events = [kube.get("events", name) for name in kube.names("events")]
    pages = [operator.get(path) for path in ("/pools", "/pools/far", "/metrics", "/healthz")]
    return json.dumps([pools, events, pages, operator.log.read_text()])


def test_each_pool_follows_its_own_broker_and_one_that_is_missing_stops_no_other(
    broker: Rabbit, kube: FakeKube, channel: Any, tmp_path: Path
) -> None:
    add_secret(kube, "broker-far", broker)
    env = {"IMAGEMILL_BROKER_METRICS_URL": broker.metrics_url, "IMAGEMILL_BROKER_SECRETS": "broker-far,broker-lost"}
    with operator_process.running(tmp_path, kube.url, free_ports(1)[0], **env) as operator:
        for queue in QUEUES.values():
            for _ in range(40):
                channel.basic_publish("", queue, b"x")
        for pool in ("near", "far"):
            eventually(lambda pool=pool: replicas(kube, pool) == 4, what=f"four replicas of {pool}")  # type: ignore[misc]
        eventually(lambda: condition(kube, "lost").get("reason") == "SecretMissing", what="the condition of lost")
        assert condition(kube, "far")["status"] == "True"
        assert condition(kube, "near") == {}
        assert replicas(kube, "lost") == 0
        add_secret(kube, "broker-lost", broker)
        eventually(lambda: replicas(kube, "lost") == 4, what="four replicas of lost")
        told = everything_told(kube, operator)
        assert PASSWORD not in told
        assert urlsplit(broker.amqp_url).netloc.replace("guest:guest@", "scaler:") not in told
