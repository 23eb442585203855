"""A broker and a database as a user may have them already: pods which are none of the chart's."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imagemill_e2e.cluster import ROOT, Cluster, Resource

BROKER, DATABASE = "own-broker", "own-database"
VHOST = "pictures"
PROGRAMS = ("api", "worker", "writer", "journal", "camera", "analyzer", "alerter", "operator")
DEFINITIONS = "/config/definitions.json"
CONFIGURATION = {
    "rabbitmq.conf": f"load_definitions = {DEFINITIONS}\n",
    "enabled_plugins": "[rabbitmq_consistent_hash_exchange, rabbitmq_prometheus].\n",
}


def password() -> str:
    """One which needs no escaping in an address."""
    return secrets.token_urlsafe(24)


def secret(name: str, values: dict[str, str]) -> Resource:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def permissions() -> dict[str, tuple[str, str, str]]:
    """What each program may configure, write and read: the table in the chart's README."""
    found = {}
    for line in (ROOT / "charts/imagemill/README.md").read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and cells[1] in PROGRAMS and cells[4].startswith("`^"):
            patterns = [cell.strip("`").replace("\\|", "|") for cell in cells[2:5]]
            whole = patterns[2]
            configure, write = (pattern if pattern.startswith("^") else whole for pattern in patterns[:2])
            found[cells[1]] = (configure, write, whole)
    return found


def definitions(passwords: dict[str, str]) -> Resource:
    """For RabbitMQ: one virtual host, one user for each program."""
    rights = [
        {"user": user, "vhost": VHOST, "configure": configure, "write": write, "read": read}
        for user, (configure, write, read) in permissions().items()
    ]
    users = [
        {"name": user, "password": word, "tags": ["monitoring"] if user == "operator" else []}
        for user, word in passwords.items()
    ]
    return {"vhosts": [{"name": VHOST}], "users": users, "permissions": rights}


@contextmanager
def running(cluster: Cluster, images: dict[str, str]) -> Iterator[None]:
    """The servers, and the Secrets with their addresses; `images` are those of `broker` and `database`."""
    passwords = {program: password() for program in PROGRAMS}
    admin = {"COUCHDB_USER": "owner", "COUCHDB_PASSWORD": password()}
    addresses = {user: f"amqp://{user}:{word}@{BROKER}:5672/{VHOST}" for user, word in passwords.items()}
    database = f"http://{admin['COUCHDB_USER']}:{admin['COUCHDB_PASSWORD']}@{DATABASE}:5984"
    everything = [
        secret("broker-addresses", addresses),
        secret("database-address", {"COUCHDB_URL": database}),
        secret(BROKER, CONFIGURATION | {"definitions.json": json.dumps(definitions(passwords))}),
        secret(DATABASE, admin),
        *server(BROKER, 999, [5672, 15692], "/var/lib/rabbitmq", broker_container(images["broker"])),
        *server(DATABASE, 5984, [5984], "/opt/couchdb/data", _database(images["database"])),
    ]
    cluster.apply(*everything)
    try:
        for name in (BROKER, DATABASE):
            cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=180s")
        yield
    finally:
        cluster.remove(*everything)


def values() -> list[str]:
    """For helm."""
    keys = [f"rabbitmq.external.keys.{program}={program}" for program in PROGRAMS]
    named = [
        "rabbitmq.external.enabled=true", "rabbitmq.external.existingSecret=broker-addresses",
        f"rabbitmq.external.vhost={VHOST}", f"rabbitmq.external.metricsUrl=http://{BROKER}:15692", *keys,
        "couchdb.external.enabled=true", "couchdb.external.existingSecret=database-address",
    ]  # fmt: skip
    return [part for value in named for part in ("--set", value)]


def images(values_of_release: dict[str, Any]) -> dict[str, str]:
    """Those which the chart was given for its own servers."""
    of = {"broker": "rabbitmq", "database": "couchdb"}
    return {name: "{repository}:{tag}".format(**values_of_release[key]["image"]) for name, key in of.items()}


def broker_container(image: str) -> Resource:
    """RabbitMQ with the configuration of its Secret."""
    environment = {
        "RABBITMQ_CONFIG_FILE": "/config/rabbitmq.conf", "RABBITMQ_ENABLED_PLUGINS_FILE": "/config/enabled_plugins",
        "RABBITMQ_LOGS": "-",
    }  # fmt: skip
    return {
        "image": image,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "volumeMounts": [{"name": "secret", "mountPath": "/config", "readOnly": True}],
    }


def _database(image: str) -> Resource:
    return {"image": image, "envFrom": [{"secretRef": {"name": DATABASE}}], "volumeMounts": []}


def server(name: str, user: int, ports: list[int], data: str, container: Resource) -> list[Resource]:
    """A Deployment of one pod, with its files in the Secret of the same name, and a Service."""
    labels = {"app": name}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": user, "fsGroup": user, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            container
            | {
                "name": "server",
                "imagePullPolicy": "IfNotPresent",
                "securityContext": security,
                "readinessProbe": {"tcpSocket": {"port": ports[0]}, "periodSeconds": 2, "failureThreshold": 60},
                "volumeMounts": [*container["volumeMounts"], {"name": "data", "mountPath": data}],
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "secret", "secret": {"secretName": name}}],
    }  # fmt: skip
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    service = {"selector": labels, "ports": [{"name": f"port-{port}", "port": port} for port in ports]}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": service},
    ]
