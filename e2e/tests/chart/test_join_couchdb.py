"""The job which joins CouchDB's nodes, against nodes that answer as CouchDB documents it.

There is no CouchDB with several nodes here: this is as far as the joining is tested.
"""

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
import requests

from imagemill_e2e.chart import CHART

HOSTS = ["couchdb-0.example", "couchdb-1.example", "couchdb-2.example"]


class Cluster:
    """What three nodes know of each other, and what was asked of them."""

    def __init__(self) -> None:
        self.members = {host: {host} for host in HOSTS}
        self.finished = False
        self.down: set[str] = set()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def answer(self, method: str, host: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if host in self.down:
            return 500, {"error": "down"}
        if path == "/_up":
            return 200, {"status": "ok"}
        if path == "/_membership":
            nodes = sorted(f"couchdb@{member}" for member in self.members[host])
            return 200, {"all_nodes": nodes, "cluster_nodes": nodes}
        if method == "GET":
            return 200, {"state": "cluster_finished" if self.finished else "cluster_enabled"}
        self.asked.append((host, body))
        return self.set_up(body)

    def set_up(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["action"] == "finish_cluster":
            self.finished = True
        else:
            together = self.members[HOSTS[0]] | {body["host"]}
            self.members.update(dict.fromkeys(together, together))
        return 201, {"ok": True}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[str]:
    """All nodes behind one address: an HTTP proxy tells which host is meant."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"].partition(":")[0]
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            status, answer = cluster.answer(self.command, host, "/" + self.path.rpartition("/")[2], body)
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("join_couchdb", CHART / "files" / "join-couchdb.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def nodes(script: ModuleType, proxy: str) -> Iterator[list[Any]]:
    with requests.Session() as session:
        session.proxies = {"http": proxy}
        session.trust_env = False
        yield [script.Node(host, session) for host in HOSTS]


def actions(cluster: Cluster) -> list[str]:
    return [f"{body['action']} {body.get('host', '')}".strip() for _, body in cluster.asked]


def test_joins_the_others_to_the_first_and_concludes(script: ModuleType, nodes: list[Any], cluster: Cluster) -> None:
    script.join(nodes, "admin", "secret")
    assert actions(cluster) == [f"add_node {HOSTS[1]}", f"add_node {HOSTS[2]}", "finish_cluster"]
    assert {host for host, _ in cluster.asked} == {HOSTS[0]}
    assert script.joined(nodes)


def test_a_second_time_changes_nothing(script: ModuleType, nodes: list[Any], cluster: Cluster) -> None:
    script.join(nodes, "admin", "secret")
    cluster.asked.clear()
    script.join(nodes, "admin", "secret")
    assert cluster.asked == []


def test_goes_on_where_it_was_interrupted(script: ModuleType, nodes: list[Any], cluster: Cluster) -> None:
    cluster.set_up({"action": "add_node", "host": HOSTS[1]})
    script.join(nodes, "admin", "secret")
    assert actions(cluster) == [f"add_node {HOSTS[2]}", "finish_cluster"]


def test_joins_nobody_while_a_node_is_away(script: ModuleType, nodes: list[Any], cluster: Cluster) -> None:
    cluster.down.add(HOSTS[2])
    with pytest.raises(script.NotYet, match=r"couchdb-2\.example answered 500"):
        script.join(nodes, "admin", "secret")
    assert cluster.asked == []


def test_waiting_changes_nothing(script: ModuleType, nodes: list[Any], cluster: Cluster) -> None:
    with pytest.raises(script.NotYet, match="not joined yet"):
        script.check(nodes)
    assert cluster.asked == []
    script.join(nodes, "admin", "secret")
    script.check(nodes)
