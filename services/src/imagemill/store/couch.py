"""CouchDB through IBM's client, with timeouts everywhere and two kinds of failure: conflict, and not available."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

from ibmcloudant.cloudant_v1 import BulkDocs, CloudantV1, SecurityObject, ViewQuery

from imagemill.store.couch_requests import (
    Conflict,
    Missing,
    NoQuorum,
    NotApplied,
    StoreUnavailable,
    Unsettled,
    Unstorable,
    answer_of,
    body_of,
    call,
    call_if_there,
    successes,
    write,
)
from imagemill.store.couch_service import open_service
from imagemill.store.majority import Majority
from imagemill.store.multipart import related

__all__ = [
    "Conflict", "Couch", "Database", "Document", "Missing", "NoQuorum", "NotApplied", "StoreUnavailable", "Unsettled",
    "Unstorable", "successes",
]  # fmt: skip

# As a part of an address these lead elsewhere.
_PATHS = (".", "..")
_NO_QUORUM = "too few of CouchDB's nodes took it"
_CONFLICT = "conflict"
_LOCAL = "imagemill"


Document = dict[str, Any]
Result = TypeVar("Result")


class Couch:
    """A CouchDB server and the prefix of this installation's databases. Safe to use from many threads."""

    def __init__(
        self, url: str, prefix: str, timeout_seconds: float = 30, connections: int = 8, ca_file: Path | None = None
    ) -> None:
        self._service = open_service(url, timeout_seconds, connections, ca_file)
        self.prefix = prefix

    def database(self, name: str) -> "Database":
        """One of this installation's databases."""
        return Database(self._service, f"{self.prefix}-{name}")

    def ping(self) -> None:
        """Raises StoreUnavailable when the server does not answer."""
        call(self._service.get_server_information)

    def clock_ahead_seconds(self) -> float:
        """How far this machine's clock is ahead of the server's; 0 when the server does not tell its time."""
        began = time.time()
        headers = answer_of(self._service.get_server_information).get_headers()
        ours, theirs = (began + time.time()) / 2, str(headers.get("Date", ""))
        try:
            return ours - parsedate_to_datetime(theirs).timestamp()
        except ValueError:
            return 0.0

    def is_whole(self) -> bool:
        """Do all nodes of the cluster see each other, as far as the one tells that is asked? A lone server is whole."""
        found = call_if_there(self._service.get_membership_information)
        return found is None or set(found["cluster_nodes"]) <= set(found["all_nodes"])

    @property
    def service(self) -> CloudantV1:
        """The client, for what is no document: the server's replicator."""
        return self._service

    def users(self) -> "Database":
        """The database of the server's users."""
        return Database(self._service, "_users")

    def roles(self) -> list[str]:
        """The roles of the user that this asks as; raises StoreUnavailable when the server does not let it in."""
        return list(call(self._service.get_session_information)["userCtx"]["roles"])

    def database_names(self, start: str) -> list[str]:
        """Names, without the prefix, of this installation's databases which begin with `start`."""
        first = f"{self.prefix}-{start}"
        # As JSON: what the client takes for a text CouchDB takes for a value of the query.
        names = call(self._service.get_all_dbs, start_key=json.dumps(first), end_key=json.dumps(first + "\ufff0"))
        return [name.removeprefix(self.prefix + "-") for name in names if name.startswith(first)]


class Database:
    """A database. Documents are dicts with `_id`."""

    def __init__(self, service: CloudantV1, name: str) -> None:
        self._service, self.name = service, name
        self._majority = Majority(self._replicas, self._ask_majority)

    def create(self) -> None:
        """Makes it exist."""
        try:
            call(self._service.put_database, db=self.name)
        except Conflict:
            return

    def delete(self) -> None:
        """Removes it with all that is in it."""
        call(self._service.delete_database, db=self.name)

    def secure(self, security: Mapping[str, Any]) -> None:
        """Sets who may read and write; asks first, as there is mostly nothing to do."""
        if call(self._service.get_security, db=self.name) != security:
            groups = {group: SecurityObject(**security[group]) for group in ("admins", "members")}
            call(self._service.put_security, db=self.name, **groups)

    def exists(self) -> bool:
        """Is it there?"""
        return call_if_there(self._service.get_database_information, db=self.name) is not None

    def document_count(self) -> int:
        """How many documents there are."""
        return int(call(self._service.get_database_information, db=self.name)["doc_count"])

    def has_documents(self) -> bool:
        """Is anything in it but CouchDB's own documents?"""
        return bool(self.ids("", "_", 1) or self.ids("`", "\ufff0", 1))

    def sequence(self) -> str:
        """Changes whenever anything in it does; it may change without that too."""
        return str(call(self._service.get_database_information, db=self.name)["update_seq"])

    def put(self, document: Document) -> str:
        """Writes a document, tells its revision; raises Conflict when another has the id or the revision is old."""
        answer = self._write(self._service.put_document, doc_id=document["_id"], document=document)
        return str(answer["rev"])

    def get(self, doc_id: str, revision: str | None = None) -> Document | None:
        """Read a document, None when there is none; ids that begin with an underscore are CouchDB's own."""
        if doc_id.startswith("_") or doc_id in _PATHS:
            return None  # the client raises for them, and they come from addresses that people write
        extra = {"rev": revision} if revision else {}
        document: Document | None = call_if_there(self._service.get_document, db=self.name, doc_id=doc_id, **extra)
        return document

    def remove(self, doc_id: str, revision: str) -> None:
        """Deletes a revision; raises Conflict when it is not the newest."""
        self._write(self._service.delete_document, doc_id=doc_id, rev=revision)

    def bulk(self, documents: Sequence[Document]) -> list[str | None]:
        """Writes documents; for each its error (`conflict`: already there) or None. Raises NoQuorum."""
        errors = self._bulk(documents)
        again = [document for document, error in zip(documents, errors, strict=True) if error == _CONFLICT]
        if not again or self._majority.is_there():
            return errors
        self._majority.demand()
        repeated = iter(self._bulk(again))
        return [next(repeated) if error == _CONFLICT else error for error in errors]

    def _bulk(self, documents: Sequence[Document]) -> list[str | None]:
        if not documents:
            return []
        rows = call(self._service.post_bulk_docs, db=self.name, bulk_docs=BulkDocs(docs=list(documents)))
        errors = [row.get("error") or (_NO_QUORUM if row.get("accepted") else None) for row in rows]
        if None in errors or _NO_QUORUM in errors:
            self._majority.note(took=_NO_QUORUM not in errors)
        return errors

    def changes(self, since: str, limit: int) -> tuple[list[tuple[str, list[str]]], str]:
        """Documents changed after a sequence, each with the revisions of all its versions; and where to go on."""
        answer = call(self._service.post_changes, db=self.name, since=since, limit=limit, style="all_docs")
        rows = [(str(row["id"]), [str(change["rev"]) for change in row["changes"]]) for row in answer["results"]]
        return rows, str(answer["last_seq"])

    def changed(self, since: str, limit: int) -> tuple[list[Document], str]:
        """Documents changed after a sequence as they are now, removed ones with `_deleted`; and where to go on.

        They come from where the sequence comes from: another node of a cluster may not have them yet.
        """
        answer = call(self._service.post_changes, db=self.name, since=since, limit=limit, include_docs=True)
        return [row["doc"] for row in answer["results"]], str(answer["last_seq"])

    def existing(self, doc_ids: Sequence[str]) -> set[str]:
        """Those of the ids under which there is a document."""
        if not doc_ids:
            return set()
        rows = call(self._service.post_all_docs, db=self.name, keys=list(doc_ids))["rows"]
        return {row["id"] for row in rows if "id" in row and not row.get("value", {}).get("deleted")}

    def all_versions(self, doc_id: str) -> list[Document]:
        """All versions of which a majority knows: more than one while a cluster's nodes did not agree yet."""
        shown = call_if_there(self._service.get_document, db=self.name, doc_id=doc_id, conflicts=True)
        return [shown, *self.versions(doc_id, shown.get("_conflicts", []))] if shown else []

    def is_replicated(self) -> bool:
        """Are there several copies, so that what a node shows may be on that node alone?"""
        return not self._majority.is_alone()

    def versions(self, doc_id: str, revisions: Sequence[str]) -> list[Document]:
        """Those versions of a document which were not removed."""
        leaves = [self.get(doc_id, revision) for revision in revisions]
        return [leaf for leaf in leaves if leaf and not leaf.get("_deleted")]

    def get_many(self, doc_ids: Sequence[str]) -> dict[str, Document]:
        """The documents which exist, by id."""
        if not doc_ids:
            return {}
        answer = call(self._service.post_all_docs, db=self.name, keys=list(doc_ids), include_docs=True)
        return {row["id"]: row["doc"] for row in answer["rows"] if row.get("doc")}

    def ids(self, start: str, end: str, limit: int, descending: bool = False) -> list[str]:
        """Ids from start to end (inclusive)."""
        return [row["id"] for row in self._range(start, end, limit, descending, include_docs=False)]

    def documents(self, start: str, end: str, limit: int, descending: bool = False) -> list[Document]:
        """Documents whose ids go from start to end (inclusive)."""
        return [row["doc"] for row in self._range(start, end, limit, descending, include_docs=True)]

    def view(self, design: str, name: str, **query: Any) -> list[dict[str, Any]]:
        """Rows of a view."""
        answer = call(self._service.post_view, db=self.name, ddoc=design, view=name, **query)
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def view_ranges(self, design: str, name: str, ranges: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """Rows of several ranges of a view, asked for together."""
        if not ranges:
            return []
        queries = [ViewQuery(**one) for one in ranges]
        answer = call(self._service.post_view_queries, db=self.name, ddoc=design, view=name, queries=queries)
        return [result["rows"] for result in answer["results"]]

    def put_attachment(
        self, doc_id: str, name: str, data: bytes, content_type: str, revision: str | None = None
    ) -> None:
        """Writes raw bytes as a document with one attachment; raises Conflict when it is there."""
        extra = {"rev": revision} if revision else {}
        self._write(
            self._service.put_attachment,
            doc_id=doc_id,
            attachment_name=name,
            attachment=data,
            content_type=content_type,
            **extra,
        )

    def put_with_files(self, document: Document, files: Mapping[str, tuple[bytes, str]]) -> str:
        """Writes a document and files (bytes and content type by name) in one request; tells its revision.

        Files which the document's `_attachments` mentions as stubs stay. Raises Conflict as `put` does.
        """
        if not files:
            return self.put(document)
        content_type, body = related(document, files)
        answer = self._write(
            self._service.put_document,
            doc_id=document["_id"],
            document=body,
            content_type=content_type,
        )
        return str(answer["rev"])

    def get_attachment(self, doc_id: str, name: str) -> bytes | None:
        """An attachment's bytes, None when there is none."""
        response = call_if_there(self._service.get_attachment, db=self.name, doc_id=doc_id, attachment_name=name)
        return None if response is None else body_of(response)

    def _write(self, method: Callable[..., Any], **arguments: Any) -> Any:
        return self._majority.write(lambda: write(method, db=self.name, **arguments))

    def _replicas(self) -> int:
        information = call(self._service.get_database_information, db=self.name)
        return int(information.get("cluster", {}).get("n", 1))

    def _ask_majority(self) -> None:
        # A local document: it is not replicated, needs no revision, and leaves nothing behind but itself.
        write(self._service.put_local_document, db=self.name, doc_id=_LOCAL, document={})

    def _range(self, start: str, end: str, limit: int, descending: bool, include_docs: bool) -> list[dict[str, Any]]:
        answer = call(
            self._service.post_all_docs,
            db=self.name,
            start_key=start,
            end_key=end,
            limit=limit,
            descending=descending,
            include_docs=include_docs,
        )
        rows: list[dict[str, Any]] = answer["rows"]
        return rows
