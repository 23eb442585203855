"""kubectl and helm, for one namespace of one cluster."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill_e2e.waiting import until

ROOT = Path(__file__).parents[3]
CHART = str(ROOT / "charts" / "imagemill")
RELEASE = "mill"
TIMEOUT_SECONDS = 600

Resource = dict[str, Any]


class CommandFailed(Exception):
    """A command ended with an error; the message is what it said."""


def run(*command: str, stdin: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """What a command prints; raises CommandFailed."""
    done = subprocess.run(  # noqa: S603
        command, input=stdin, capture_output=True, text=True, timeout=timeout_seconds, check=False
    )
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


@dataclass(frozen=True)
class Cluster:
    """A namespace with a release of the chart."""

    context: str
    namespace: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """In this namespace."""
        return run("kubectl", "--context", self.context, "--namespace", self.namespace, *arguments, stdin=stdin)

    def helm(self, *arguments: str) -> str:
        """In this namespace."""
        return run("helm", "--kube-context", self.context, "--namespace", self.namespace, *arguments)

    def get(self, kind: str, name: str) -> Resource:
        """One resource."""
        found: Resource = json.loads(self.kubectl("get", kind, name, "--output", "json"))
        return found

    def admin_token(self) -> str:
        """The admin's token, as the release's notes say."""
        data = self.get("secret", f"{RELEASE}-imagemill-access")["data"]
        return base64.b64decode(data["admin-token"]).decode()

    def all(self, kind: str, selector: str = "") -> list[Resource]:
        """Resources of a kind."""
        found = json.loads(self.kubectl("get", kind, "--selector", selector, "--output", "json"))
        return list(found["items"])

    def apply(self, *resources: Resource) -> None:
        """Makes resources, or makes them as they are given."""
        self.kubectl("apply", "--filename", "-", stdin=_listed(resources))

    def remove(self, *resources: Resource) -> None:
        """Removes what was applied."""
        self.kubectl("delete", "--ignore-not-found", "--timeout=120s", "--filename", "-", stdin=_listed(resources))

    def pods(self, component: str) -> list[str]:
        """Names of a component's pods which are not being deleted."""
        found = self.all("pods", f"app.kubernetes.io/component={component}")
        return [pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def running(self, component: str) -> list[str]:
        """Those of them which are ready."""
        found = self.all("pods", f"app.kubernetes.io/component={component}")
        return [pod["metadata"]["name"] for pod in found if _ready(pod) and "deletionTimestamp" not in pod["metadata"]]

    def kill(self, component: str) -> str:
        """Ends one pod of a component at once, without any warning; returns its name."""
        name = self.running(component)[0]
        self.kubectl("delete", "pod", name, "--grace-period=0", "--force", "--wait=false")
        return name

    def stop(self, pod: str) -> None:
        """Deletes a pod as an eviction would: it may finish what it does."""
        self.kubectl("delete", "pod", pod, "--wait=false")

    def execute(self, pod: str, *command: str) -> str:
        """What a command prints in a pod."""
        return self.kubectl("exec", pod, "--", *command)

    def wait_ready(self, component: str, count: int, timeout_seconds: float = 240) -> None:
        """Until so many pods of a component are ready."""
        until(f"{count} {component} ready", lambda: len(self.running(component)) >= count, timeout_seconds)

    def settle(self, timeout_seconds: float = 300) -> None:
        """Until every Deployment and StatefulSet has all of its pods."""
        until("everything is ready", self._settled, timeout_seconds, pause_seconds=1)

    def _settled(self) -> bool:
        return all(_complete(item) for kind in ("deployments", "statefulsets") for item in self.all(kind))

    def upgrade(self, *arguments: str) -> None:
        """`helm upgrade` with the values which the release has, and more."""
        self.helm("upgrade", RELEASE, CHART, "--reset-then-reuse-values", "--wait", "--timeout", "5m", *arguments)

    def install(self, *arguments: str) -> None:
        """`helm install` with the values of the release which e2e/run made, and more."""
        values = os.environ["E2E_VALUES"]
        self.helm("install", RELEASE, CHART, "--values", values, "--wait", "--timeout", "5m", *arguments)


def _listed(resources: Sequence[Resource]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})


def _ready(pod: Resource) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _complete(item: Resource) -> bool:
    wanted, status = item["spec"]["replicas"], item["status"]
    seen = status.get("observedGeneration", 0) >= item["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("readyReplicas", "updatedReplicas", "replicas")]
    return seen and counts == [wanted] * 3


def from_environment() -> Cluster:
    """The cluster which e2e/run prepared."""
    return Cluster(os.environ["E2E_CONTEXT"], os.environ["E2E_NAMESPACE"])


def values_of_release() -> dict[str, Any]:
    """The values with which e2e/run installed the chart, and no defaults."""
    found: dict[str, Any] = json.loads(Path(os.environ["E2E_VALUES"]).read_text())
    return found
