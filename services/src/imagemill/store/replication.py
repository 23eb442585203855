"""CouchDB's own replicator: told by documents what to copy, it says how far it has come."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ibmcloudant.cloudant_v1 import CloudantV1

from imagemill.store.couch import Couch, Database, Document
from imagemill.store.couch_requests import Missing, StoreUnavailable, call, call_if_there

_DATABASE = "_replicator"
_DONE = "completed"
_NONE = "none"
_MOST_COPIES = 10_000
_OVER = (_DONE, _NONE, "failed", "error")


@dataclass(frozen=True)
class ReplicaAddress:
    """A CouchDB as another one reaches it: address with user and password, and whose databases there."""

    url: str = field(repr=False)
    prefix: str

    def endpoint(self, name: str) -> dict[str, Any]:
        """One of its databases, as the replicator wants to be told: the password apart from the address."""
        parts = urlsplit(self.url)
        url = f"{self.address}/{quote(f'{self.prefix}-{name}', safe='')}"
        if parts.username is None:
            return {"url": url}
        basic = {"username": unquote(parts.username), "password": unquote(parts.password or "")}
        return {"url": url, "auth": {"basic": basic}}

    @property
    def address(self) -> str:
        """Where it is, without user and password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


@dataclass(frozen=True)
class Progress:
    """How far the copy of one database is. `error` is empty while nothing is wrong; errors in a row make it stop."""

    state: str
    written: int = 0
    pending: int = 0
    errors: int = 0
    error: str = ""

    @property
    def is_over(self) -> bool:
        """Will nothing more happen to it?"""
        return self.state in _OVER

    @property
    def is_done(self) -> bool:
        """Is all there that was there when it ended?"""
        return self.state == _DONE and not self.error


def document_of(source: ReplicaAddress, target: ReplicaAddress, name: str, continuous: bool) -> Document:
    """What the replicator is told. The same copy has the same id, and goes on where it ended."""
    return {
        "_id": document_id(source, target, name),
        "source": source.endpoint(name),
        "target": target.endpoint(name),
        "create_target": True,
        "continuous": continuous,
    }


def document_id(source: ReplicaAddress, target: ReplicaAddress, name: str) -> str:
    """`imagemill-3f2a9c01-ledger`: tells copies to different places apart, and names no password."""
    return f"{group_of(source, target)}-{name}"


def group_of(source: ReplicaAddress, target: ReplicaAddress) -> str:
    """What the ids of all copies from one place to another begin with."""
    places = [source.address, source.prefix, target.address, target.prefix]
    return f"imagemill-{hashlib.sha256(json.dumps(places).encode()).hexdigest()[:8]}"


def progress_of(document: Mapping[str, Any]) -> Progress:
    """What the replicator says of a copy, as `_scheduler/docs` has it."""
    info = document.get("info") or {}
    failed = int(info.get("doc_write_failures") or 0)
    error = str(info.get("error") or "")
    if failed and not error:
        error = f"{failed:,} documents were refused by the target: too large for it, or not allowed"
    return Progress(
        str(document.get("state") or "initializing"), int(info.get("docs_written") or 0),
        int(info.get("changes_pending") or 0), int(document.get("error_count") or 0), error,
    )  # fmt: skip


class Replicator:
    """That of one server, as its administrator."""

    def __init__(self, couch: Couch) -> None:
        self._service: CloudantV1 = couch.service
        self._documents = Database(self._service, _DATABASE)

    def start(self, document: Document) -> None:
        """Begin a copy, in place of an earlier one between the same databases."""
        self._documents.create()
        self.stop(document["_id"])
        self._documents.put(document)

    def stop(self, doc_id: str) -> None:
        """End a copy, and forget its passwords; what was copied stays."""
        there = self._documents.get(doc_id)
        if there is not None:
            self._documents.remove(doc_id, there["_rev"])

    def copies(self, group: str) -> list[str]:
        """The ids of all copies of a group (see `group_of`), also of databases that are gone."""
        self._documents.create()
        return self._documents.ids(f"{group}-", f"{group}-\ufff0", _MOST_COPIES)

    def progress(self, doc_id: str) -> Progress:
        """How far it is. Raises StoreUnavailable, also when this server has no such replicator."""
        found = call_if_there(self._service.get_scheduler_document, doc_id=doc_id)
        if found is None and self._documents.get(doc_id) is None:
            return Progress(_NONE, error="nobody copies it")
        return progress_of(found or {})

    def check(self) -> None:
        """Raises StoreUnavailable when this server cannot tell how far a copy is: CouchDB can, since version 2."""
        try:
            call(self._service.get_scheduler_docs, limit=1)
        except Missing as error:
            raise StoreUnavailable("this server has no replicator that tells its progress; CouchDB has") from error
