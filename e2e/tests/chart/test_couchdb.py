"""The database, on rendered manifests."""

import configparser
import json
from typing import Any

import pytest
from helm_python import HelmError

from imagemill_e2e.cases import EXTERNAL
from imagemill_e2e.chart import Values, environment, named, of_kind, render

THREE: Values = {"couchdb": {"replicas": 3}}


def ini(values: Values | None = None) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(named(render(values), "ConfigMap", "couchdb")["data"]["imagemill.ini"])
    return parser


def test_attachments_are_read_in_large_pieces() -> None:
    assert ini()["couchdb"]["attachment_stream_buffer_size"] == "1048576"


def test_a_single_node_creates_the_system_databases_itself() -> None:
    assert ini()["couchdb"]["single_node"] == "true"
    assert ini()["cluster"]["n"] == "1"


def test_three_nodes_keep_three_copies() -> None:
    assert "single_node" not in ini(THREE)["couchdb"]
    assert ini(THREE)["cluster"]["n"] == "3"


def test_the_official_images_paths_and_variables() -> None:
    spec = named(render(), "StatefulSet", "couchdb")["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsUser"] == 5984
    paths = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert paths >= {"/opt/couchdb/data", "/opt/couchdb/etc/local.d"}
    assert {item["name"] for item in container["env"]} >= {"COUCHDB_USER", "COUCHDB_PASSWORD", "COUCHDB_SECRET"}


def test_a_node_keeps_its_name_when_one_becomes_three() -> None:
    def flags(values: Values | None) -> str:
        spec = named(render(values), "StatefulSet", "couchdb")["spec"]["template"]["spec"]
        return environment(spec["containers"][0])["ERL_FLAGS"]

    assert flags(None) == flags(THREE)
    assert "-name couchdb@$(POD_NAME).mill-imagemill-couchdb-nodes.mills.svc" in flags(None)
    assert "+sbwt none" in flags(None), "idle schedulers spin"


def test_three_nodes_are_joined_by_a_job_for_which_the_writer_waits() -> None:
    manifests = render(THREE, revision=7)
    job = named(manifests, "Job", "couchdb-join-7")["spec"]["template"]["spec"]
    hosts = environment(job["containers"][0])["COUCHDB_NODES"].split(",")
    assert hosts[2] == "mill-imagemill-couchdb-2.mill-imagemill-couchdb-nodes.mills.svc"
    waits = named(manifests, "Deployment", "writer")["spec"]["template"]["spec"]["initContainers"][0]
    assert waits["command"][-1] == "--wait"


def test_one_node_needs_no_job() -> None:
    assert not of_kind(render(), "Job")
    assert "initContainers" not in named(render(), "Deployment", "writer")["spec"]["template"]["spec"]


def test_the_password_comes_from_the_secret_which_is_named() -> None:
    manifests = render({"couchdb": {"existingSecret": "mine"}})
    assert "mill-imagemill-couchdb" not in {item["metadata"]["name"] for item in of_kind(manifests, "Secret")}
    container = named(manifests, "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]
    password = next(item for item in container["env"] if item["name"] == "COUCHDB_PASSWORD")
    assert password["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "password"}


def test_an_external_database_takes_the_place_of_ours() -> None:
    manifests = render(EXTERNAL)
    assert not any("couchdb" in item["metadata"]["name"] for item in manifests)
    container = named(manifests, "Deployment", "api")["spec"]["template"]["spec"]["containers"][0]
    address = next(item for item in container["env"] if item["name"] == "COUCHDB_URL")
    assert address["valueFrom"]["secretKeyRef"] == {"name": "database", "key": "COUCHDB_URL"}


def test_an_external_database_needs_its_secret() -> None:
    with pytest.raises(HelmError, match=r"couchdb\.external\.existingSecret must name the Secret"):
        render({"couchdb": {"external": {"enabled": True}}})


PROGRAMS = ["api", "worker", "writer", "journal", "camera", "analyzer", "alerter"]


def _variables(manifests: list[dict[str, Any]], name: str) -> dict[str, Any]:
    container = named(manifests, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]
    return {item["name"]: item.get("valueFrom", {}).get("secretKeyRef", item.get("value")) for item in container["env"]}


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_has_a_user_of_its_own_and_only_the_writer_is_the_administrator_too(program: str) -> None:
    manifests = render()
    found = _variables(manifests, "worker-default" if program == "worker" else program)
    assert found["COUCHDB_PASSWORD"] == {"name": "mill-imagemill-couchdb-users", "key": program}
    user = f"imagemill-{program}:$(COUCHDB_PASSWORD)"
    assert found["COUCHDB_URL"] == f"http://{user}@mill-imagemill-couchdb:5984"
    administrators = [name for name in found if "ADMIN" in name and name.startswith("COUCHDB")]
    assert bool(administrators) == ("IMAGEMILL_COUCHDB_PASSWORDS" in found) == (program == "writer")


def test_the_writer_makes_the_users_with_the_passwords_of_the_secret() -> None:
    manifests = render()
    found = _variables(manifests, "writer")
    passwords = json.loads(found["IMAGEMILL_COUCHDB_PASSWORDS"])
    assert passwords == {name: f"$(COUCHDB_PASSWORD_{name.upper()})" for name in PROGRAMS}
    assert found["COUCHDB_PASSWORD_API"] == {"name": "mill-imagemill-couchdb-users", "key": "api"}
    assert found["COUCHDB_ADMIN_PASSWORD"] == {"name": "mill-imagemill-couchdb", "key": "password"}
    data = named(manifests, "Secret", "couchdb-users")["data"]
    assert len(set(data.values())) == len(data) == len(PROGRAMS)


def test_who_gives_the_administrators_secret_makes_no_other_by_rendering() -> None:
    manifests = render({"couchdb": {"existingSecret": "mine"}})
    assert "mill-imagemill-couchdb-users" not in {item["metadata"]["name"] for item in of_kind(manifests, "Secret")}
    assert "IMAGEMILL_COUCHDB_PASSWORDS" not in _variables(manifests, "writer")
    both = render({"couchdb": {"existingSecret": "mine", "users": {"existingSecret": "ours"}}})
    assert _variables(both, "api")["COUCHDB_PASSWORD"] == {"name": "ours", "key": "api"}
    assert _variables(both, "writer")["COUCHDB_ADMIN_PASSWORD"] == {"name": "mine", "key": "password"}


def test_users_of_an_external_database_need_its_address() -> None:
    external = {"enabled": True, "existingSecret": "database"}
    users = {"users": {"existingSecret": "ours"}}
    with pytest.raises(HelmError, match=r"couchdb\.external\.address"):
        render({"couchdb": {"external": external, **users}})
    manifests = render({"couchdb": {"external": {**external, "address": "https://db.example:6984"}, **users}})
    assert _variables(manifests, "api")["COUCHDB_URL"] == "https://imagemill-api:$(COUCHDB_PASSWORD)@db.example:6984"
    assert _variables(manifests, "writer")["COUCHDB_ADMIN_URL"] == {"name": "database", "key": "COUCHDB_URL"}


def test_programs_find_the_months_and_nobody_asks_without_a_user() -> None:
    assert ini()["chttpd"]["admin_only_all_dbs"] == "false"
    assert ini()["chttpd"]["require_valid_user_except_for_up"] == "true"
