"""Tokens and sessions. Documents are written once: to revoke a token, or to end a session, is another document.

So no two nodes or programs can ever disagree about them in a way that would let a revoked one in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.domain.access import Token
from imagemill.store.couch import Conflict, Couch, Document

DATABASE = "access"
TOKEN, REVOKED, SESSION, ENDED, SEEN = "token:", "revoked:", "session:", "ended:", "seen:"
_PAGE = 1000


@dataclass(frozen=True)
class SessionRecord:
    """A login: whose, since when (Unix time), by which token (or none, after a single sign-on)."""

    id: str
    name: str
    role: str
    token_id: str | None
    token_hash: str | None
    created: float
    mac: str = ""

    def claims(self) -> str:
        """What `mac` vouches for, together with the cookie."""
        return json.dumps([self.id, self.name, self.role, self.token_id, self.token_hash, f"{self.created:.3f}"])


class AccessStore:
    """The database `access`."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database(DATABASE)

    def prepare(self) -> None:
        """Make it exist."""
        self._database.create()

    def changed(self, since: str) -> tuple[list[Document], str]:
        """Documents that changed after a sequence, removed ones with `_deleted`; and where to go on."""
        found: list[Document] = []
        while True:
            documents, since = self._database.changed(since, _PAGE)
            found += documents
            if len(documents) < _PAGE:
                return found, since

    def documents(self, doc_ids: Iterable[str]) -> list[Document]:
        """Those which are there, each asked of a majority of a cluster's nodes, as it was written to one."""
        found = [self._database.get(doc_id) for doc_id in doc_ids]
        return [document for document in found if document]

    def add_token(self, token: Token) -> Document:
        """Keep a new one; raises Conflict when there is one of its id. As all that write, it returns the document."""
        return self._put({"_id": TOKEN + token.id, **token.model_dump(mode="json")})

    def revoke(self, token_id: str, by: str, at: str) -> Document:
        """End a token for good."""
        return self._put_once({"_id": REVOKED + token_id, "by": by, "at": at})

    def add_session(self, session: SessionRecord) -> Document:
        """Keep a login."""
        return self._put({"_id": SESSION + session.id, **{k: v for k, v in vars(session).items() if k != "id"}})

    def end_session(self, session_id: str, at: float) -> Document:
        """End a login for good."""
        return self._put_once({"_id": ENDED + session_id, "at": at})

    def saw(self, when: Mapping[str, float], known: Mapping[str, Document]) -> None:
        """Note when tokens and sessions were used; of two notes at once one is lost."""
        notes: list[Document] = []
        for what, at in when.items():
            old = known.get(SEEN + what)
            notes.append({"_id": SEEN + what, "at": at, **({"_rev": old["_rev"]} if old else {})})
        self._database.bulk(notes)

    def forget(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Remove documents which mean nothing any more."""
        self._database.bulk([{"_id": old["_id"], "_rev": old["_rev"], "_deleted": True} for old in documents])

    def _put(self, document: Document) -> Document:
        return {**document, "_rev": self._database.put(document)}

    def _put_once(self, document: Document) -> Document:
        try:
            return self._put(document)
        except Conflict:
            return document


def token_of(document: Document) -> Token:
    """Read a token's document."""
    return Token.model_validate(document)


def session_of(document: Document) -> SessionRecord:
    """Read a session's document."""
    members = {name: document.get(name) for name in ("name", "role", "token_id", "token_hash", "created", "mac")}
    return SessionRecord(document["_id"].removeprefix(SESSION), **members)  # type: ignore[arg-type]
