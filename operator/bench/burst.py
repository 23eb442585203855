"""A burst into an idle pool on a real cluster: ``python -m bench.burst`` prints the time line beside KEDA's figures.

300 messages of 1 s at once, prefetch 1, ten messages a replica, at most 16 replicas; the same rig on which KEDA 2.21
was measured. Uses the cluster that kubectl talks to (``--context`` names another), in a namespace of its own that is
removed in the end (``--keep`` leaves it). The operator's image must be there already.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika

from bench import rig

CRD = Path(__file__).parents[1] / "crds" / "workerpools.yaml"
MESSAGES = 300
LONGEST_SECONDS = 600.0
KEDA = {
    "first replica asked for": 21.0,
    "16 replicas asked for": 51.0,
    "all messages done": 59.0,
    "back at 0": 350.0,
    "replica-seconds": 5000.0,
    "resident MiB": 217.0,
}
GOALS = {
    "16 replicas asked for": 5.0,
    "all messages done": 27.0,
    "replica-seconds": 1000.0,
    "messages redelivered": 0.0,
    "resident MiB": 100.0,
}


class Kubectl:
    """Runs kubectl against one cluster; every call has a time limit."""

    def __init__(self, context: str | None) -> None:
        self.base = ["kubectl", *(["--context", context] if context else [])]

    def __call__(self, *words: str, text: str | None = None, seconds: float = 60.0) -> str:
        """Return what kubectl prints; its own message is the error."""
        run = subprocess.run(
            [*self.base, *words], input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
        if run.returncode:
            raise SystemExit(f"kubectl {' '.join(words)}: {run.stderr.strip()}")
        return run.stdout

    def get(self, *words: str) -> Any:
        """Return an object or a list."""
        return json.loads(self("-n", rig.NAMESPACE, "get", *words, "-o", "json"))

    @contextmanager
    def forward(self, target: str, port: int) -> Iterator[int]:
        """Reach a port of the rig at a free port of this machine."""
        words = [*self.base, "-n", rig.NAMESPACE, "port-forward", target, f":{port}"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r":(\d+) ->", line)
            if not found:
                raise SystemExit(f"kubectl port-forward {target} said {line!r}")
            yield int(found[1])
        finally:
            process.terminate()
            process.wait(10)


@dataclass
class Timeline:
    """What was seen, in seconds since the first message was published."""

    begin: float = field(default_factory=time.monotonic)
    marks: dict[str, float] = field(default_factory=dict)
    replica_seconds: float = 0.0
    _last: tuple[float, int] = (0.0, 0)

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.begin

    def mark(self, what: str) -> None:
        """Note when something was seen for the first time."""
        if what not in self.marks:
            self.marks[what] = self.now()
            print(f"{self.marks[what]:7.1f} s  {what}", flush=True)

    def replicas(self, count: int) -> None:
        """Add up replicas over time."""
        at, before = self._last
        self.replica_seconds += (self.now() - at) * before
        self._last = self.now(), count


@contextmanager
def installed(kubectl: Kubectl, operator_image: str, broker_image: str, *, keep: bool) -> Iterator[None]:
    """Install the rig; remove its namespace afterwards."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    # What an earlier run left is still on its way out.
    kubectl("wait", "--for=delete", f"namespace/{rig.NAMESPACE}", "--timeout=120s", seconds=130)
    objects = {"apiVersion": "v1", "kind": "List", "items": rig.objects(operator_image, broker_image)}
    kubectl("apply", "-f", "-", text=json.dumps(objects))
    try:
        for name in ("broker", "operator"):
            kubectl("-n", rig.NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=180s", seconds=200)
        yield
    finally:
        if not keep:
            kubectl("delete", "namespace", rig.NAMESPACE, "--wait=false")


def wait(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(KeyError):
            if check():
                return
        time.sleep(0.5)
    raise SystemExit(f"{what} did not happen within {seconds:g} s.")


def is_idle(kubectl: Kubectl) -> bool:
    """Whether the pool knows its queue is empty and stands at 0."""
    status = kubectl.get("workerpool", "consumer").get("status", {})
    return bool(status["backlog"].get("ready") == 0 and status["readyReplicas"] == 0)


def declare(channel: Any) -> None:
    """Make the queues: work is durable and replicated, what is done is counted here."""
    channel.queue_declare("rig.work", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_declare("rig.done", durable=False)


def publish(channel: Any) -> None:
    """Publish the burst without waiting for anything; what is lost would be missed in the end."""
    for number in range(MESSAGES):
        properties = pika.BasicProperties(message_id=str(number), delivery_mode=2)
        channel.basic_publish("", "rig.work", b"x", properties)


def watch(kubectl: Kubectl, channel: Any, line: Timeline) -> int:
    """Look until the pool is back at 0; return how many messages were redelivered."""
    told: list[dict[str, Any]] = []
    channel.basic_consume("rig.done", lambda _c, _m, properties, _b: told.append(properties.headers), auto_ack=True)
    while line.now() < LONGEST_SECONDS:
        replicas = int(kubectl.get("deployment", "consumer")["spec"].get("replicas", 0))
        line.replicas(replicas)
        if replicas > 0:
            line.mark("first replica asked for")
        if replicas == rig.MAX_REPLICAS:
            line.mark("16 replicas asked for")
        channel.connection.process_data_events(0.2)
        done = {headers["id"] for headers in told}
        if done:
            line.mark("first message done")
        if len(done) == MESSAGES:
            line.mark("all messages done")
        if len(done) == MESSAGES and replicas == 0:
            line.mark("back at 0")
            return sum(bool(headers["redelivered"]) for headers in told)
    raise SystemExit(f"The pool was not back at 0 after {LONGEST_SECONDS:g} s; {len(told)} messages were done.")


def resident_mib(kubectl: Kubectl) -> float:
    """The operator's resident memory, as its metrics tell."""
    words = ("-n", rig.NAMESPACE, "exec", "deploy/operator", "--", "cat", "/proc/1/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", kubectl(*words))
    return int(found[1]) / 1024 if found else float("nan")


def report(measured: dict[str, float]) -> bool:
    """Print our figures beside KEDA's and the goals; return whether all are met."""
    print(f"\n{'':<26}{'imagemill':>12}{'KEDA 2.21':>12}{'goal':>10}")
    met = True
    for name, value in measured.items():
        goal = GOALS.get(name)
        missed = goal is not None and value > goal
        met &= not missed
        keda = f"{KEDA[name]:,.0f}" if name in KEDA else "-"
        shown = "-" if goal is None else f"≤ {goal:g}"
        print(f"{name:<26}{value:>12,.1f}{keda:>12}{shown:>10}{'  MISSED' if missed else ''}")
    return met


def main(arguments: list[str]) -> int:
    """Run the rig and print the time line."""
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description=__doc__)
    parser.add_argument("--operator-image", default="imagemill-operator:dev")
    parser.add_argument("--broker-image", default="rabbitmq:4-management")
    parser.add_argument("--context", help="kubectl's context; its current one when not given")
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args(arguments)
    kubectl = Kubectl(options.context)
    with installed(kubectl, options.operator_image, options.broker_image, keep=options.keep):
        measured = measure(kubectl)
    return 0 if report(measured) else 1


def measure(kubectl: Kubectl) -> dict[str, float]:
    """Publish and watch."""
    with kubectl.forward("service/broker", 5672) as port:
        connection = pika.BlockingConnection(pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{port}/?heartbeat=0"))
        channel = connection.channel()
        declare(channel)
        kubectl("apply", "-f", "-", text=json.dumps(rig.pool()))
        wait(lambda: is_idle(kubectl), 60, "An idle pool")
        line = Timeline()
        publish(channel)
        print(f"{line.now():7.1f} s  {MESSAGES} messages published")
        redelivered = watch(kubectl, channel, line)
        events = kubectl("-n", rig.NAMESPACE, "get", "events", "--field-selector=involvedObject.kind=WorkerPool")
        print(f"\n{events}")
        connection.close()
    last = {"replica-seconds": line.replica_seconds, "messages redelivered": float(redelivered)}
    return {**line.marks, **last, "resident MiB": resident_mib(kubectl)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
