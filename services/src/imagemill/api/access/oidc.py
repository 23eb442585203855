"""Single sign-on with OpenID Connect: the code flow with PKCE (RFC 7636), by the provider's discovery document."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from imagemill.api.access.pending_login import CALLBACK, PendingLogin
from imagemill.api.access.proxy import role_of
from imagemill.domain.access import Principal, Role, new_secret, same
from imagemill.domain.errors import Busy, Invalid, NoAnswer
from imagemill.settings import Settings

_TIMEOUT_SECONDS = 10
_DISCOVERY_SECONDS = 3600.0
_LEEWAY_SECONDS = 60
# Its keys may have changed; but what it does not vouch for must not make us ask it each time.
_KEYS_AGAIN_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 10.0
_AT_ONCE = 4
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class OidcProvider:
    """The provider of the settings. Its documents are read when first needed, and again every hour."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._roles = {group: Role(name) for group, name in settings.oidc_roles.items()}
        self._known: dict[str, Any] = {}
        self._keys = KeySet([])
        self._read_at = self._failed_at = float("-inf")
        self._asking = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to; it must know this address."""
        return self._settings.page_url.rstrip("/") + CALLBACK

    def begin(self, target: str) -> tuple[str, PendingLogin]:
        """Where to send the browser, and what it must keep; raises NoAnswer."""
        pending = PendingLogin(new_secret(), new_secret(), new_secret(), target)
        with self._few_at_once():
            document = self._document()
        with self._session() as session:
            address, _ = session.create_authorization_url(
                document["authorization_endpoint"], state=pending.state, nonce=pending.nonce,
                code_verifier=pending.verifier,
            )  # fmt: skip
        return str(address), pending

    def finish(self, answer: str, pending: PendingLogin) -> Principal:
        """Who it is, by the address that the browser was sent back with; raises Invalid or NoAnswer."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
        began = all((pending.state, pending.nonce, pending.verifier))
        if not began or not same(given.get("state", ""), pending.state):
            raise Invalid("login-failed", "This login was begun elsewhere, or too long ago; begin it again.")
        if "code" not in given:
            said = given.get("error_description") or given.get("error") or "no reason was given"
            raise Invalid("login-failed", f"The provider let nobody in: {said[:200]}.")
        with self._few_at_once():
            id_token = self._exchanged(given["code"], pending.verifier)
            return self.principal_of(self._claims(id_token, pending.nonce))

    def _exchanged(self, code: str, verifier: str) -> str:
        try:
            with self._session() as session:
                tokens = session.fetch_token(
                    self._document()["token_endpoint"], code=code, code_verifier=verifier, timeout=_TIMEOUT_SECONDS
                )
        except AuthlibBaseError as error:
            raise Invalid(
                "login-failed", f"The provider refused the login: {error.description or error.error}"
            ) from None
        except (requests.RequestException, ValueError) as error:
            raise _no_answer(error) from error
        return str(tokens.get("id_token", ""))

    def principal_of(self, claims: Mapping[str, Any]) -> Principal:
        """A user with the strongest role of their groups; raises Invalid when they have none."""
        names = (claims.get(name) for name in (self._settings.oidc_name_claim, "email", "sub"))
        name = str(next((name for name in names if name), ""))[:200]
        groups = claims.get(self._settings.oidc_groups_claim) or []
        role = role_of([groups] if isinstance(groups, str) else [str(group) for group in groups], self._roles)
        if not name.isprintable():
            raise Invalid("no-role", "The provider's name of this user has characters which cannot be shown.")
        if role is None:
            raise Invalid("no-role", f"{name!r} is in no group that has a role here; ask an admin (`oidc_roles`).")
        return Principal(name, role)

    @contextmanager
    def _few_at_once(self) -> Iterator[None]:
        """A provider that is slow must not keep all of the API's threads."""
        if not self._asking.acquire(blocking=False):
            raise Busy("login-busy", "As many logins as may be are under way; try again.")
        try:
            yield
        finally:
            self._asking.release()

    # --- the provider -------------------------------------------------------------------------------

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._document()["issuer"]},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(id_token, self._keys, algorithms=_ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError) as error:
            self._read_at = min(self._read_at, self._clock() - _DISCOVERY_SECONDS + _KEYS_AGAIN_SECONDS)
            raise Invalid("login-failed", f"The provider's word cannot be believed: {type(error).__name__}.") from error
        return claims

    def _session(self) -> OAuth2Session:
        settings = self._settings
        return OAuth2Session(
            settings.oidc_client_id,
            settings.oidc_client_secret.get_secret_value() or None,
            scope=settings.oidc_scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _document(self) -> dict[str, Any]:
        with self._lock:
            if self._clock() - self._read_at > _DISCOVERY_SECONDS:
                # Those who waited while it did not answer do not ask it again, one after the other.
                if self._clock() - self._failed_at < _ASK_AGAIN_SECONDS:
                    raise NoAnswer("login-unavailable", "The provider of logins has just not answered; try again.")
                try:
                    self._known, self._keys = self._discovered()
                except NoAnswer:
                    self._failed_at = self._clock()
                    raise
                self._read_at = self._clock()
            return self._known

    def _discovered(self) -> tuple[dict[str, Any], KeySet]:
        issuer = (self._settings.oidc_issuer or "").rstrip("/")
        document = _read(f"{issuer}/.well-known/openid-configuration")
        if str(document.get("issuer", "")).rstrip("/") != issuer:
            said = f"The provider at {issuer} calls itself {document.get('issuer')!r}; correct `oidc_issuer`."
            raise NoAnswer("login-unavailable", said)
        try:
            return document, KeySet.import_key_set(_read(document["jwks_uri"]))  # type: ignore[arg-type]
        except (KeyError, ValueError, JoseError) as error:
            raise _no_answer(error) from error


def _read(address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _no_answer(error) from error
    return found


def _no_answer(error: Exception) -> NoAnswer:
    return NoAnswer("login-unavailable", f"The provider of logins does not answer: {type(error).__name__}; try again.")
