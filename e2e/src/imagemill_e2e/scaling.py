"""A worker pool as the cluster shows it: its WorkerPool, its Deployment, the operator's Events about it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imagemill_e2e.cluster import Cluster, Resource
from imagemill_e2e.waiting import until

METRICS = (
    "import urllib.request; print(urllib.request.urlopen('http://localhost:8080/metrics', timeout=5).read().decode())"
)
REDELIVERED = """
import re, socket, sys, urllib.request
host, queue, total = sys.argv[1], f'queue="{sys.argv[2]}"', 0
for address in {entry[4][0] for entry in socket.getaddrinfo(host, 15692)}:
    url = f"http://{address}:15692/metrics/detailed?family=queue_delivery_metrics"
    text = urllib.request.urlopen(url, timeout=10).read().decode()
    found = re.findall(r"^rabbitmq_detailed_queue_messages_redelivered_total[{](.*)[}] (.+)$", text, re.MULTILINE)
    total += sum(float(value) for labels, value in found if queue in labels)
print(int(total))
"""
NODES = "mill-imagemill-rabbitmq-nodes"


@dataclass(frozen=True)
class Event:
    """What the operator told."""

    uid: str
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True)
class Pool:
    """One pool of a release."""

    cluster: Cluster
    name: str

    @property
    def component(self) -> str:
        """Its pods."""
        return f"worker-{self.name}"

    @property
    def deployment(self) -> str:
        """Its Deployment's name."""
        return f"mill-imagemill-{self.component}"

    @property
    def replicas(self) -> int:
        """What its Deployment is set to."""
        return int(self.cluster.get("deployment", self.deployment)["spec"]["replicas"])

    @property
    def generation(self) -> int:
        """Grows with every change of its Deployment's spec."""
        return int(self.cluster.get("deployment", self.deployment)["metadata"]["generation"])

    @property
    def status(self) -> Resource:
        """What the operator says of it."""
        found: Resource = self.cluster.get("workerpool", self.name)["status"]
        return found

    def condition(self, kind: str) -> str:
        """True, False or Unknown."""
        return next((str(item["status"]) for item in self.status["conditions"] if item["type"] == kind), "Unknown")

    def events(self) -> list[Event]:
        """Everything that was told of it, oldest first."""
        selector = f"involvedObject.kind=WorkerPool,involvedObject.name={self.name}"
        found = json.loads(self.cluster.kubectl("get", "events", "--field-selector", selector, "--output", "json"))
        return sorted(map(_event, found["items"]), key=lambda event: event.at)

    def events_after(self, known: list[Event]) -> list[Event]:
        """Those which are news."""
        uids = {event.uid for event in known}
        return [event for event in self.events() if event.uid not in uids]

    def change(self, **spec: Any) -> None:
        """Changes its spec; None removes a field."""
        self.cluster.kubectl("patch", "workerpool", self.name, "--type=merge", "--patch", json.dumps({"spec": spec}))

    def annotate(self, *annotations: str) -> None:
        """With `key=value`, or `key-` to remove it."""
        self.cluster.kubectl("annotate", "workerpool", self.name, *annotations)

    def wait_condition(self, kind: str, status: str, timeout_seconds: float = 60) -> None:
        """Until a condition has a status."""
        until(f"{kind} is {status} of {self.name}", lambda: self.condition(kind) == status, timeout_seconds)

    def wait_asleep(self, timeout_seconds: float = 180) -> None:
        """Until it stands at 0, and no pod of it is left, not even one which is going."""
        selector = f"app.kubernetes.io/component={self.component}"

        def asleep() -> bool:
            return self.replicas == 0 and not self.cluster.all("pods", selector)

        until(f"the pool {self.name} sleeps", asleep, timeout_seconds)

    def redelivered(self) -> int:
        """Messages of its queue which RabbitMQ gave out again, by the counters of all nodes."""
        pod = self.cluster.running("operator")[0]
        return int(self.cluster.execute(pod, "python", "-c", REDELIVERED, NODES, f"work.{self.name}"))


def _event(body: Resource) -> Event:
    at = datetime.fromisoformat(body.get("eventTime") or body["lastTimestamp"])
    return Event(body["metadata"]["uid"], body["reason"], body["message"], at)


def operator_says(cluster: Cluster, metric: str) -> float:
    """One of the operator's own metrics."""
    text = cluster.execute(cluster.running("operator")[0], "python", "-c", METRICS)
    return float(
        next(line.split()[1] for line in text.splitlines() if line.startswith(f"imagemill_operator_{metric} "))
    )


def wait_looks(cluster: Cluster, count: int) -> None:
    """Until the operator has looked at everything so many times more, and decided."""
    goal = operator_says(cluster, "ticks") + count
    until(f"the operator looks {count} times", lambda: operator_says(cluster, "ticks") >= goal, 120, pause_seconds=1)
