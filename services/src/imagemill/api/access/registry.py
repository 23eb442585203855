"""All tokens and sessions in memory, as the database has them: what is revoked is refused two seconds later."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from imagemill.api.access.directory import AccessDirectory, LastUses
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
from imagemill.store.access import ENDED, REVOKED, SESSION, TOKEN, AccessStore, SessionRecord
from imagemill.store.couch import Conflict, Document, StoreUnavailable

REFRESH_SECONDS = 2.0
# Whoever is not known yet may have been made by another replica a moment ago; guesses must not ask all the time.
_ASKED_PER_SECOND = 2.0
_ASKING = 2
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
    """Authenticates, from memory; the database is only asked for what is not known yet."""

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
        self._directory = AccessDirectory()
        self._since, self._fresh_at, self._failed_at = "0", float("-inf"), float("-inf")
        self._uses = LastUses()
        self._cleaned_at = 0.0
        self._announce, self._first_is_due = announce, settings.needs_login and not settings.admin_token
        self._guesses = Bucket(_ASKED_PER_SECOND, _ASKED_PER_SECOND * BURST_SECONDS, time.monotonic())
        self._asking = threading.BoundedSemaphore(_ASKING)
        self._refreshing, self._learning = threading.Lock(), threading.Lock()
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
        token = self._looked_up(token_id, TOKEN, REVOKED).tokens.get(token_id)
        if token is None or not same(hash_of(text, self._key, token.claims), token.hash) or not self._is_valid(token):
            return None
        self._uses.add(token.id, self._clock())
        return Principal(token.name, token.role, token.limits, token.id)

    def session(self, cookie: str) -> Principal | None:
        """Who is logged in with this cookie; None for nobody. Raises as `bearer` does."""
        session_id = hash_of(cookie, self._key)
        session = self._looked_up(session_id, SESSION, ENDED).sessions.get(session_id)
        if session is None or not same(hash_of(cookie, self._key, session.claims()), session.mac):
            return None
        if session.token_id is not None and session.token_hash is None:
            self._looked_up(session.token_id, TOKEN, REVOKED)
        principal = self._of_session(session)
        if principal:
            self._uses.add(session_id, self._clock())
        return principal

    def still(self, principal: Principal) -> bool:
        """May they go on? Asked again and again by what takes long; answered from memory alone."""
        if principal.session is None and (principal.token_id or SETTINGS).startswith(SETTINGS):
            return True
        if not self._is_fresh():
            return False
        if principal.session is not None:
            session = self._directory.sessions.get(principal.session)
            return session is not None and self._of_session(session) is not None
        token = self._directory.tokens.get(principal.token_id or "")
        return token is not None and self._is_valid(token)

    def _of_session(self, session: SessionRecord) -> Principal | None:
        now = self._clock()
        idle_since = max(session.created, self._uses.at(session.id, self._directory))
        if (
            self._directory.is_ended(session.id)
            or now - session.created > self._settings.session_max_seconds
            or now - idle_since > self._settings.session_idle_seconds
        ):
            return None
        if session.token_hash is not None:
            given = self._given.get(session.token_hash)
            return replace(given, session=session.id) if given else None
        if session.token_id is None:  # logged in by a provider
            return Principal(session.name, Role(session.role), session=session.id)
        token = self._directory.tokens.get(session.token_id)
        if token is None or not self._is_valid(token):
            return None
        return Principal(token.name, token.role, token.limits, token.id, session.id)

    def _is_valid(self, token: Token) -> bool:
        return self._directory.is_valid(token, self._clock())

    def _looked_up(self, name: str, *kinds: str) -> AccessDirectory:
        """The directory; of what it has not the database is asked, but not for every guess."""
        if kinds[0] + name not in self._directory.documents and self._may_ask():
            self._ask(lambda: self._learn(self._store.documents(kind + name for kind in kinds)))
        if not self._is_fresh():
            self._ask(self.refresh)
        if not self._is_fresh():
            raise Busy("access-unknown", "The database of tokens does not answer, so nobody can be let in; try again.")
        return self._directory

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._fresh_at <= _BELIEVED_SECONDS

    # --- changes ------------------------------------------------------------------------------------

    def create(self, token: Token) -> tuple[Token, str]:
        """Keep a token, of which id and hash are filled in; returns it and the text that its owner needs."""
        token_id, text = new_token()
        made = self._hashed(token.model_copy(update={"id": token_id}), text)
        self._learn([self._store.add_token(made)])
        return made, text

    def _hashed(self, token: Token, text: str) -> Token:
        return token.model_copy(update={"hash": hash_of(text, self._key, token.claims)})

    def _create_first(self) -> None:
        """Make an admin's token if there never was one: without it nobody could come in and make others."""
        text = token_text(FIRST_TOKEN_ID)
        first = Token(
            id=FIRST_TOKEN_ID, name=ADMIN_NAME, role=Role.ADMIN, hash="", created_at=timestamp(),
            created_by="the first start",
        )  # fmt: skip
        # One write, of which one of several processes makes the first: then there is a token, and it is this one.
        with contextlib.suppress(Conflict):
            self._learn([self._store.add_token(self._hashed(first, text))])
            self._announce(text)
        self._first_is_due = False

    def revoke(self, token_id: str, by: str) -> Token:
        """End a token and its sessions for good; raises NotFound."""
        token = self._looked_up(token_id, TOKEN, REVOKED).tokens.get(token_id)
        if token is None:
            raise NotFound("unknown-token", f"There is no token {token_id!r}.")
        self._learn([self._store.revoke(token_id, by, timestamp())])
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
        for old in self._directory.open_sessions(principal.name)[_MOST_SESSIONS - 1 :]:
            self.logout(old.id)
        self._learn([self._store.add_session(replace(record, mac=hash_of(cookie, self._key, record.claims())))])
        return cookie

    def logout(self, session_id: str) -> None:
        """End a session for good."""
        self._learn([self._store.end_session(session_id, self._clock())])

    def end_logins(self, name: str) -> int:
        """End all sessions of a name, for good; tells how many."""
        self.refresh()
        found = self._directory.open_sessions(name)
        for session in found:
            self.logout(session.id)
        return len(found)

    # --- what is shown ------------------------------------------------------------------------------

    def tokens(self) -> list[Token]:
        """All that were ever made, newest first."""
        return sorted(self._directory.tokens.values(), key=lambda token: token.created_at, reverse=True)

    def state(self, token: Token) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revocation(token):
            return "revoked"
        return "valid" if self._is_valid(token) else "expired"

    def revocation(self, token: Token) -> Document | None:
        """By whom (`by`) and when (`at`) it was revoked."""
        return self._directory.revocation(token.id)

    def last_used(self, token: Token) -> str | None:
        """When it was used last, give or take five minutes."""
        at = self._uses.at(token.id, self._directory)
        return timestamp(at) if at else None

    # --- memory -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what changed until now, unless another thread does; raises StoreUnavailable."""
        asked = time.monotonic()
        with self._refreshing:
            if self._fresh_at > asked:
                return
            began = time.monotonic()
            changed, self._since = self._store.changed(self._since)
            self._learn(changed)
            self._fresh_at = began

    def _learn(self, documents: Sequence[Document]) -> None:
        if documents:
            with self._learning:
                self._directory = self._directory.updated(documents)

    def _ask(self, question: Callable[[], None]) -> None:
        """For requests: where the database fails or hangs, few of them wait for it, and none for long."""
        away = StoreUnavailable("the database of tokens does not answer")
        if time.monotonic() - self._failed_at < REFRESH_SECONDS:
            raise away
        if not self._asking.acquire(timeout=REFRESH_SECONDS):
            raise away
        try:
            question()
        except StoreUnavailable:
            self._failed_at = time.monotonic()
            raise
        finally:
            self._asking.release()

    def _may_ask(self) -> bool:
        with self._learning:
            return self._guesses.take(1, time.monotonic()) == 0

    def _round(self) -> None:
        self.refresh()
        if self._first_is_due:
            self._create_first()
        now = self._clock()
        used = self._uses.worth_noting(self._directory, now, _SEEN_EVERY_SECONDS, _AT_ONCE)
        self._store.saw(used, self._directory.documents)
        if now - self._cleaned_at > _CLEAN_EVERY_SECONDS:
            # An hour later every replica knows what has ended.
            oldest = now - self._settings.session_max_seconds - _CLEAN_EVERY_SECONDS
            over = self._directory.forgettable(oldest, now - _CLEAN_EVERY_SECONDS)
            self._store.forget(over[:_AT_ONCE])
            self._cleaned_at = now if len(over) <= _AT_ONCE else self._cleaned_at
