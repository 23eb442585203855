"""Who may talk to whom, where the cluster enforces it."""

import json
import uuid
from collections.abc import Iterator

import pytest

from imagemill_e2e.cluster import Cluster, CommandFailed, Resource
from imagemill_e2e.mill import Mill
from imagemill_e2e.network import is_kept_from, reaches

PORT = 9999
RABBITMQ, COUCHDB, API = "mill-imagemill-rabbitmq", "mill-imagemill-couchdb", "mill-imagemill-api"


def manifest(cluster: Cluster, name: str) -> Resource:
    """A pod which belongs to nobody, with a port that is open."""
    api = cluster.get("deployment", API)["spec"]["template"]["spec"]
    container = {
        "name": "stranger",
        "image": api["containers"][0]["image"],
        "command": ["python", "-m", "http.server", str(PORT)],
        "securityContext": api["containers"][0]["securityContext"],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    spec = {
        "containers": [container],
        "securityContext": api["securityContext"],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


@pytest.fixture(scope="module")
def strangers(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Two pods; nobody may reach the second."""
    names = (f"stranger-{uuid.uuid4().hex[:6]}", f"isolated-{uuid.uuid4().hex[:6]}")
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": names[1]},
        "spec": {"podSelector": {"matchLabels": {"app": names[1]}}, "policyTypes": ["Ingress"]},
    }
    cluster.apply(policy, *(manifest(cluster, name) for name in names))
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=60s", *(f"pod/{name}" for name in names))
    yield names
    cluster.kubectl("delete", f"networkpolicy/{names[1]}", *(f"pod/{name}" for name in names))


@pytest.fixture(scope="module")
def stranger(cluster: Cluster, strangers: tuple[str, str]) -> str:
    """Skips where policies are made but not enforced."""
    address = cluster.get("pod", strangers[1])["status"]["podIP"]
    if not is_kept_from(cluster, strangers[0], address, PORT):
        pytest.skip("this cluster does not enforce NetworkPolicies")
    return strangers[0]


def test_a_stranger_reaches_the_api_alone(cluster: Cluster, mill: Mill, stranger: str) -> None:
    assert reaches(cluster, stranger, API, 80)
    assert not reaches(cluster, stranger, RABBITMQ, 5672)
    assert not reaches(cluster, stranger, COUCHDB, 5984)
    assert not reaches(cluster, stranger, "mill-imagemill-operator", 8080)


def test_programs_reach_what_they_need_and_nothing_else(cluster: Cluster, mill: Mill, stranger: str) -> None:
    worker = cluster.running("worker-default")[0]
    assert reaches(cluster, worker, RABBITMQ, 5672)
    assert reaches(cluster, worker, COUCHDB, 5984)
    assert not reaches(cluster, worker, API, 80)
    assert not reaches(cluster, worker, f"{RABBITMQ}-nodes", 25672)
    assert not reaches(cluster, worker, cluster.get("pod", stranger)["status"]["podIP"], PORT)


def test_the_operator_may_mark_pods_and_change_nothing_else_of_them(cluster: Cluster, mill: Mill) -> None:
    pod = cluster.all("pods", "app.kubernetes.io/component=writer")[0]["metadata"]["name"]
    account = f"system:serviceaccount:{cluster.namespace}:mill-imagemill-operator"

    def patch(change: Resource) -> str:
        return cluster.kubectl(
            "patch", "pod", pod, "--as", account, "--type", "strategic", "--patch", json.dumps(change)
        )

    assert "patched" in patch({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}})
    image = {"spec": {"containers": [{"name": "writer", "image": "evil.example/image"}]}}
    for change in (image, {"metadata": {"labels": {"app": "x"}}}, {"metadata": {"annotations": {"other": "x"}}}):
        with pytest.raises(CommandFailed, match="perator may"):
            patch(change)
