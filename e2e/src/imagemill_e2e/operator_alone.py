"""The operator's own chart, with a broker and the plain pika consumer of docs/operator/quickstart.md."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from imagemill_e2e.chart import OPERATOR_CHART
from imagemill_e2e.cluster import ROOT, Cluster, Resource
from imagemill_e2e.own_servers import BROKER, CONFIGURATION, broker_container, password, secret, server

RELEASE, CONSUMER, QUEUE = "alone", "resize-worker", "resize"
QUICKSTART = (ROOT / "docs" / "operator" / "quickstart.md").read_text("utf-8")
ADDRESS = '"amqp://user:password@rabbit:5672/"'
WORK = "import os, time\n\n\ndef resize(body):\n    time.sleep(1)\n\n\n"
PUBLISH = """
import sys, pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(sys.argv[2], durable=True, arguments={"x-queue-type": "quorum"})
for _ in range(int(sys.argv[3])):
    channel.basic_publish("", sys.argv[2], b"x")
connection.close()
"""


def consumer_code() -> str:
    """The page's consumer, with a second of work for each message and the address of its environment."""
    found: list[str] = re.findall(r"```python\n(.*?)```", QUICKSTART, re.DOTALL)
    (code,) = (text for text in found if "import pika" in text)
    assert ADDRESS in code
    return WORK + code.replace(ADDRESS, 'os.environ["AMQP_URL"]')


def pool() -> Resource:
    """The page's first pool, acting, in the namespace of the test."""
    found: Resource = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", QUICKSTART, re.DOTALL)[0])
    spec = found["spec"] | {"mode": "Active", "maxReplicas": 4}
    return {**found, "metadata": {"name": found["metadata"]["name"]}, "spec": spec}


class Alone:
    """A release of the operator's chart, and what it scales."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.cluster, self._address = cluster, address

    def publish(self, count: int) -> None:
        """From the operator's pod, which has a client of the broker's."""
        pod = self.cluster.running("operator")[0]
        self.cluster.execute(pod, "python", "-c", PUBLISH, self._address, QUEUE, str(count))

    def replicas(self) -> int:
        """Of the consumer."""
        return int(self.cluster.get("deployment", CONSUMER)["spec"]["replicas"])

    def status(self) -> dict[str, Any]:
        """Of the pool."""
        return dict(self.cluster.get("workerpool", QUEUE).get("status", {}))


@contextmanager
def running(cluster: Cluster, values: dict[str, Any]) -> Iterator[Alone]:
    """Install all of it with the images that the release of the other tests was given; remove it in the end."""
    words = {"operator": password(), "consumer": password()}
    addresses = {user: f"amqp://{user}:{word}@{BROKER}:5672/" for user, word in words.items()}
    metrics = f"http://{BROKER}:15692"
    image = values["operator"]["image"]
    everything = [
        secret("broker", {"amqp-url": addresses["operator"], "metrics-url": metrics}),
        secret(CONSUMER, {"AMQP_URL": addresses["consumer"], "consumer.py": consumer_code()}),
        secret(BROKER, CONFIGURATION | {"definitions.json": json.dumps(_definitions(words))}),
        *server(BROKER, 999, [5672, 15692], "/var/lib/rabbitmq", broker_container(_name(values["rabbitmq"]["image"]))),
        _consumer(_name(image)),
        pool(),
    ]
    try:
        cluster.apply(*everything)
        cluster.kubectl("rollout", "status", f"deployment/{BROKER}", "--timeout=180s")
        cluster.helm("install", RELEASE, str(OPERATOR_CHART), "--wait", "--timeout", "5m", *_arguments(image))
        yield Alone(cluster, addresses["consumer"])
    finally:
        cluster.helm("uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout", "5m")
        cluster.remove(*everything)


def _arguments(image: dict[str, str]) -> list[str]:
    """The definition of WorkerPools is there already: the other tests brought it."""
    named = [
        "broker.existingSecret=broker", "crds.enabled=false", "admissionPolicy=Always",
        f"image.repository={image['repository']}", f"image.tag={image['tag']}",
    ]  # fmt: skip
    return [part for value in named for part in ("--set-string" if "tag" in value else "--set", value)]


def _name(image: dict[str, str]) -> str:
    return "{repository}:{tag}".format(**image)


def _definitions(words: dict[str, str]) -> Resource:
    """The operator needs no permission on anything, as the page says."""
    everything = dict.fromkeys(("configure", "write", "read"), ".*")
    nothing = dict.fromkeys(everything, "^$")
    rights = {"consumer": everything, "operator": nothing}
    return {
        "vhosts": [{"name": "/"}],
        "users": [{"name": user, "password": word, "tags": []} for user, word in words.items()],
        "permissions": [{"user": user, "vhost": "/", **right} for user, right in rights.items()],
    }


def _consumer(image: str) -> Resource:
    """A pod from the operator's image, which has pika."""
    labels = {"app": CONSUMER}
    container = {
        "name": "consumer",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/code/consumer.py"],
        "env": [{"name": "AMQP_URL", "valueFrom": {"secretKeyRef": {"name": CONSUMER, "key": "AMQP_URL"}}}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "code", "mountPath": "/code", "readOnly": True}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "code", "secret": {"secretName": CONSUMER}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": CONSUMER}, "spec": spec}
