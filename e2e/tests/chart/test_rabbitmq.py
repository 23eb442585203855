"""The broker, on rendered manifests."""

import json
import re
from typing import Any

import pytest

from imagemill_e2e.cases import EXTERNAL
from imagemill_e2e.chart import CHART, Manifest, Values, environment, named, of_kind, render


def configuration(values: Values | None = None) -> dict[str, str]:
    data: dict[str, str] = named(render(values), "ConfigMap", "rabbitmq")["data"]
    return data


def definitions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(configuration()["definitions.json"])
    return found


def stateful_set(values: Values | None = None) -> Manifest:
    return named(render(values), "StatefulSet", "rabbitmq")


def test_three_nodes_which_know_each_other_by_name() -> None:
    text = configuration()["rabbitmq.conf"]
    nodes = re.findall(r"classic_config\.nodes\.\d = (\S+)", text)
    assert nodes == [
        f"rabbit@mill-imagemill-rabbitmq-{ordinal}.mill-imagemill-rabbitmq-nodes.mills.svc" for ordinal in range(3)
    ]
    assert stateful_set()["spec"]["replicas"] == 3
    assert "cluster_partition_handling = pause_minority" in text
    assert "continuous_membership_reconciliation.target_group_size = 3" in text


def test_nodes_start_together_and_find_each_other_before_they_are_ready() -> None:
    assert stateful_set()["spec"]["podManagementPolicy"] == "Parallel"
    headless = named(render(), "Service", "rabbitmq-nodes")["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)


def test_a_node_hands_over_before_it_stops() -> None:
    spec = stateful_set()["spec"]["template"]["spec"]
    assert spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["bash", "/config/stop.sh"]
    script = configuration()["stop.sh"]
    waits = [int(seconds) for seconds in re.findall(r"-t (\d+)", script)]
    assert "await_online_quorum_plus_one" in script
    assert "drain" in script
    assert spec["terminationGracePeriodSeconds"] > sum(waits) + 15


def test_a_single_node_waits_for_no_quorum() -> None:
    container = stateful_set({"rabbitmq": {"replicas": 1}})["spec"]["template"]["spec"]["containers"][0]
    assert environment(container)["NODES"] == "1"
    assert '"$NODES" -gt 1' in configuration()["stop.sh"]


def test_queues_are_quorum_queues_unless_they_say_otherwise() -> None:
    assert definitions()["vhosts"][0]["metadata"]["default_queue_type"] == "quorum"


def test_one_user_for_each_program_and_none_else() -> None:
    users = {user["name"]: user["tags"] for user in definitions()["users"]}
    assert users == {
        "api": [],
        "worker": [],
        "writer": [],
        "journal": [],
        "camera": [],
        "analyzer": [],
        "alerter": [],
        "operator": ["monitoring"],
    }


def test_no_password_stands_in_the_definitions() -> None:
    assert all(user["password"] == f"@{user['name']}@" for user in definitions()["users"])


def allowed(user: str, right: str, name: str) -> bool:
    pattern = next(item[right] for item in definitions()["permissions"] if item["user"] == user)
    return re.search(pattern, name) is not None


@pytest.mark.parametrize(
    ("user", "right", "name", "expected"),
    [
        ("api", "write", "images", True),
        ("api", "write", "results", False),
        ("api", "read", "work.default", False),
        ("api", "configure", "api.mill-imagemill-api-0", True),
        ("api", "configure", "images", False),
        ("worker", "read", "work.default", True),
        ("worker", "read", "results.0", False),
        ("worker", "write", "results.by-job", False),
        ("worker", "write", "images", False),
        ("worker", "write", "results", True),
        ("worker", "configure", "work.default", False),
        ("writer", "configure", "work.default", True),
        ("writer", "read", "results.store", True),
        ("writer", "read", "results.3", True),
        ("writer", "read", "api.mill-imagemill-api-0", False),
        ("journal", "read", "activity.journal", True),
        ("journal", "write", "activity", False),
        ("operator", "write", "images", False),
        ("operator", "configure", "work.default", False),
    ],
)
def test_least_privilege(user: str, right: str, name: str, expected: bool) -> None:
    assert allowed(user, right, name) is expected


def test_a_changed_configuration_restarts_the_nodes() -> None:
    def checksum(values: Values) -> str:
        found: str = stateful_set(values)["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum({}) == checksum({"api": {"replicas": 2}})
    assert checksum({}) != checksum({"rabbitmq": {"extraConfig": "heartbeat = 30"}})


def test_passwords_come_from_the_secret_which_is_named() -> None:
    manifests = render({"rabbitmq": {"existingSecret": "mine"}})
    assert "mill-imagemill-rabbitmq" not in {item["metadata"]["name"] for item in of_kind(manifests, "Secret")}
    volumes = named(manifests, "StatefulSet", "rabbitmq")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "secrets", "secret": {"secretName": "mine"}} in volumes


def test_generated_passwords_are_long_and_differ() -> None:
    data = named(render(), "Secret", "rabbitmq")["data"]
    assert set(data) == {"erlang-cookie", *(user["name"] for user in definitions()["users"])}
    assert len(set(data.values())) == len(data)
    assert min(map(len, data.values())) >= 40


def test_an_external_broker_takes_the_place_of_ours() -> None:
    manifests = render(EXTERNAL)
    assert not any("rabbitmq" in item["metadata"]["name"] for item in manifests)
    container = named(manifests, "Deployment", "writer")["spec"]["template"]["spec"]["containers"][0]
    address = next(item for item in container["env"] if item["name"] == "AMQP_URL")
    assert address["valueFrom"]["secretKeyRef"] == {"name": "broker", "key": "AMQP_URL"}
    operator = named(manifests, "Deployment", "operator")["spec"]["template"]["spec"]["containers"][0]
    assert environment(operator)["IMAGEMILL_BROKER_METRICS_URL"] == "http://broker:15692"


def test_the_readme_tells_the_same_permissions() -> None:
    rows = [line.split(" | ") for line in (CHART / "README.md").read_text("utf-8").splitlines()]
    told = {
        row[0].strip("| "): [cell.strip("` |").replace("\\|", "|") for cell in row[1:]] for row in rows if len(row) == 4
    }
    for item in definitions()["permissions"]:
        if item["user"] != "writer":
            assert told[item["user"]] == [item["configure"], item["write"], item["read"]]
    writer = next(item for item in definitions()["permissions"] if item["user"] == "writer")
    assert {writer["configure"], writer["read"]} == {told["writer"][2]}
    assert told["writer"][1] == "the same"
    assert writer["write"] == told["writer"][2]
