"""Who reaches whom."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from imagemill_e2e.cluster import Cluster, Resource

CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
    print("open")
except OSError as error:
    print("closed", error)
"""


def reaches(cluster: Cluster, pod: str, host: str, port: int) -> bool:
    """Can a new connection be made from a pod?"""
    return cluster.execute(pod, "python", "-c", CONNECT, host, str(port)).startswith("open")


def is_kept_from(cluster: Cluster, pod: str, host: str, port: int, patience_seconds: float = 20) -> bool:
    """Is no new connection made any more? Policies are enforced a moment after they were made, if at all."""
    end = time.monotonic() + patience_seconds
    while reaches(cluster, pod, host, port):
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


@contextmanager
def without_way_to(cluster: Cluster, policy: str, ports: set[int]) -> Iterator[None]:
    """For a while a NetworkPolicy allows no new connection to some ports; those which are there may stay."""
    rules = cluster.get("networkpolicy", policy)["spec"]["egress"]
    _allow(cluster, policy, [rule for rule in rules if not ports & _ports(rule)])
    try:
        yield
    finally:
        _allow(cluster, policy, rules)


def _ports(rule: Resource) -> set[int]:
    return {port["port"] for port in rule["ports"]}


def _allow(cluster: Cluster, policy: str, rules: list[Resource]) -> None:
    patch = json.dumps({"spec": {"egress": rules}})
    cluster.kubectl("patch", "networkpolicy", policy, "--type=merge", "--patch", patch)
