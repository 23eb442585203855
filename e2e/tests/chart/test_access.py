"""Nobody comes in to a cluster without a token, and each token is known to those alone who need it."""

import json
from typing import Any

from imagemill_e2e.chart import containers, named, of_kind, pods, render


def _variables(component: str, manifests: list[dict[str, object]]) -> dict[str, object]:
    container = named(manifests, "Deployment", component)["spec"]["template"]["spec"]["containers"][0]
    return {item["name"]: item.get("valueFrom", {}).get("secretKeyRef", item.get("value")) for item in container["env"]}


def test_the_api_demands_a_login_and_its_tokens_come_from_a_secret() -> None:
    manifests = render()
    found = _variables("api", manifests)
    assert found["IMAGEMILL_LOGIN"] == "true"
    assert found["IMAGEMILL_ADMIN_TOKEN"] == {"name": "mill-imagemill-access", "key": "admin-token"}
    assert found["IMAGEMILL_TOKEN_KEY"] == {"name": "mill-imagemill-access", "key": "token-key"}
    data = named(manifests, "Secret", "access")["data"]
    assert len(set(data.values())) == len(data) == 4
    assert min(map(len, data.values())) >= 64  # 48 letters and digits, in base 64


def test_a_secret_that_is_named_takes_its_place() -> None:
    manifests = render({"auth": {"existingSecret": "mine"}})
    assert "mill-imagemill-access" not in {item["metadata"]["name"] for item in of_kind(manifests, "Secret")}
    assert _variables("api", manifests)["IMAGEMILL_ADMIN_TOKEN"] == {"name": "mine", "key": "admin-token"}


def test_no_program_but_the_api_knows_the_admins_token_and_the_test_has_one_of_its_own() -> None:
    knowing = {
        (name, item["valueFrom"]["secretKeyRef"]["key"])
        for name, _, spec in pods(render())
        for container in containers(spec)
        for item in container.get("env", ())
        if item.get("valueFrom", {}).get("secretKeyRef", {}).get("name") == "mill-imagemill-access"
    }
    assert knowing == {
        ("Deployment mill-imagemill-api", "admin-token"),
        ("Deployment mill-imagemill-api", "uploader-token"),
        ("Deployment mill-imagemill-api", "token-key"),
        ("Deployment mill-imagemill-api", "pools-token"),
        ("Deployment mill-imagemill-operator", "pools-token"),
        ("Pod mill-imagemill-test", "uploader-token"),
    }


def test_pools_are_changed_by_people_only_where_that_is_switched_on() -> None:
    def rights(manifests: list[Any]) -> list[Any]:
        (role,) = [item for item in of_kind(manifests, "Role") if item["metadata"]["name"] == "mill-imagemill-operator"]
        return [rule for rule in role["rules"] if "workerpools" in rule["resources"] and "patch" in rule["verbs"]]

    name = "IMAGEMILL_POOLS_STEER_TOKEN"
    assert rights(render()) == []
    assert name not in _variables("api", render()) | _variables("operator", render())
    manifests = render({"operator": {"steering": {"enabled": True, "maxReplicas": 12}}})
    (right,) = rights(manifests)
    assert sorted(right["resourceNames"]) == ["default", "heavy"]
    assert _variables("api", manifests)[name] == _variables("operator", manifests)[name]
    assert _variables("operator", manifests)["IMAGEMILL_POOLS_MOST_REPLICAS"] == "12"
    without = render({"operator": {"enabled": False, "steering": {"enabled": True}}})
    assert name not in _variables("api", without)


def test_the_api_answers_to_the_names_of_its_service_and_ingress() -> None:
    ingress = {"enabled": True, "host": "mill.example", "tlsSecret": "tls"}
    found = _variables("api", render({"api": {"ingress": ingress}, "auth": {"allowedHosts": ["other.example"]}}))
    hosts = json.loads(str(found["IMAGEMILL_ALLOWED_HOSTS"]))
    assert {"mill-imagemill-api", "mill.example", "other.example"} <= set(hosts)
    assert any(name.endswith(".svc.cluster.local") for name in hosts)
    assert found["IMAGEMILL_PAGE_URL"] == "https://mill.example"


def test_a_proxy_is_believed_only_when_a_secret_is_named() -> None:
    assert "IMAGEMILL_PROXY_SECRET" not in _variables("api", render())
    proxy = {"existingSecret": "front", "roles": {"staff": "viewer"}}
    found = _variables("api", render({"auth": {"proxy": proxy}}))
    assert found["IMAGEMILL_PROXY_SECRET"] == {"name": "front", "key": "proxy-secret"}
    assert json.loads(str(found["IMAGEMILL_PROXY_ROLES"])) == {"staff": "viewer"}


def test_the_operator_may_change_one_annotation_of_pods_where_the_cluster_can_say_so() -> None:
    manifests = render({"operator": {"admissionPolicy": "Always"}})
    (policy,) = of_kind(manifests, "ValidatingAdmissionPolicy")
    (condition,) = policy["spec"]["matchConditions"]
    account = named(manifests, "ServiceAccount", "operator")["metadata"]["name"]
    assert condition["expression"].endswith(f':{account}"')
    (binding,) = of_kind(manifests, "ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert of_kind(render({"operator": {"admissionPolicy": "Never"}}), "ValidatingAdmissionPolicy") == []
