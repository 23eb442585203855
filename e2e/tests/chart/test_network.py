"""Who may talk to whom: the policies, evaluated as a cluster would."""

from collections.abc import Mapping
from typing import Any

import pytest

from imagemill_e2e.cases import EVERYTHING, EXTERNAL, WITHOUT_OPERATOR
from imagemill_e2e.chart import PRODUCTION, Manifest, Values, of_kind, pods, render

PORTS = {"health": 8081, "amqp": 5672, "metrics": 15692}
HTTP_PORTS = {"api": 8080, "operator": 8080, "couchdb": 5984}


def component(labels: Mapping[str, str]) -> str:
    return labels["app.kubernetes.io/component"]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(labels.get(term["key"]) in term["values"] for term in selector.get("matchExpressions", []))


def port_matches(rule: Mapping[str, Any], port: int, labels: Mapping[str, str]) -> bool:
    def one(item: Mapping[str, Any]) -> bool:
        first = item["port"]
        if isinstance(first, str):
            first = HTTP_PORTS[component(labels)] if first == "http" else PORTS[first]
        return bool(first <= port <= item.get("endPort", first))

    return "ports" not in rule or any(one(item) for item in rule["ports"])


def peer_matches(rule: Mapping[str, Any], side: str, labels: Mapping[str, str] | None) -> bool:
    """None stands for a pod of another release in another namespace."""
    if side not in rule:
        return True
    for peer in rule[side]:
        if "namespaceSelector" in peer:
            if not peer["namespaceSelector"]:
                return True
        elif "podSelector" in peer and labels is not None and selects(peer["podSelector"], labels):
            return True
    return False


class Network:
    def __init__(self, values: Values | None = None) -> None:
        manifests = render(values)
        self.policies: list[Manifest] = [item["spec"] for item in of_kind(manifests, "NetworkPolicy")]
        self.labels = {component(metadata["labels"]): metadata["labels"] for _, metadata, _ in pods(manifests)}

    def allowed(self, source: str | None, target: str, port: int) -> bool:
        there = self.labels[target]
        here = self.labels[source] if source else None
        incoming = self._passes("ingress", "from", there, here, port)
        return incoming and (here is None or self._passes("egress", "to", here, there, port))

    def _passes(self, way: str, side: str, own: Mapping[str, str], other: Mapping[str, str] | None, port: int) -> bool:
        target = own if way == "ingress" else (other or {})
        rules = [
            rule
            for policy in self.policies
            if way.capitalize() in policy["policyTypes"] and selects(policy["podSelector"], own)
            for rule in policy.get(way, [])
        ]
        return any(peer_matches(rule, side, other) and port_matches(rule, port, target) for rule in rules)


@pytest.mark.parametrize("source", ["api", "writer", "journal", "worker-default", "worker-heavy"])
def test_programs_reach_broker_and_database(source: str) -> None:
    network = Network()
    assert network.allowed(source, "rabbitmq", 5672)
    assert network.allowed(source, "couchdb", 5984)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("operator", "rabbitmq", 5672),
        ("operator", "rabbitmq", 15692),
        ("operator", "worker-heavy", 8081),
        ("api", "operator", 8080),
        ("test", "api", 8080),
        ("rabbitmq", "rabbitmq", 25672),
        ("rabbitmq", "rabbitmq", 4369),
        ("rabbitmq", "rabbitmq", 35675),
        (None, "api", 8080),
    ],
)
def test_what_is_needed_is_allowed(source: str | None, target: str, port: int) -> None:
    assert Network().allowed(source, target, port)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        (None, "couchdb", 5984),
        (None, "rabbitmq", 5672),
        (None, "rabbitmq", 25672),
        (None, "rabbitmq", 15692),
        (None, "worker-default", 8081),
        (None, "api", 8081),
        ("test", "api", 8081),
        ("worker-default", "api", 8081),
        (None, "operator", 8080),
        ("operator", "couchdb", 5984),
        ("couchdb", "rabbitmq", 5672),
        ("rabbitmq", "couchdb", 5984),
        ("worker-default", "api", 8080),
        ("writer", "operator", 8080),
        ("worker-default", "worker-heavy", 8081),
        ("api", "rabbitmq", 25672),
        ("test", "couchdb", 5984),
    ],
)
def test_everything_else_is_denied(source: str | None, target: str, port: int) -> None:
    assert not Network().allowed(source, target, port)


def test_nodes_of_couchdb_reach_each_other_only_when_there_are_several() -> None:
    assert Network(EVERYTHING).allowed("couchdb", "couchdb", 9100)
    assert Network(EVERYTHING).allowed("couchdb-join", "couchdb", 5984)
    assert not Network().allowed("couchdb", "couchdb", 9100)


def test_prometheus_reads_metrics_where_it_is_asked_to() -> None:
    network = Network({"monitoring": {"podMonitor": {"enabled": True}}})
    assert network.allowed(None, "worker-default", 8081)
    assert network.allowed(None, "api", 8081)
    assert network.allowed(None, "operator", 8080)
    assert not network.allowed(None, "couchdb", 5984)


def test_without_the_operator_nobody_reads_metrics() -> None:
    assert not Network(WITHOUT_OPERATOR).allowed("api", "rabbitmq", 15692)


def test_clients_can_be_limited() -> None:
    network = Network(PRODUCTION)
    assert not network.allowed(None, "api", 8080)
    assert network.allowed("test", "api", 8080)


def test_external_servers_are_reached_by_port() -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(render(EXTERNAL), "NetworkPolicy")}
    ports = [rule["ports"] for rule in policies["mill-imagemill-api"]["egress"] if "to" not in rule]
    assert [item for item in ports[0] if item["port"] == 5672] == [{"port": 5672, "protocol": "TCP"}]
    assert 6984 in [item["port"] for item in ports[1]]


def test_every_pod_is_under_a_policy_that_denies() -> None:
    network = Network()
    for labels in network.labels.values():
        assert any(selects(policy["podSelector"], labels) and "ingress" not in policy for policy in network.policies)


def test_they_can_be_left_out() -> None:
    assert not of_kind(render({"networkPolicy": {"enabled": False}}), "NetworkPolicy")


def test_names_are_looked_up_in_the_clusters_name_servers_alone() -> None:
    def ways_out(values: Values | None = None) -> list[Manifest]:
        policies = of_kind(render(values), "NetworkPolicy")
        rules = [rule for item in policies for rule in item["spec"].get("egress", ())]
        return [rule for rule in rules if {"port": 53, "protocol": "UDP"} in rule.get("ports", ())]

    (found,) = ways_out()
    assert found["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert "to" not in ways_out({"networkPolicy": {"dns": {"servers": []}}})[0]


def test_the_api_reaches_a_provider_of_logins_only_when_there_is_one() -> None:
    def rule_for(values: Values) -> list[Manifest]:
        (policy,) = [i for i in of_kind(render(values), "NetworkPolicy") if i["metadata"]["name"].endswith("-api")]
        return [rule for rule in policy["spec"]["egress"] if "to" not in rule]

    assert rule_for({}) == []
    (rule,) = rule_for({"auth": {"oidc": {"issuer": "https://sso.example"}}})
    assert rule == {"ports": [{"port": 443, "protocol": "TCP"}]}
