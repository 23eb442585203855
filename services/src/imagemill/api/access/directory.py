"""Tokens and logins as the database has them, read once. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from imagemill.domain.access import Token
from imagemill.store.access import ENDED, REVOKED, SEEN, SESSION, TOKEN, SessionRecord, session_of, token_of
from imagemill.store.couch import Document

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AccessDirectory:
    """Never changed: a newer one takes its place, so that whoever reads one sees one moment."""

    documents: Mapping[str, Document] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    sessions: Mapping[str, SessionRecord] = field(default_factory=dict)

    def updated(self, changed: Iterable[Document]) -> "AccessDirectory":
        """The directory after these changes; what was removed comes with `_deleted`."""
        documents, tokens, sessions = dict(self.documents), dict(self.tokens), dict(self.sessions)
        for document in changed:
            doc_id = str(document["_id"])
            documents.pop(doc_id, None)
            tokens.pop(doc_id.removeprefix(TOKEN), None)
            sessions.pop(doc_id.removeprefix(SESSION), None)
            if document.get("_deleted"):
                continue
            documents[doc_id] = document
            try:
                if doc_id.startswith(TOKEN):
                    tokens[doc_id.removeprefix(TOKEN)] = token_of(document)
                elif doc_id.startswith(SESSION):
                    sessions[doc_id.removeprefix(SESSION)] = session_of(document)
            except (ValueError, TypeError) as error:
                # One that nobody can read opens nothing, and closes nothing for others.
                log.error("a document about access cannot be read", id=doc_id, error=type(error).__name__)
        return AccessDirectory(documents, tokens, sessions)

    def is_valid(self, token: Token, now: float) -> bool:
        """Neither expired nor revoked."""
        return not token.is_expired(now) and REVOKED + token.id not in self.documents

    def is_ended(self, session_id: str) -> bool:
        """Has somebody ended this login?"""
        return ENDED + session_id in self.documents

    def revocation(self, token_id: str) -> Document | None:
        """By whom (`by`) and when (`at`) a token was revoked."""
        return self.documents.get(REVOKED + token_id)

    def seen_at(self, what: str) -> float:
        """When a token or login was noted to be used; 0 for never."""
        document = self.documents.get(SEEN + what)
        return float(document["at"]) if document else 0.0

    def open_sessions(self, name: str) -> list[SessionRecord]:
        """Logins of a name which nobody has ended, newest first."""
        mine = [one for one in self.sessions.values() if one.name == name and not self.is_ended(one.id)]
        return sorted(mine, key=lambda session: session.created, reverse=True)

    def forgettable(self, created_before: float, ended_before: float) -> list[Document]:
        """What means nothing any more: old logins, and notes about logins and tokens which are not there.

        A login goes before the note that it was ended; without that it would be open again.
        """
        over = [
            self.documents[SESSION + one.id] for one in self.sessions.values()
            if one.created < created_before or self._ended_at(one.id) < ended_before
        ]  # fmt: skip
        there = {*self.sessions, *self.tokens}
        notes = [doc_id for doc_id in self.documents if doc_id.startswith((ENDED, SEEN))]
        return over or [self.documents[note] for note in notes if note.partition(":")[2] not in there]

    def _ended_at(self, session_id: str) -> float:
        document = self.documents.get(ENDED + session_id)
        return float(document["at"]) if document else float("inf")


class LastUses:
    """When tokens and logins were used, between two notes of it in the database."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}

    def add(self, what: str, now: float) -> None:
        """It is used now."""
        self._at[what] = now

    def at(self, what: str, directory: AccessDirectory) -> float:
        """When it was used last, by this process or, as far as it was noted, by another; 0 for never."""
        return max(directory.seen_at(what), self._at.get(what, 0.0))

    def worth_noting(
        self, directory: AccessDirectory, now: float, every_seconds: float, limit: int
    ) -> dict[str, float]:
        """What was used long after the last note of it. What is not used any more is not looked at again."""
        used: dict[str, float] = {}
        for what, at in list(self._at.items()):
            if at - directory.seen_at(what) > every_seconds and len(used) < limit:
                used[what] = at
            elif now - at > every_seconds:
                self._at.pop(what, None)
        return used
