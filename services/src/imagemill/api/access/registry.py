"""All tokens and sessions in memory, as the database has them: what is revoked is refused two seconds later."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from imagemill.api.access.rates import BURST_SECONDS, Bucket
from imagemill.concurrency.loop import Loop
from imagemill.domain.access import Principal, Role, Token, hash_of, new_secret, new_token, same, token_id_of
from imagemill.domain.errors import Busy, NotFound
from imagemill.domain.ids import timestamp
from imagemill.settings import Settings
from imagemill.store.access import (
    ENDED,
    REVOKED,
    SEEN,
    SESSION,
    TOKEN,
    AccessStore,
    SessionRecord,
    session_of,
    token_of,
)
from imagemill.store.couch import Document, StoreUnavailable

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 2.0
# Whoever is not known yet may have been made by another replica a moment ago; guesses must not ask all the time.
_ASKED_PER_SECOND = 2.0
# Without the database nothing can be revoked; after this, nobody is believed any more.
_BELIEVED_SECONDS = 60.0
_SEEN_EVERY_SECONDS = 300.0
_CLEAN_EVERY_SECONDS = 3600.0
# What the ids of tokens begin with which the settings give.
SETTINGS = "settings:"
ADMIN_NAME = "admin"


class Registry:
    """Authenticates; every answer comes from memory."""

    def __init__(
        self,
        store: AccessStore,
        settings: Settings,
        announce: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._key = settings.token_key.get_secret_value()
        self._given = {
            hash_of(token.get_secret_value(), self._key): Principal(name, role, token_id=f"{SETTINGS}{name}")
            for name, role, token in (
                ("admin", Role.ADMIN, settings.admin_token),
                ("uploader", Role.UPLOADER, settings.uploader_token),
            )
            if token
        }
        self._documents: dict[str, Document] = {}
        self._since, self._fresh_at = "0", float("-inf")
        self._seen: dict[str, float] = {}
        self._cleaned_at = 0.0
        self._announce, self._first_is_due = announce, settings.needs_login and not settings.admin_token
        self._asking = Bucket(_ASKED_PER_SECOND, _ASKED_PER_SECOND * BURST_SECONDS, time.monotonic())
        self._lock = threading.Lock()
        self._loop = Loop("access", self._round, every_seconds=REFRESH_SECONDS, passing=StoreUnavailable)

    def start(self) -> None:
        """Begin to follow the database."""
        self._loop.start()

    def close(self, timeout_seconds: float) -> bool:
        """Stop."""
        return self._loop.close(timeout_seconds)

    # --- who is it? ---------------------------------------------------------------------------------

    def bearer(self, text: str) -> Principal | None:
        """Who has this token; None for nobody. Raises Busy, or StoreUnavailable when that is not known."""
        hashed = hash_of(text, self._key)
        if hashed in self._given:  # hashes of 256 bits: what looking them up tells by its time helps nobody
            return self._given[hashed]
        token_id = token_id_of(text)
        if token_id is None:
            return None
        token = self._token(token_id)
        if token is None or not same(hashed, token.hash) or not self._valid(token):
            return None
        self._note(token.id)
        return Principal(token.name, token.role, token.limits, token.id)

    def session(self, cookie: str) -> Principal | None:
        """Who is logged in with this cookie; None for nobody. Raises as `bearer` does."""
        session_id = hash_of(cookie, self._key)
        document = self._find(SESSION + session_id)
        principal = self._of_session(session_of(document)) if document else None
        if principal:
            self._note(session_id)
        return principal

    def still(self, principal: Principal) -> bool:
        """May he go on? Asked again and again by what takes long."""
        if principal.session is not None:
            document = self._documents.get(SESSION + principal.session)
            return document is not None and self._of_session(session_of(document)) is not None
        if principal.token_id is None or principal.token_id.startswith(SETTINGS):
            return True
        token = self._token(principal.token_id)
        return token is not None and self._valid(token)

    def _of_session(self, session: SessionRecord) -> Principal | None:
        now = self._clock()
        idle_since = max(session.created, self._seen_at(session.id))
        if (
            ENDED + session.id in self._documents
            or now - session.created > self._settings.session_max_seconds
            or now - idle_since > self._settings.session_idle_seconds
        ):
            return None
        if session.token_hash is not None:
            given = self._given.get(session.token_hash)
            return replace(given, session=session.id) if given else None
        if session.token_id is None:  # logged in by a provider
            return Principal(session.name, Role(session.role), session=session.id)
        token = self._token(session.token_id)
        if token is None or not self._valid(token):
            return None
        return Principal(token.name, token.role, token.limits, token.id, session.id)

    def _valid(self, token: Token) -> bool:
        expired = token.expires_at and datetime.fromisoformat(token.expires_at).timestamp() <= self._clock()
        return not expired and REVOKED + token.id not in self._documents

    def _token(self, token_id: str) -> Token | None:
        document = self._find(TOKEN + token_id)
        return token_of(document) if document else None

    def _find(self, doc_id: str) -> Document | None:
        unknown = doc_id not in self._documents and self._may_ask()
        if unknown or time.monotonic() - self._fresh_at > _BELIEVED_SECONDS:
            self.refresh()
        if time.monotonic() - self._fresh_at > _BELIEVED_SECONDS:
            raise Busy("access-unknown", "The database of tokens does not answer, so nobody can be let in; try again.")
        return self._documents.get(doc_id)

    # --- changes ------------------------------------------------------------------------------------

    def create(self, token: Token) -> tuple[Token, str]:
        """Keep a token, of which id and hash are filled in; returns it and the text that its owner needs."""
        token_id, text = new_token()
        made = token.model_copy(update={"id": token_id, "hash": hash_of(text, self._key)})
        self._store.add_token(made)
        self.refresh()
        return made, text

    def _create_first(self) -> None:
        """Make an admin's token if there never was one: without it nobody could come in and make others."""
        if self._store.claim_first_token(timestamp()):
            first = Token(
                id="", name=ADMIN_NAME, role=Role.ADMIN, hash="", created_at=timestamp(), created_by="the first start"
            )
            self._announce(self.create(first)[1])
        self._first_is_due = False

    def revoke(self, token_id: str, by: str) -> Token:
        """End a token and its sessions for good; raises NotFound."""
        token = self._token(token_id)
        if token is None:
            raise NotFound("unknown-token", f"There is no token {token_id!r}.")
        self._store.revoke(token_id, by, timestamp())
        self.refresh()
        return token

    def login(self, principal: Principal) -> str:
        """Begin a session; returns what the cookie must hold."""
        cookie = new_secret()
        hashed = next((known for known, given in self._given.items() if given == principal), None)
        record = SessionRecord(
            hash_of(cookie, self._key), principal.name, principal.role, principal.token_id, hashed, self._clock()
        )
        self._store.add_session(record)
        self.refresh()
        return cookie

    def logout(self, session_id: str) -> None:
        """End a session for good."""
        self._store.end_session(session_id, self._clock())
        self.refresh()

    def end_logins(self, name: str) -> int:
        """End all sessions of a name, for good; tells how many."""
        self.refresh()
        found = [session_of(d) for doc_id, d in self._documents.items() if doc_id.startswith(SESSION)]
        ids = [one.id for one in found if one.name == name and ENDED + one.id not in self._documents]
        for session_id in ids:
            self._store.end_session(session_id, self._clock())
        self.refresh()
        return len(ids)

    # --- what is shown ------------------------------------------------------------------------------

    def tokens(self) -> list[Token]:
        """All that were ever made, newest first."""
        found = [token_of(d) for doc_id, d in list(self._documents.items()) if doc_id.startswith(TOKEN)]
        return sorted(found, key=lambda token: token.created_at, reverse=True)

    def state(self, token: Token) -> str:
        """`valid`, `expired` or `revoked`."""
        if REVOKED + token.id in self._documents:
            return "revoked"
        return "valid" if self._valid(token) else "expired"

    def revocation(self, token: Token) -> Document | None:
        """By whom (`by`) and when (`at`) it was revoked."""
        return self._documents.get(REVOKED + token.id)

    def last_used(self, token: Token) -> str | None:
        """When it was used last, give or take five minutes."""
        at = self._seen_at(token.id)
        return timestamp(at) if at else None

    # --- memory -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what changed until now, unless another thread does; raises StoreUnavailable."""
        asked = time.monotonic()
        with self._lock:
            if self._fresh_at > asked:
                return
            began = time.monotonic()
            changed, self._since = self._store.changes(self._since)
            documents = {**self._documents, **{doc_id: found for doc_id, found in changed.items() if found}}
            for doc_id in (doc_id for doc_id, found in changed.items() if found is None):
                documents.pop(doc_id, None)
            # Replaced, not changed: others are reading.
            self._documents, self._fresh_at = documents, began

    def _may_ask(self) -> bool:
        with self._lock:
            return self._asking.take(1, time.monotonic()) == 0

    def _round(self) -> None:
        self.refresh()
        if self._first_is_due:
            self._create_first()
        now = self._clock()
        for what, at in list(self._seen.items()):
            known = self._documents.get(SEEN + what)
            if at - (known["at"] if known else 0.0) > _SEEN_EVERY_SECONDS:
                self._store.saw(what, at)
            elif now - at > _SEEN_EVERY_SECONDS:
                self._seen.pop(what, None)
        if now - self._cleaned_at > _CLEAN_EVERY_SECONDS:
            self._cleaned_at = now
            self._store.forget(self._expired_sessions(now))

    def _expired_sessions(self, now: float) -> list[Document]:
        old = now - self._settings.session_max_seconds
        ids = [d["_id"].removeprefix(SESSION) for d in self._documents.values() if _is_session_before(d, old)]
        documents = [self._documents.get(kind + session) for session in ids for kind in (ENDED, SEEN, SESSION)]
        return [document for document in documents if document]

    def _note(self, what: str) -> None:
        self._seen[what] = self._clock()

    def _seen_at(self, what: str) -> float:
        document = self._documents.get(SEEN + what)
        return max(document["at"] if document else 0.0, self._seen.get(what, 0.0))


def _is_session_before(document: Document, created: float) -> bool:
    return bool(document["_id"].startswith(SESSION) and document["created"] < created)
