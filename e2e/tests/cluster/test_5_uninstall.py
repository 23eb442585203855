"""`helm uninstall`: the last test, for nothing works after it."""

from imagemill_e2e.cluster import RELEASE, Cluster
from imagemill_e2e.waiting import until

KINDS = (
    "deployments,statefulsets,jobs,pods,services,secrets,configmaps,serviceaccounts,roles,rolebindings,networkpolicies,"
    "poddisruptionbudgets,workerpools,leases,persistentvolumeclaims"
)
# Kubernetes itself puts these into every namespace.
EVERYWHERE = {"ConfigMap kube-root-ca.crt", "ServiceAccount default"}
# Those which a user made are the user's.
OWN = {"Secret cameras", "Secret channels"}


def resources(cluster: Cluster) -> set[str]:
    return {f"{item['kind']} {item['metadata']['name']}" for item in cluster.all(KINDS)} - EVERYWHERE


def test_it_leaves_the_volumes_which_the_notes_tell_how_to_remove(cluster: Cluster) -> None:
    notes = cluster.helm("get", "notes", RELEASE)
    cluster.helm("uninstall", RELEASE, "--wait", "--timeout", "5m")
    volumes = {f"PersistentVolumeClaim data-mill-imagemill-rabbitmq-{ordinal}" for ordinal in range(3)}
    volumes.add("PersistentVolumeClaim data-mill-imagemill-couchdb-0")
    until("the pods are gone", lambda: not cluster.all("pods"), 180)
    assert resources(cluster) - volumes - OWN <= {"Lease mill-imagemill-operator"}
    assert volumes | OWN <= resources(cluster)
    command = next(line.split() for line in notes.splitlines() if "kubectl delete pvc" in line)
    cluster.kubectl(*command[1:], "--timeout=120s")
    assert not cluster.all("persistentvolumeclaims")
