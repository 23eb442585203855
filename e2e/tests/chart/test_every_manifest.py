"""What holds for every manifest under all kinds of values."""

import kubernetes_validate
import pytest

from imagemill_e2e.cases import CASES, OPERATOR_CASES, rendered
from imagemill_e2e.chart import CHART, NAMESPACE, chart, containers, of_kind, pods, render

VERSIONS = ("1.32", "1.34", "1.36")
CUSTOM = {"WorkerPool", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
LABELS = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
TOKENS = {
    "Deployment mill-imagemill-operator",
    "Deployment mill-workerpool-operator",
    "Deployment mill-workerpool-operator-jobs",
}

every_case = pytest.mark.parametrize("case", [*CASES, *OPERATOR_CASES])


@every_case
@pytest.mark.parametrize("version", VERSIONS)
def test_is_valid_in_kubernetes(case: str, version: str) -> None:
    for manifest in rendered(case):
        if manifest["kind"] not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)


@every_case
def test_nothing_is_there_twice(case: str) -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered(case)]
    assert len(names) == len(set(names))


@every_case
def test_carries_the_common_labels(case: str) -> None:
    for manifest in rendered(case):
        assert set(manifest["metadata"]["labels"]) >= LABELS, manifest["metadata"]["name"]


@every_case
def test_pods_pass_pod_security_restricted(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert all("hostPath" not in volume for volume in spec.get("volumes", [])), name
        for container in containers(spec):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, (name, container["name"])


@every_case
def test_pods_are_nobody_special_and_share_nothing(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        assert spec["securityContext"]["runAsGroup"] > 0, name
        assert spec["serviceAccountName"].startswith(("mill-imagemill", "mill-workerpool-operator")), name
        assert spec["enableServiceLinks"] is False, name
        assert not spec.get("shareProcessNamespace"), name
        assert not {"sysctls", "supplementalGroups"} & set(spec["securityContext"]), name
        for container in containers(spec):
            assert not any("hostPort" in port for port in container.get("ports", [])), (name, container["name"])


@every_case
def test_volumes_are_of_kinds_that_lead_nowhere(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        for volume in spec.get("volumes", []):
            assert set(volume) - {"name"} <= VOLUMES, (name, volume["name"])


@every_case
def test_images_are_of_a_version(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        for container in containers(spec):
            repository, _, version = container["image"].rpartition(":")
            assert repository, (name, container["image"])
            assert version not in ("", "latest"), (name, container["image"])


@every_case
def test_pods_have_no_token_but_the_operator(case: str) -> None:
    assert {name for name, _, spec in pods(rendered(case)) if spec["automountServiceAccountToken"]} <= TOKENS


@every_case
def test_containers_have_requests_and_limits(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        for container in containers(spec):
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) >= {"cpu", "memory"}, (name, container["name"], kind)


@every_case
def test_lasting_containers_have_all_probes(case: str) -> None:
    for name, _, spec in pods(of_kind(rendered(case), "Deployment", "StatefulSet")):
        for container in spec["containers"]:
            assert set(container) >= {"startupProbe", "livenessProbe", "readinessProbe"}, name


@every_case
def test_scratch_space_has_a_bound(case: str) -> None:
    for name, _, spec in pods(rendered(case)):
        for volume in spec.get("volumes", []):
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], (name, volume["name"])


@every_case
def test_services_and_budgets_select_pods_which_exist(case: str) -> None:
    manifests = rendered(case)
    labels = [metadata["labels"] for _, metadata, _ in pods(manifests)]
    for manifest in of_kind(manifests, "Service", "PodDisruptionBudget"):
        selector = manifest["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= pod.items() for pod in labels), manifest["metadata"]["name"]


@every_case
def test_namespaced_rights_without_wildcards(case: str) -> None:
    manifests = rendered(case)
    assert not of_kind(manifests, "ClusterRole", "ClusterRoleBinding")
    for role in of_kind(manifests, "Role"):
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_the_crd_is_the_operators() -> None:
    operators = CHART.parents[1] / "operator" / "crds" / "workerpools.yaml"
    assert [crd["data"] for crd in chart().crds] == [operators.read_text("utf-8")]


def test_the_namespace_is_left_to_helm() -> None:
    for manifest in render():
        assert manifest["metadata"].get("namespace", NAMESPACE) == NAMESPACE
