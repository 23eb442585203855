"""Why pods are not ready, in a few lines: what `kubectl get pods` and its events say of them."""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice

from imagemill_e2e.cluster import Cluster, CommandFailed, Resource

WIDTH = 160
EVENTS = 8
LOG_LINES = 3
_OWN_NAME = re.compile(r'^\{"program": "[^"]*", "instance": "[^"]*", ')


def unready(pods: Sequence[Resource]) -> list[Resource]:
    """Those which are neither ready nor done."""
    return [pod for pod in pods if pod["status"].get("phase") != "Succeeded" and _false(pod, "Ready")]


def why(pod: Resource) -> Iterator[str]:
    """Why a pod is not ready: whether it has a node, then each container that is not as it should be."""
    status = pod["status"]
    yield f"{pod['metadata']['name']}: {status.get('phase', 'Unknown')}{_said(status)}"
    yield from (
        f"  {item['type']} is false{_said(item)}"
        for item in status.get("conditions", [])
        if item["type"] == "PodScheduled" and item["status"] != "True"
    )
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        yield from _of_container(container)


def _of_container(container: Resource) -> Iterator[str]:
    (state, details), *_ = container.get("state", {}).items() or [("unknown", {})]
    if container.get("ready") or (state == "terminated" and details.get("exitCode") == 0):
        return
    last = container.get("lastState", {}).get("terminated", {})
    ended = f", before that exit code {last['exitCode']}{_said(last)}" if last else ""
    yield f"  {container['name']}: {state}{_said(details)}, {container.get('restartCount', 0)} restarts{ended}"


def warnings(events: Sequence[Resource]) -> list[str]:
    """The last warnings, oldest first."""
    found = [item for item in events if item.get("type") == "Warning"]
    found.sort(key=lambda item: str(item.get("lastTimestamp") or item.get("eventTime") or ""))
    return [f"{item['involvedObject']['name']}{_said(item)}" for item in found[-EVENTS:]]


def _false(pod: Resource, condition: str) -> bool:
    return not any(
        item["type"] == condition and item["status"] == "True" for item in pod["status"].get("conditions", [])
    )


def _said(item: Resource) -> str:
    said = ": ".join(str(item[key]) for key in ("reason", "message") if item.get(key))
    return f" ({' '.join(said.split())})" if said else ""


def _logged(cluster: Cluster, pod: str) -> Iterator[str]:
    for flag in ("--previous=true", "--previous=false"):
        try:
            lines = cluster.kubectl("logs", pod, "--all-containers", f"--tail={LOG_LINES}", flag).splitlines()
        except CommandFailed:
            continue
        # Our own programs begin each line with who they are, which is known here.
        yield from dict.fromkeys(f"  | {_OWN_NAME.sub('{', line)}" for line in lines)
        return


def main() -> None:
    """`python -m imagemill_e2e.unready CONTEXT NAMESPACE`."""
    cluster = Cluster(*sys.argv[1:3])
    try:
        for line in _all_of_it(cluster):
            print(line[:WIDTH])
    except CommandFailed as problem:
        sys.exit(f"What is not ready cannot be told: {problem}")


def _all_of_it(cluster: Cluster) -> Iterator[str]:
    yield from warnings(cluster.all("events"))
    for pod in unready(cluster.all("pods")):
        yield from why(pod)
        yield from islice(_logged(cluster, pod["metadata"]["name"]), 2 * LOG_LINES)


if __name__ == "__main__":
    main()
