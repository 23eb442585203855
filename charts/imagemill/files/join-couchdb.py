"""Joins CouchDB's nodes to one cluster, or waits until they are (--wait). Running it again does no harm."""

import os
import sys
import time

import requests

TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 1500
PAUSE_SECONDS = 2


class NotYet(Exception):
    """Try again: a node is still starting."""


class Node:
    """CouchDB's interface on one node."""

    def __init__(self, host: str, session: requests.Session) -> None:
        self.host, self._session = host, session
        scheme, port = ("https", "6984") if session.verify is not True else ("http", "5984")
        self._url = f"{scheme}://{host}:{os.environ.get('COUCHDB_PORT', port)}"

    def get(self, path: str) -> dict:
        """An answer; raises NotYet when there is none that is good."""
        return self._json("GET", path, None, (200,))

    def post(self, path: str, body: dict, good: tuple[int, ...]) -> dict:
        """Likewise."""
        return self._json("POST", path, body, good)

    def _json(self, method: str, path: str, body: dict | None, good: tuple[int, ...]) -> dict:
        try:
            answer = self._session.request(method, self._url + path, json=body, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise NotYet(f"{self.host} does not answer: {type(error).__name__}") from error
        if answer.status_code not in good:
            raise NotYet(f"{self.host} answered {answer.status_code} to {method} {path}: {answer.text[:200]}")
        return answer.json()


def members(node: Node) -> set[str]:
    """Hosts of the cluster which this node belongs to."""
    return {name.partition("@")[2] for name in node.get("/_membership")["cluster_nodes"]}


def finished(node: Node) -> bool:
    """Was the cluster's setup concluded?"""
    return node.get("/_cluster_setup").get("state") in ("cluster_finished", "single_node_enabled")


def joined(nodes: list[Node]) -> bool:
    """Are all nodes in one cluster whose setup is concluded?"""
    wanted = {node.host for node in nodes}
    return all(members(node) >= wanted for node in nodes) and finished(nodes[0])


def join(nodes: list[Node], user: str, password: str) -> None:
    """Adds to the first node's cluster who is missing, then concludes. Raises NotYet."""
    for node in nodes:
        node.get("/_up")
    first = nodes[0]
    there = members(first)
    for node in nodes[1:]:
        if node.host not in there:
            add = {"action": "add_node", "host": node.host, "port": 5984, "username": user, "password": password}
            first.post("/_cluster_setup", add, good=(200, 201, 409))
            print(f"added {node.host}", flush=True)
    if not finished(first):
        first.post("/_cluster_setup", {"action": "finish_cluster"}, good=(200, 201))
    if not joined(nodes):
        raise NotYet("the nodes do not all see each other yet")


def check(nodes: list[Node]) -> None:
    """Raises NotYet unless the nodes are joined."""
    if not joined(nodes):
        raise NotYet("the nodes are not joined yet")


def main(arguments: list[str]) -> int:
    """Tries until it succeeds or patience ends."""
    user, password = os.environ["COUCHDB_USER"], os.environ["COUCHDB_PASSWORD"]
    session = requests.Session()
    session.trust_env, session.auth = False, (user, password)
    session.verify = os.environ.get("COUCHDB_CA_FILE", True)
    nodes = [Node(host, session) for host in os.environ["COUCHDB_NODES"].split(",")]
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            check(nodes) if arguments == ["--wait"] else join(nodes, user, password)
            print(f"{len(nodes)} nodes are joined", flush=True)
            return 0
        except NotYet as reason:
            print(f"waiting: {reason}", flush=True)
            if time.monotonic() > until:
                return 1
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
