"""The operator's own chart: what it installs, where it may act, and how it is upgraded and removed."""

import json
from typing import Any

import pytest
from helm_python import HelmError

from imagemill_e2e.cases import BROKER, OPERATOR_EVERYTHING
from imagemill_e2e.chart import OPERATOR_CHART, Manifest, Values, notes, of_kind, render

NAME = "mill-workerpool-operator"
KEEP = {"helm.sh/resource-policy": "keep"}


def rendered(values: Values | None = None) -> list[Manifest]:
    return render({**BROKER, **(values or {})}, path=OPERATOR_CHART)


def the(kind: str, name: str = NAME, values: Values | None = None) -> Manifest:
    found: list[Manifest] = of_kind(rendered(values), kind)
    (one,) = [item for item in found if item["metadata"]["name"] == name]
    return one


def variables(name: str = NAME, values: Values | None = None) -> dict[str, Any]:
    (container,) = the("Deployment", name, values)["spec"]["template"]["spec"]["containers"]
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}


def scale_rule(values: Values | None = None) -> Manifest:
    rules: list[Manifest] = the("Role", values=values)["rules"]
    (one,) = [rule for rule in rules if rule["resources"] == ["deployments/scale"]]
    return one


def test_the_crd_is_a_template_so_that_an_upgrade_brings_it() -> None:
    assert the("CustomResourceDefinition", "workerpools.imagemill.dev")["spec"]["names"]["kind"] == "WorkerPool"


def test_uninstalling_leaves_the_crd_and_every_pool_unless_told_otherwise() -> None:
    name = "workerpools.imagemill.dev"
    assert the("CustomResourceDefinition", name)["metadata"]["annotations"] == KEEP
    assert "annotations" not in the("CustomResourceDefinition", name, {"crds": {"keep": False}})["metadata"]


def test_the_crd_can_be_left_to_another_release() -> None:
    assert of_kind(rendered({"crds": {"enabled": False}}), "CustomResourceDefinition") == []


def test_a_broker_is_asked_for_with_what_to_do() -> None:
    with pytest.raises(HelmError, match=r"broker\.existingSecret, or an address in broker\.metricsUrl"):
        render({}, path=OPERATOR_CHART)
    with pytest.raises(HelmError, match=r"name it in broker\.existingSecret"):
        render({"broker": {"ca": True, "metricsUrl": "https://rabbit:15691"}}, path=OPERATOR_CHART)


def test_the_secret_may_have_any_of_the_addresses() -> None:
    told = {name: value["secretKeyRef"] for name, value in variables().items() if "URL" in name}
    assert told == {
        "AMQP_URL": {"name": "broker", "key": "amqp-url", "optional": True},
        "IMAGEMILL_BROKER_MANAGEMENT_URL": {"name": "broker", "key": "management-url", "optional": True},
        "IMAGEMILL_BROKER_METRICS_URL": {"name": "broker", "key": "metrics-url", "optional": True},
    }


def test_an_address_in_the_values_goes_before_the_secrets() -> None:
    assert variables(values=OPERATOR_EVERYTHING)["IMAGEMILL_BROKER_METRICS_URL"].startswith("http://rabbit-nodes")


def test_a_password_has_no_place_in_the_values() -> None:
    with pytest.raises(HelmError, match="metricsUrl"):
        render({"broker": {"metricsUrl": "http://user:word@rabbit:15692"}}, path=OPERATOR_CHART)


def test_secrets_of_pools_are_read_by_name_and_never_listed() -> None:
    def secrets(values: Values) -> list[Manifest]:
        return [rule for rule in the("Role", values=values)["rules"] if "secrets" in rule["resources"]]

    assert secrets({}) == []
    assert secrets({"brokerSecrets": ["a", "b"]}) == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]}
    ]
    assert variables(values={"brokerSecrets": ["a", "b"]})["IMAGEMILL_BROKER_SECRETS"] == "a,b"


def test_keda_is_left_alone_unless_its_objects_are_named() -> None:
    def rules(values: Values) -> list[Manifest]:
        return [rule for rule in the("Role", values=values)["rules"] if "keda.sh" in rule["apiGroups"]]

    rule = {"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": ["get", "patch"]}
    assert rules({}) == []
    assert rules({"kedaScaledObjects": ["resize"]}) == [{**rule, "resourceNames": ["resize"]}]
    assert rules({"kedaScaledObjects": ["*"]}) == [rule]


def test_an_operator_whose_pools_all_name_a_broker_needs_none() -> None:
    (deployment,) = of_kind(render({"brokerSecrets": ["a"]}, path=OPERATOR_CHART), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert not {"AMQP_URL", "IMAGEMILL_BROKER_METRICS_URL"} & {item["name"] for item in container["env"]}


def test_every_deployment_of_the_namespace_may_be_scaled_unless_they_are_named() -> None:
    assert "resourceNames" not in scale_rule()
    assert scale_rule({"deployments": ["resize-worker"]})["resourceNames"] == ["resize-worker"]


def test_each_namespace_has_an_operator_with_rights_there_alone() -> None:
    roles = {
        item["metadata"].get("namespace", "mills"): item for item in of_kind(rendered(OPERATOR_EVERYTHING), "Role")
    }
    assert roles.keys() == {"jobs", "mills"}
    for namespace, name in {"jobs": f"{NAME}-jobs", "mills": NAME}.items():
        binding = the("RoleBinding", name, OPERATOR_EVERYTHING)
        assert binding["metadata"].get("namespace", "mills") == namespace
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "mills"}]
        assert the("Deployment", name, OPERATOR_EVERYTHING)["metadata"].get("namespace", "mills") == "mills"
    assert variables(f"{NAME}-jobs", OPERATOR_EVERYTHING)["IMAGEMILL_NAMESPACE"] == "jobs"
    assert "fieldRef" in variables(values=OPERATOR_EVERYTHING)["IMAGEMILL_NAMESPACE"]


def test_long_namespaces_that_begin_alike_have_operators_of_two_names() -> None:
    names = [f"a-long-namespace-of-the-team-{team}" for team in ("one", "two")]
    found = {item["metadata"]["name"] for item in of_kind(rendered({"namespaces": names}), "Deployment")}
    assert len(found) == 2
    assert all(len(name) <= 63 for name in found)


def test_operators_of_two_namespaces_select_their_own_pod() -> None:
    selectors = [item["spec"]["selector"] for item in of_kind(rendered(OPERATOR_EVERYTHING), "Service")]
    assert {item["imagemill.dev/serves"] for item in selectors} == {"jobs", "mills"}


def test_metrics_have_the_namespace_of_the_pools() -> None:
    (endpoint,) = the("ServiceMonitor", values=OPERATOR_EVERYTHING)["spec"]["endpoints"]
    assert endpoint["relabelings"][0]["targetLabel"] == "namespace"
    (group,) = the("PrometheusRule", values=OPERATOR_EVERYTHING)["spec"]["groups"]
    assert all('namespace=~"jobs|mills"' in rule["expr"] for rule in group["rules"])


def test_the_dashboard_draws_what_the_operator_tells_and_nothing_else() -> None:
    data = the("ConfigMap", f"{NAME}-dashboard", OPERATOR_EVERYTHING)["data"]
    panels = json.loads(data["workerpools.json"])["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) >= 6
    assert all("imagemill_pool_" in expression for expression in expressions)


def test_nobody_reaches_it_and_it_reaches_brokers_names_and_the_api() -> None:
    policy = the("NetworkPolicy")["spec"]
    assert "ingress" not in policy
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    names, servers = policy["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert {443, 6443, 5672, 15692} <= {port["port"] for port in servers["ports"]}


def test_the_user_can_be_left_to_the_cluster() -> None:
    security = the("Deployment", values={"runAsUser": None})["spec"]["template"]["spec"]["securityContext"]
    assert security == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_a_single_replica_has_no_budget_that_would_only_block_drains() -> None:
    assert of_kind(rendered(OPERATOR_EVERYTHING), "PodDisruptionBudget") == []


def test_notes_say_what_stays_and_end_in_what_can_be_pasted() -> None:
    text = notes(BROKER, path=OPERATOR_CHART)
    assert "kubectl delete crd workerpools.imagemill.dev" in text
    assert text.rstrip().splitlines()[-1].strip() == "kubectl get workerpools --namespace mills --output wide"
    gone = notes({**BROKER, "crds": {"keep": False}}, path=OPERATOR_CHART)
    assert "so does every WorkerPool of the cluster" in gone


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"namespace": "jobs"}, "additional properties 'namespace' not allowed"),
        ({"crds": {"install": False}}, "'install'"),
        ({"deployments": []}, "/deployments"),
        ({"namespaces": ["Jobs"]}, "/namespaces"),
        ({"broker": {"url": "amqp://rabbit"}}, "'url'"),
        ({"logLevel": "loud"}, "/logLevel"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(HelmError) as refusal:
        rendered(wrong)
    assert told in str(refusal.value)
