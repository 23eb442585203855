"""TLS between the programs and their servers, on rendered manifests."""

import configparser
from typing import Any

import pytest
from helm_python import HelmError

from imagemill_e2e.cases import EXTERNAL
from imagemill_e2e.chart import Values, containers, environment, named, of_kind, pods, render

SECRET: Values = {"tls": {"enabled": True, "existingSecret": "certificates"}}
ISSUER: Values = {"tls": {"enabled": True, "issuer": {"name": "own-ca", "kind": "ClusterIssuer"}}}
PROGRAMS = ("api", "writer", "worker-default", "journal", "camera", "analyzer", "alerter")
SERVERS = ("rabbitmq", "couchdb")
CA_FILE = "/etc/imagemill-tls/ca.crt"


def _pod(kind: str, name: str, values: Values) -> dict[str, Any]:
    spec: dict[str, Any] = named(render(values), kind, name)["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_speak_tls_with_both_and_know_the_authority_but_no_key(program: str) -> None:
    spec = _pod("Deployment", program, SECRET)
    variables = environment(spec["containers"][0])
    assert variables["AMQP_URL"].startswith("amqps://")
    assert variables["AMQP_URL"].endswith("@mill-imagemill-rabbitmq:5671/imagemill")
    assert variables["COUCHDB_URL"].startswith("https://")
    assert variables["COUCHDB_URL"].endswith("@mill-imagemill-couchdb:6984")
    assert variables["IMAGEMILL_TLS_CA_FILE"] == CA_FILE
    volume = next(item["secret"] for item in spec["volumes"] if item["name"] == "tls-authority")
    assert volume == {"secretName": "certificates", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert "tls-authority" in {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}


def test_the_operator_believes_the_authority_too() -> None:
    spec = _pod("Deployment", "operator", SECRET)
    variables = environment(spec["containers"][0])
    assert variables["AMQP_URL"].startswith("amqps://")
    assert variables["SSL_CERT_FILE"] == CA_FILE


@pytest.mark.parametrize("server", SERVERS)
def test_only_the_servers_have_the_key(server: str) -> None:
    manifests = render(SECRET)
    having = {
        name
        for name, _, spec in pods(manifests)
        for item in spec.get("volumes", [])
        if item.get("secret", {}).get("secretName") == "certificates" and "items" not in item["secret"]
    }
    assert having == {f"StatefulSet mill-imagemill-{name}" for name in SERVERS}
    container = _pod("StatefulSet", server, SECRET)["containers"][0]
    assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in container["volumeMounts"]


def test_the_broker_listens_for_tls_alone() -> None:
    conf = named(render(SECRET), "ConfigMap", "rabbitmq")["data"]["rabbitmq.conf"]
    assert "listeners.tcp = none" in conf
    assert "listeners.ssl.default = 5671" in conf
    ports = {
        item["name"]: item["containerPort"]
        for item in _pod("StatefulSet", "rabbitmq", SECRET)["containers"][0]["ports"]
    }
    assert ports["amqp"] == 5671
    (service,) = [item for item in of_kind(render(SECRET), "Service") if item["metadata"]["name"].endswith("-rabbitmq")]
    assert service["spec"]["ports"][0]["port"] == 5671


def test_the_database_is_asked_by_tls_and_probed_by_it() -> None:
    parser = configparser.ConfigParser()
    parser.read_string(named(render(SECRET), "ConfigMap", "couchdb")["data"]["imagemill.ini"])
    assert dict(parser["ssl"]) == {
        "enable": "true", "port": "6984",
        "cacert_file": "/tls/ca.crt", "cert_file": "/tls/tls.crt", "key_file": "/tls/tls.key",
    }  # fmt: skip
    container = _pod("StatefulSet", "couchdb", SECRET)["containers"][0]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/_up", "port": "http", "scheme": "HTTPS"}
    assert {"name": "http", "containerPort": 6984} in container["ports"]


def test_network_policies_lead_programs_to_the_tls_ports_alone() -> None:
    policy = named(render(SECRET), "NetworkPolicy", "programs")
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert {5671, 6984} <= ports
    assert not {5672, 5984} & ports


def test_nodes_are_joined_by_tls() -> None:
    values: Values = {**SECRET, "couchdb": {"replicas": 3}}
    manifests = render(values, revision=2)
    job = named(manifests, "Job", "couchdb-join-2")["spec"]["template"]["spec"]
    writer = named(manifests, "Deployment", "writer")["spec"]["template"]["spec"]
    for spec, container in ((job, job["containers"][0]), (writer, writer["initContainers"][0])):
        assert environment(container)["COUCHDB_CA_FILE"] == CA_FILE
        assert "tls-authority" in {mount["name"] for mount in container["volumeMounts"]}
        assert "tls-authority" in {volume["name"] for volume in spec["volumes"]}


def test_cert_manager_makes_a_certificate_with_the_names_of_both_servers() -> None:
    (certificate,) = of_kind(render(ISSUER), "Certificate")
    assert certificate["spec"]["issuerRef"] == {"name": "own-ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    names = certificate["spec"]["dnsNames"]
    for server in SERVERS:
        assert {f"mill-imagemill-{server}", f"*.mill-imagemill-{server}-nodes.mills.svc"} <= set(names)
    volume = next(
        item["secret"] for item in _pod("StatefulSet", "rabbitmq", ISSUER)["volumes"] if item["name"] == "tls"
    )
    assert volume["secretName"] == certificate["spec"]["secretName"] == "mill-imagemill-tls"


def test_tls_without_a_certificate_is_one_sentence() -> None:
    with pytest.raises(HelmError, match=r"tls\.existingSecret"):
        render({"tls": {"enabled": True}})


def test_of_servers_of_ones_own_only_the_authority_is_needed() -> None:
    manifests = render({**EXTERNAL, **SECRET})
    container = named(manifests, "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]
    assert environment(container)["IMAGEMILL_TLS_CA_FILE"] == CA_FILE
    assert not of_kind(manifests, "Certificate")


def test_without_tls_nothing_of_it_is_there() -> None:
    manifests = render()
    assert not of_kind(manifests, "Certificate")
    for _, _, spec in pods(manifests):
        assert not [item for item in spec.get("volumes", []) if item["name"].startswith("tls")]
        for container in containers(spec):
            assert "IMAGEMILL_TLS_CA_FILE" not in {item["name"] for item in container.get("env", [])}
