"""compose.yaml keeps its promises: no password in it, nothing reachable but the page, nothing writable but volumes."""

import configparser
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagemill.store.rights import PROGRAMS
from imagemill.wire.rights import BROKER_RIGHTS, BrokerRights

ROOT = Path(__file__).parents[2]
FILE = ROOT / "compose.yaml"
PASSWORDS = {
    f"{name.upper()}_PASSWORD": f"only-for-this-test-{name}" for name in ("rabbitmq", "couchdb", *PROGRAMS)
} | {"ADMIN_TOKEN": "a-token-that-is-only-for-this-test"}
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "imagemill:dev"}

# Cameras, webhooks and whoever uses the page are elsewhere.
REACH_OUT = {"api", "camera", "alerter"}

every_service = pytest.mark.parametrize("name", SERVICES)
every_program = pytest.mark.parametrize("name", OURS)


def test_all_programs_and_servers_are_there() -> None:
    assert set(SERVICES) == {
        "api", "worker", "worker-heavy", "writer", "journal", "camera", "analyzer", "alerter", "rabbitmq", "couchdb",
    }  # fmt: skip


@every_program
def test_our_programs_exist_and_come_from_one_image(name: str) -> None:
    python, dash_m, module = OURS[name]["command"]
    assert (python, dash_m) == ("python", "-m")
    assert (ROOT / "services" / "src" / Path(*module.split(".")) / "__main__.py").is_file()
    assert (ROOT / OURS[name]["build"]["dockerfile"]).is_file()


def test_no_password_is_in_the_file() -> None:
    text = FILE.read_text("utf-8")
    used = re.findall(r"\$\{(\w*PASSWORD|ADMIN_TOKEN)([^}]*)\}", text)
    assert {variable for variable, _ in used} == set(PASSWORDS)
    # No default: Compose stops and says what to do.
    assert all(rest.startswith(":?") or not rest for _, rest in used)
    assert {variable for variable, rest in used if rest} == set(PASSWORDS)
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            assert "PASS" not in key or value.startswith(("${", '{"api": "${'))
            assert not re.search(r"://[^:/]+:(?!\$\{)[^/@]*@", str(value))


@every_program
def test_every_program_has_a_user_of_its_own_at_both_servers(name: str) -> None:
    program, environment = name.removesuffix("-heavy"), OURS[name]["environment"]
    for variable, user in (("AMQP_URL", program), ("COUCHDB_URL", f"imagemill-{program}")):
        assert environment[variable].partition("://")[2].startswith(f"{user}:${{{program.upper()}_PASSWORD")
    prepares = program == "writer"
    assert environment["IMAGEMILL_PREPARE"] == str(prepares).lower()
    assert ("COUCHDB_ADMIN_URL" in environment) == prepares
    assert "RABBITMQ_PASSWORD" not in str(environment)


def test_users_of_the_database_are_all_programs() -> None:
    passwords = json.loads(OURS["writer"]["environment"]["IMAGEMILL_COUCHDB_PASSWORDS"])
    assert passwords == {program: f"${{{program.upper()}_PASSWORD}}" for program in PROGRAMS}


def test_users_of_the_broker_may_do_what_their_programs_need() -> None:
    definitions = json.loads(_mounted("rabbitmq", "/start/definitions.json"))
    passwords = {"imagemill": "RABBITMQ_PASSWORD", **{name: f"{name.upper()}_PASSWORD" for name in PROGRAMS}}
    assert {user["name"]: user["password"] for user in definitions["users"]} == {
        name: f"@{variable}@" for name, variable in passwords.items()
    }
    assert set(passwords.values()) < set(SERVICES["rabbitmq"]["environment"])
    assert [user["name"] for user in definitions["users"] if user["tags"]] == ["imagemill"]
    found = {
        entry["user"]: BrokerRights(entry["configure"], entry["write"], entry["read"])
        for entry in definitions["permissions"]
    }
    assert found == {"imagemill": BrokerRights(".*", ".*", ".*"), **BROKER_RIGHTS}


def test_passwords_come_into_the_definitions_before_the_broker_starts(tmp_path: Path) -> None:
    script = _mounted("rabbitmq", "/start/start-rabbitmq.sh")
    places = {"/tmp/": f"{tmp_path}/", "/start/": f"{ROOT}/images/compose/", "docker-entrypoint.sh": "env"}
    for there, here in places.items():
        script = script.replace(there, here)
    passwords = {name: f'{value}&\\1"' for name, value in PASSWORDS.items()}
    started = subprocess.run(
        ["bash", "-c", script], env={"PATH": os.environ["PATH"], **passwords}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    definitions = json.loads((tmp_path / "definitions.json").read_text())
    assert {user["password"] for user in definitions["users"]} <= set(passwords.values())
    assert "PASSWORD" not in started.stdout
    assert (tmp_path / "definitions.json").stat().st_mode & 0o077 == 0


def test_env_files_and_what_the_programs_are_configured_with_are_never_committed() -> None:
    assert {".env", "/config/"} <= set((ROOT / ".gitignore").read_text("utf-8").splitlines())


@every_service
def test_services_are_held_tight(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    assert {"mem_limit", "pids_limit", "logging", "healthcheck"} <= set(service)


@every_service
def test_only_the_api_can_be_reached_and_only_from_this_machine(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert ports == (["127.0.0.1:${IMAGEMILL_PORT:-8080}:8080"] if name == "api" else [])
    assert SERVICES[name]["networks"] == (["inside", "outside"] if name in REACH_OUT else ["inside"])


def test_who_reads_cameras_or_tells_people_has_the_folder_of_the_settings() -> None:
    folder = {name for name, service in SERVICES.items() if any("/config:ro" in v for v in service.get("volumes", []))}
    assert folder == REACH_OUT
    for name in folder:
        files = [SERVICES[name]["environment"][f"IMAGEMILL_{of}_FILE"] for of in ("CAMERA_CREDENTIALS", "CHANNELS")]
        assert all(file.startswith("/config/") for file in files)


@every_program
def test_programs_wait_for_healthy_servers(name: str) -> None:
    wanted = {"condition": "service_healthy"}
    assert OURS[name]["depends_on"] == {"rabbitmq": wanted, "couchdb": wanted}


@every_program
def test_health_checks_ask_the_port_that_is_set(name: str) -> None:
    asked = re.search(r"127\.0\.0\.1:(\d+)/readyz", OURS[name]["healthcheck"]["test"][-1])
    assert asked is not None
    assert asked[1] == OURS[name]["environment"]["IMAGEMILL_HEALTH_PORT"]


def test_every_pool_of_the_routing_rules_has_a_worker() -> None:
    from imagemill.settings import Settings

    served = {s["environment"]["IMAGEMILL_POOL"] for s in OURS.values() if "IMAGEMILL_POOL" in s["environment"]}
    assert served == set(Settings.model_fields["pools"].default)


def test_the_servers_data_outlives_their_containers() -> None:
    assert "rabbitmq:/var/lib/rabbitmq" in SERVICES["rabbitmq"]["volumes"]
    assert "couchdb:/opt/couchdb/data" in SERVICES["couchdb"]["volumes"]


def _mounted(service: str, target: str) -> str:
    (source,) = [v.split(":")[0] for v in SERVICES[service]["volumes"] if v.split(":")[1].startswith(target)]
    return (ROOT / source).read_text("utf-8")


def test_couchdb_takes_pictures_in_large_pieces() -> None:
    ini = configparser.ConfigParser()
    ini.read_string(_mounted("couchdb", "/opt/couchdb/etc/default.d"))
    assert ini["couchdb"]["attachment_stream_buffer_size"] == "1048576"
    assert ini["couchdb"]["single_node"] == "true"


def test_programs_find_the_databases_of_the_months_and_strangers_none() -> None:
    ini = configparser.ConfigParser()
    ini.read_string(_mounted("couchdb", "/opt/couchdb/etc/default.d"))
    assert ini["chttpd"]["admin_only_all_dbs"] == "false"
    assert ini["chttpd"]["require_valid_user_except_for_up"] == "true"


def test_couchdb_does_not_spin() -> None:
    assert "+sbwt none" in SERVICES["couchdb"]["environment"]["ERL_FLAGS"]


def test_rabbitmq_has_the_plugins_that_the_programs_need() -> None:
    plugins = _mounted("rabbitmq", "/etc/rabbitmq/enabled_plugins")
    assert "load_definitions = /tmp/definitions.json" in _mounted("rabbitmq", "/etc/rabbitmq/conf.d")
    assert plugins.strip().endswith("].")
    assert {"rabbitmq_consistent_hash_exchange", "rabbitmq_prometheus"} <= set(re.findall(r"\w+", plugins))


# --- with Docker Compose --------------------------------------------------------------------------


def _compose() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            found = subprocess.run([*command, "version"], capture_output=True, text=True, timeout=120, check=False)
            if found.returncode == 0:
                return command
    return None


COMPOSE = _compose()
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="neither `docker compose` nor `docker-compose` is here")


def _config(folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Without an .env file that may lie in the checkout."""
    (folder / "none.env").touch()
    command = [*(COMPOSE or []), "--file", str(FILE), "--env-file", str(folder / "none.env"), "config"]
    ours = ("COMPOSE_", "RABBITMQ_", "COUCHDB_", "IMAGEMILL_", "PYTHON_IMAGE")
    usual = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        command, env=usual | environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


@needs_compose
def test_compose_accepts_the_file(tmp_path: Path) -> None:
    checked = _config(tmp_path, PASSWORDS)
    assert checked.returncode == 0, checked.stderr
    assert set(yaml.safe_load(checked.stdout)["services"]) == set(SERVICES)


@needs_compose
def test_compose_says_what_to_do_when_the_passwords_are_missing(tmp_path: Path) -> None:
    checked = _config(tmp_path, {})
    assert checked.returncode != 0
    assert "make an .env file first" in checked.stderr
