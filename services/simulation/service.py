"""The model of CouchDB as the client library shows it: our own `Database` runs on top of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import requests
from ibm_cloud_sdk_core import ApiException
from urllib3.exceptions import MaxRetryError, NewConnectionError

from imagemill.store.couch import Database, Document
from imagemill.store.ledger_views import RESULT_OF
from simulation.couchdb import ACCEPTED, CONFLICT, NOBODY, OK, CouchModel, NobodyAnswers, revision_of, shown

Request = Callable[[str, Callable[[], Any]], Any]
_STATUSES = {OK: 201, ACCEPTED: 202}
TIMEOUT_SECONDS = 30.0


class ModelCouch:
    """In the place of `Couch`. `request` carries a request out, or lets something happen to it."""

    def __init__(self, model: CouchModel, request: Request) -> None:
        self._service: Any = ModelService(model, request)

    def database(self, name: str) -> Database:
        return Database(self._service, name)


class ModelService:
    """In the place of `CloudantV1`: the methods that the protocol uses."""

    def __init__(self, model: CouchModel, request: Request) -> None:
        self._model, self._request = model, request

    def _ask(self, what: str, act: Callable[[], Any]) -> SimpleNamespace:
        status, result = 200, None

        def asked() -> Any:
            try:
                return act()
            except NobodyAnswers as error:
                raise ApiException(500, message="no node answers") from error

        answer = self._request(what, asked)
        status, result = answer if isinstance(answer, tuple) else (200, answer)
        return SimpleNamespace(get_result=lambda: result, get_status_code=lambda: status)

    def put_document(self, db: str, doc_id: str, document: Document | bytes, content_type: str = "") -> SimpleNamespace:
        written = _with_files(document, content_type) if isinstance(document, bytes) else document
        return self._ask(f"put {doc_id}", lambda: self._written(db, written))

    def delete_document(self, db: str, doc_id: str, rev: str) -> SimpleNamespace:
        gone = {"_id": doc_id, "_rev": rev, "_deleted": True}
        return self._ask(f"delete {doc_id}", lambda: self._written(db, gone))

    def put_attachment(
        self, db: str, doc_id: str, attachment_name: str, attachment: bytes, content_type: str
    ) -> SimpleNamespace:
        document = {"_id": doc_id, "bytes": attachment}
        return self._ask(f"put bytes {doc_id[:8]}", lambda: self._written(db, document))

    def _written(self, db: str, document: Document) -> tuple[int, Document]:
        answer = self._model.write(db, document)
        if answer == CONFLICT:
            raise ApiException(409, message="conflict")
        if answer == NOBODY:
            raise NobodyAnswers
        return _STATUSES[answer], {"rev": revision_of(document, document.get("_rev"))}

    def put_local_document(self, db: str, doc_id: str, document: Document) -> SimpleNamespace:
        def write() -> tuple[int, Document]:
            if not self._model.up():
                raise NobodyAnswers
            return (201 if self._model.has_majority() else 202), {}

        return self._ask(f"put _local/{doc_id}", write)

    def post_bulk_docs(self, db: str, bulk_docs: Any) -> SimpleNamespace:
        def write() -> list[Document]:
            if not self._model.up():
                raise NobodyAnswers
            answers = [(document["_id"], self._model.write(db, document)) for document in bulk_docs.docs]
            return [_row(doc_id, answer) for doc_id, answer in answers]

        return self._ask("bulk " + ", ".join(document["_id"] for document in bulk_docs.docs), write)

    def get_document(self, db: str, doc_id: str, rev: str | None = None, conflicts: bool = False) -> SimpleNamespace:
        def read() -> Document:
            found = self._model.version(db, doc_id, rev) if rev else self._model.read(db, doc_id, conflicts)
            if found is None:
                raise ApiException(404, message="missing")
            return found

        return self._ask(f"get {doc_id}", read)

    def get_attachment(self, db: str, doc_id: str, attachment_name: str) -> SimpleNamespace:
        def read() -> SimpleNamespace:
            found = self._model.read(db, doc_id)
            if found is None:
                raise ApiException(404, message="missing")
            return SimpleNamespace(content=found["bytes"])

        return self._ask(f"get bytes {doc_id[:8]}", read)

    def get_database_information(self, db: str) -> SimpleNamespace:
        return self._ask("info", lambda: {"cluster": {"n": len(self._model.nodes)}})

    def post_all_docs(
        self, db: str, keys: list[str] | None = None, include_docs: bool = False, start_key: str = "",
        end_key: str = "", limit: int = 0, descending: bool = False,
    ) -> SimpleNamespace:  # fmt: skip
        def read() -> Document:
            documents = self._model.one().database(db)
            if keys is None:
                first, last = (end_key, start_key) if descending else (start_key, end_key)
                between = sorted((doc_id for doc_id in documents if first <= doc_id <= last), reverse=descending)
                wanted = [doc_id for doc_id in between if shown(documents[doc_id])][:limit]
            else:
                wanted = [doc_id for doc_id in keys if doc_id in documents and shown(documents[doc_id])]
            return {"rows": [{"id": doc_id, "doc": shown(documents[doc_id])} for doc_id in wanted]}

        return self._ask(f"read {len(keys)}" if keys is not None else f"list {start_key[:14]}", read)

    def post_view(
        self, db: str, ddoc: str, view: str, reduce: bool, limit: int, start_key: list[str] | None = None,
        end_key: list[str] | None = None, keys: list[str] | None = None, skip: int = 0,
    ) -> SimpleNamespace:  # fmt: skip
        """Of what the eraser asks for: erasures by when they are due, and documents by the bytes they refer to."""

        def read() -> Document:
            documents = [found for found in map(shown, self._model.one().database(db).values()) if found]
            if view == "listing":
                assert end_key is not None
                rows = [(d["due"], d["_id"]) for d in documents if d.get("state") in ("pending", "purging")]
                rows = [row for row in rows if row[0] <= end_key[2]]
            else:
                rows = [(key, d["_id"]) for d in documents for key in _references(d) if key in (keys or ())]
            return {"rows": [{"key": key, "id": doc_id} for key, doc_id in sorted(rows)[skip : skip + limit]]}

        return self._ask(f"view {view}", read)

    def post_changes(self, db: str, since: str, limit: int, style: str) -> SimpleNamespace:
        return self._ask("changes", lambda: self._model.changes(db, since, limit))


def _references(document: Document) -> list[str]:
    """As the view `references` has it."""
    if document.get("type") == "job":
        return [document["original"]["sha256"]]
    if document.get("type") == "result":
        return [RESULT_OF + document["result"]["sha256"], RESULT_OF + document["key"].partition(":")[0]]
    return [document["result"]["sha256"]] if document.get("result") else []


def _with_files(body: bytes, content_type: str) -> Document:
    """A document that came with its files as `multipart/related`; the files stand in it by their names."""
    boundary = content_type.partition('boundary="')[2].rstrip('"')
    parts = [part.partition(b"\r\n\r\n") for part in body.split(f"--{boundary}".encode())[1:-1]]
    files = {head.partition(b'filename="')[2].partition(b'"')[0].decode(): data[:-2] for head, _, data in parts[1:]}
    return {"_id": json.loads(parts[0][2])["_id"], **files}


def _row(doc_id: str, answer: str) -> Document:
    row: Document = {"id": doc_id}
    if answer == ACCEPTED:
        row["accepted"] = True
    elif answer != OK:
        row["error"] = "conflict" if answer == CONFLICT else "internal_server_error"
    return row


def refused() -> Exception:
    """There was no connection."""
    return requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused")))  # type: ignore[arg-type]


def failed() -> Exception:
    """An error of the server's, before anything was done."""
    return ApiException(500, message="an error")


def timed_out() -> Exception:
    """No answer came; it may have been done."""
    return requests.ReadTimeout()
