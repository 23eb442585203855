"""All tokens and sessions in memory, as the database has them: what is revoked is refused two seconds later."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from imagemill.api.access.rates import BURST_SECONDS, Bucket
from imagemill.concurrency.loop import Loop
from imagemill.domain.access import (
    Principal,
    Role,
    Token,
    hash_of,
    new_secret,
    new_token,
    same,
    token_id_of,
    token_text,
)
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
from imagemill.store.couch import Conflict, Document, StoreUnavailable

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 2.0
# Whoever is not known yet may have been made by another replica a moment ago; guesses must not ask all the time.
_ASKED_PER_SECOND = 2.0
# Without the database nothing can be revoked; after this, nobody is believed any more.
_BELIEVED_SECONDS = 60.0
_SEEN_EVERY_SECONDS = 300.0
_CLEAN_EVERY_SECONDS = 3600.0
_MOST_SESSIONS = 50
_AT_ONCE = 200
# What the ids of tokens begin with which the settings give.
SETTINGS = "settings:"
ADMIN_NAME = "admin"
FIRST_TOKEN_ID = "0" * 12


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
        admin = settings.admin_token.get_secret_value() if settings.admin_token else ""
        self._key = settings.token_key.get_secret_value() or admin
        self._given = {
            hash_of(token.get_secret_value(), self._key): Principal(name, role, token_id=f"{SETTINGS}{name}")
            for name, role, token in (
                ("admin", Role.ADMIN, settings.admin_token),
                ("uploader", Role.UPLOADER, settings.uploader_token),
            )
            if token
        }
        self._documents: dict[str, Document] = {}
        self._since, self._fresh_at, self._failed_at = "0", float("-inf"), float("-inf")
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
        if token is None or not same(hash_of(text, self._key, token.claims), token.hash) or not self._valid(token):
            return None
        self._note(token.id)
        return Principal(token.name, token.role, token.limits, token.id)

    def session(self, cookie: str) -> Principal | None:
        """Who is logged in with this cookie; None for nobody. Raises as `bearer` does."""
        session_id = hash_of(cookie, self._key)
        document = self._find(SESSION + session_id)
        session = session_of(document) if document else None
        if session is None or not same(hash_of(cookie, self._key, session.claims()), session.mac):
            return None
        principal = self._of_session(session)
        if principal:
            self._note(session_id)
        return principal

    def still(self, principal: Principal) -> bool:
        """May he go on? Asked again and again by what takes long; answered from memory alone."""
        if principal.session is None and (principal.token_id or SETTINGS).startswith(SETTINGS):
            return True
        if time.monotonic() - self._fresh_at > _BELIEVED_SECONDS:
            return False
        if principal.session is not None:
            document = self._documents.get(SESSION + principal.session)
            return document is not None and self._of_session(session_of(document)) is not None
        known = self._documents.get(f"{TOKEN}{principal.token_id}")
        return known is not None and self._valid(token_of(known))

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
        known = self._documents.get(TOKEN + session.token_id)
        token = token_of(known) if known else None
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
            self._refresh_once()
        if time.monotonic() - self._fresh_at > _BELIEVED_SECONDS:
            raise Busy("access-unknown", "The database of tokens does not answer, so nobody can be let in; try again.")
        return self._documents.get(doc_id)

    # --- changes ------------------------------------------------------------------------------------

    def create(self, token: Token) -> tuple[Token, str]:
        """Keep a token, of which id and hash are filled in; returns it and the text that its owner needs."""
        token_id, text = new_token()
        made = self._hashed(token.model_copy(update={"id": token_id}), text)
        self._store.add_token(made)
        self._learn_of_it()
        return made, text

    def _hashed(self, token: Token, text: str) -> Token:
        return token.model_copy(update={"hash": hash_of(text, self._key, token.claims)})

    def _learn_of_it(self) -> None:
        # What was written is written; if it cannot be read at once, the next round does.
        with contextlib.suppress(StoreUnavailable):
            self.refresh()

    def _create_first(self) -> None:
        """Make an admin's token if there never was one: without it nobody could come in and make others."""
        text = token_text(FIRST_TOKEN_ID)
        first = Token(
            id=FIRST_TOKEN_ID, name=ADMIN_NAME, role=Role.ADMIN, hash="", created_at=timestamp(),
            created_by="the first start",
        )  # fmt: skip
        # One write, of which one of several processes makes the first: then there is a token, and it is this one.
        with contextlib.suppress(Conflict):
            self._store.add_token(self._hashed(first, text))
            self._announce(text)
        self._first_is_due = False
        self._learn_of_it()

    def revoke(self, token_id: str, by: str) -> Token:
        """End a token and its sessions for good; raises NotFound."""
        token = self._token(token_id)
        if token is None:
            raise NotFound("unknown-token", f"There is no token {token_id!r}.")
        self._store.revoke(token_id, by, timestamp())
        self._learn_of_it()
        return token

    def login(self, principal: Principal) -> str:
        """Begin a session; returns what the cookie must hold."""
        cookie = new_secret()
        hashed = next((known for known, given in self._given.items() if given == principal), None)
        record = SessionRecord(
            hash_of(cookie, self._key),
            principal.name,
            principal.role,
            principal.token_id,
            hashed,
            round(self._clock(), 3),
        )
        for old in self._open_sessions(principal.name)[_MOST_SESSIONS - 1 :]:
            self._store.end_session(old.id, self._clock())
        self._store.add_session(replace(record, mac=hash_of(cookie, self._key, record.claims())))
        self._learn_of_it()
        return cookie

    def _open_sessions(self, name: str) -> list[SessionRecord]:
        """Those of a name, newest first."""
        found = [session_of(d) for doc_id, d in list(self._documents.items()) if doc_id.startswith(SESSION)]
        mine = [one for one in found if one.name == name and ENDED + one.id not in self._documents]
        return sorted(mine, key=lambda session: session.created, reverse=True)

    def logout(self, session_id: str) -> None:
        """End a session for good."""
        self._store.end_session(session_id, self._clock())
        self._learn_of_it()

    def end_logins(self, name: str) -> int:
        """End all sessions of a name, for good; tells how many."""
        self.refresh()
        found = self._open_sessions(name)
        for session in found:
            self._store.end_session(session.id, self._clock())
        self._learn_of_it()
        return len(found)

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

    def _refresh_once(self) -> None:
        """For requests: where the database has just failed, they do not wait for it one after the other."""
        if time.monotonic() - self._failed_at < REFRESH_SECONDS:
            raise StoreUnavailable("the database of tokens does not answer")
        try:
            self.refresh()
        except StoreUnavailable:
            self._failed_at = time.monotonic()
            raise

    def _may_ask(self) -> bool:
        with self._lock:
            return self._asking.take(1, time.monotonic()) == 0

    def _round(self) -> None:
        self.refresh()
        if self._first_is_due:
            self._create_first()
        now = self._clock()
        used: dict[str, float] = {}
        for what, at in list(self._seen.items()):
            known = self._documents.get(SEEN + what)
            if at - (known["at"] if known else 0.0) > _SEEN_EVERY_SECONDS and len(used) < _AT_ONCE:
                used[what] = at
            elif now - at > _SEEN_EVERY_SECONDS:
                self._seen.pop(what, None)
        self._store.saw(used, self._documents)
        if now - self._cleaned_at > _CLEAN_EVERY_SECONDS:
            self._cleaned_at = now
            self._store.forget(self._expired_sessions(now)[:_AT_ONCE])

    def _expired_sessions(self, now: float) -> list[Document]:
        """Those that are over for an hour: every replica knows by then."""
        sessions = [session_of(d) for doc_id, d in self._documents.items() if doc_id.startswith(SESSION)]
        ended = {one.id: self._documents.get(ENDED + one.id) for one in sessions}
        oldest = now - self._settings.session_max_seconds - _CLEAN_EVERY_SECONDS
        over = [
            one.id for one in sessions
            if one.created < oldest or ((end := ended[one.id]) is not None and end["at"] < now - _CLEAN_EVERY_SECONDS)
        ]  # fmt: skip
        # The session goes first: without its end it would be open again.
        kinds = [self._documents.get(kind + session) for kind in (SESSION, SEEN, ENDED) for session in over]
        return [document for document in kinds if document]

    def _note(self, what: str) -> None:
        self._seen[what] = self._clock()

    def _seen_at(self, what: str) -> float:
        document = self._documents.get(SEEN + what)
        return max(document["at"] if document else 0.0, self._seen.get(what, 0.0))
