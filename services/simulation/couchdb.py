"""A model of CouchDB 3, one node or three, by the rules of its source (fabric_doc_update, fabric_doc_open).

A write goes to the nodes one after the other, in any order, between those of others. It is done when a majority took
it, `accepted` when fewer did, and a conflict when all that answered say so. Reading one document asks two nodes and
takes the newest revision that one of them has; ranges and lists come from one node, whatever the others know.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations

from imagemill.store.couch import Document
from simulation.scheduler import FOREVER, Process, Scheduler

Versions = dict[str, Document]
OK, ACCEPTED, CONFLICT, NOBODY = "ok", "accepted", "conflict", "nobody"


class NobodyAnswers(Exception):
    """All nodes are down."""


@dataclass(eq=False)
class Node:
    """One node: of each database the versions (leaves) of each document, and the order in which they changed."""

    number: int
    down_until: float = 0.0
    is_filled: bool = False
    data: dict[str, dict[str, Versions]] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)

    def database(self, name: str) -> dict[str, Versions]:
        return self.data.setdefault(name, {})

    def edit(self, name: str, document: Document) -> str:
        """An interactive edit: `ok` or `conflict`."""
        versions = self.database(name).setdefault(document["_id"], {})
        parent = document.get("_rev")
        if parent is None and any(not leaf.get("_deleted") for leaf in versions.values()):
            return CONFLICT
        if parent is not None and parent not in versions:
            return CONFLICT
        parent = parent or winning(versions)
        revision = revision_of(document, parent)
        versions.pop(parent or "", None)
        self._take(name, {**document, "_rev": revision, "_before": _history(document, parent)})
        return OK

    def replicate(self, name: str, document: Document) -> None:
        """A revision that another node has."""
        versions = self.database(name).setdefault(document["_id"], {})
        if document["_rev"] in versions or any(document["_rev"] in leaf["_before"] for leaf in versions.values()):
            return
        for before in document["_before"]:
            versions.pop(before, None)
        self._take(name, document)

    def _take(self, name: str, document: Document) -> None:
        self.database(name)[document["_id"]][document["_rev"]] = document
        self.changed.setdefault(name, []).append(document["_id"])


def revision_of(document: Document, parent: str | None) -> str:
    """Of the same content after the same revision it is the same, on any node."""
    content = repr((parent, [(key, value) for key, value in document.items() if key != "_rev"]))
    return f"{int((parent or '0').split('-')[0]) + 1}-{zlib.crc32(content.encode()):08x}"


def _history(document: Document, parent: str | None) -> tuple[str, ...]:
    return (*document.get("_before", ()), *([parent] if parent else []))


def winning(versions: Versions) -> str | None:
    """The revision that CouchDB shows: not deleted, then the longest, then by its hash."""
    return max(
        versions, default=None,
        key=lambda rev: (not versions[rev].get("_deleted"), int(rev.split("-")[0]), rev),
    )  # fmt: skip


class CouchModel:
    """The server or cluster."""

    def __init__(self, scheduler: Scheduler, nodes: int) -> None:
        self.scheduler, self.nodes = scheduler, [Node(number) for number in range(nodes)]
        self.majority = nodes // 2 + 1
        self._orders = list(permutations(self.nodes))
        self._itself = Process("couchdb")

    def up(self) -> list[Node]:
        """Nodes that answer now."""
        return [node for node in self.nodes if node.down_until <= self.scheduler.now]

    def write(self, name: str, document: Document) -> str:
        """One document to all nodes; `ok`, `accepted`, `conflict`, or `nobody`.

        On a cluster it goes on also when the program that asked for it is killed meanwhile.
        """
        if len(self.nodes) == 1:
            return self._write(name, document)
        answers: list[str] = []

        def carry_out() -> None:
            answers.append(self._write(name, document))
            self.scheduler.ring()

        self.scheduler.spawn(self._itself, carry_out)
        self.scheduler.pause(FOREVER, until=lambda: answers)
        return answers[0]

    def _write(self, name: str, document: Document) -> str:
        waiting, replies = self._in_some_order(), list[str]()
        while waiting:
            if len(self.nodes) > 1:
                self.scheduler.pause()
            node = waiting.pop(0)
            if node.down_until > self.scheduler.now:
                continue
            replies.append(node.edit(name, document))
            if replies.count(OK) >= self.majority:
                if waiting or len(replies) < len(self.nodes) or CONFLICT in replies:
                    self._later(partial(self._finish, name, document, tuple(waiting)))
                return OK
        if replies != [CONFLICT] * len(self.nodes):
            self._later(partial(self._converge, name, str(document["_id"])))
        if OK in replies:
            return ACCEPTED
        return CONFLICT if replies else NOBODY

    def _finish(self, name: str, document: Document, left: Iterable[Node]) -> None:
        answers = [node.edit(name, document) for node in left if node.down_until <= self.scheduler.now]
        if answers != [OK] * (len(self.nodes) - self.majority):
            self._converge(name, str(document["_id"]))

    def _converge(self, name: str, doc_id: str) -> None:
        """Internal replication: in the end every node has every version."""
        if len(self.nodes) == 1:
            return
        while len(self.up()) < len(self.nodes):
            self.scheduler.pause(10)
        leaves = [leaf for node in self.nodes for leaf in node.database(name).get(doc_id, {}).values()]
        for node in self.nodes:
            for leaf in leaves:
                node.replicate(name, leaf)

    def _later(self, function: Callable[[], None]) -> None:
        if len(self.nodes) == 1:
            return
        delay = self.scheduler.tape.choose(4)
        if delay:
            self.scheduler.spawn(self._itself, function, (0.0, 0.1, 5.0)[delay - 1])
        elif len(self.up()) == len(self.nodes):  # else it would have to wait
            function()
        else:
            self.scheduler.spawn(self._itself, function)

    def lose_disk(self, node: Node) -> None:
        """A node loses all it has, and is filled by the others before it answers again."""
        node.data, node.changed, node.down_until, node.is_filled = {}, {}, FOREVER, True
        self._later(partial(self._fill, node))

    def _fill(self, node: Node) -> None:
        while len(self.up()) < len(self.nodes) - 1:
            self.scheduler.pause(10)
        for other in self.up():
            for name, documents in other.data.items():
                for leaf in [leaf for versions in documents.values() for leaf in versions.values()]:
                    node.replicate(name, leaf)
        node.down_until, node.is_filled = self.scheduler.now, False

    def _in_some_order(self) -> list[Node]:
        return list(self._orders[self.scheduler.tape.choose(len(self._orders))])

    def read(self, name: str, doc_id: str, conflicts: bool = False) -> Document | None:
        """Ask two nodes; with `conflicts` the other revisions of which they know are named too."""
        merged: Versions = {}
        asked = [node for node in self._in_some_order() if node.down_until <= self.scheduler.now][:2]
        if not asked:
            raise NobodyAnswers
        for node in asked:
            merged |= node.database(name).get(doc_id, {})
        before = {revision for leaf in merged.values() for revision in leaf["_before"]}
        leaves = {rev: leaf for rev, leaf in merged.items() if rev not in before}
        found = shown(leaves)
        others = [rev for rev, leaf in leaves.items() if leaf is not found and not leaf.get("_deleted")]
        return {**found, "_conflicts": others} if found and conflicts and others else found

    def version(self, name: str, doc_id: str, revision: str) -> Document | None:
        """One revision, from whoever has it."""
        found = (node.database(name).get(doc_id, {}).get(revision) for node in self.up())
        return next((leaf for leaf in found if leaf), None)

    def changes(self, name: str, since: str, limit: int) -> Document:
        """From one node; another does not know its sequences and begins anew."""
        node = self.one()
        number, _, place = since.partition(":")
        first = int(place) if place and int(number) == node.number else 0
        page = node.changed.get(name, [])[first : first + limit]
        rows = [
            {"id": doc_id, "changes": [{"rev": rev} for rev in sorted(node.database(name).get(doc_id, {}))]}
            for doc_id in dict.fromkeys(page)
        ]
        return {"results": rows, "last_seq": f"{node.number}:{first + len(page)}"}

    def one(self) -> Node:
        """The node from which a list comes."""
        up = self.up()
        if not up:
            raise NobodyAnswers
        return up[self.scheduler.tape.choose(len(up))]

    def is_whole(self) -> bool:
        """Do all nodes answer?"""
        return len(self.up()) == len(self.nodes)

    def has_majority(self) -> bool:
        """Do enough nodes answer?"""
        return len(self.up()) >= self.majority

    def agrees(self) -> bool:
        """Has every node the same, and one version of everything?"""
        first = self.nodes[0].data
        single = all(
            sum(not leaf.get("_deleted") for leaf in versions.values()) <= 1
            for documents in first.values()
            for versions in documents.values()
        )
        return single and all(node.data == first for node in self.nodes[1:])

    def is_safe(self, name: str, doc_id: str) -> bool:
        """Does a majority of nodes have a document? One that lost its disk counts as it did before."""
        lost = sum(node.is_filled for node in self.nodes)
        return (
            lost + sum(shown(node.database(name).get(doc_id, {})) is not None for node in self.nodes) >= self.majority
        )


def shown(versions: Versions) -> Document | None:
    revision = winning(versions)
    return None if revision is None or versions[revision].get("_deleted") else versions[revision]
