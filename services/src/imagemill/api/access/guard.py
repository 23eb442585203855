"""Before every request: is it for us, not from another site's page, by somebody known, and may they?"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.access_log import AccessLog
from imagemill.api.access.permissions import EVERYBODY, may, permission_of, principal
from imagemill.api.access.proxy import proxy_principal
from imagemill.api.access.rates import Rates, rate_limit_headers
from imagemill.api.access.registry import Registry
from imagemill.api.access.request_checks import (
    SAFE_METHODS,
    allowed_names,
    form_token,
    is_allowed_host,
    is_from_elsewhere,
    says_where_from,
)
from imagemill.api.web.problems import Problem
from imagemill.domain.access import Permission, Principal, least_role, new_secret, same
from imagemill.settings import Settings

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_FORM_FIELD = "form_token"
_PROXY_SECONDS = 600.0


class Guard:
    """The hooks of one app."""

    def __init__(self, settings: Settings, registry: Registry, in_flight: Callable[[str], int]) -> None:
        self._settings, self._registry = settings, registry
        self._names = allowed_names(settings.page_url, settings.allowed_hosts)
        self.rates, self.log = Rates(in_flight), AccessLog()
        self._open_secret = new_secret()
        self.secure = settings.page_url.startswith("https://")
        # With this beginning browsers take it only over TLS, for this host alone.
        self.cookie = "__Host-imagemill" if self.secure else "imagemill"

    def install(self, app: Flask) -> None:
        """Stand before every request of the app."""
        app.before_request(self.check)
        app.after_request(self.harden)
        app.context_processor(self._known_to_templates)

    def check(self) -> AnyResponse | None:
        """Refuse by raising Problem, or lead to the login page."""
        try:
            return self._checked()
        except Problem as refusal:
            self.log.refused(refusal.code, g.get("principal"))
            raise

    def _checked(self) -> AnyResponse | None:
        self._refuse_strangers()
        if request.method == "OPTIONS":
            return None
        # What is not there needs nothing, but who is known may be shown the way on.
        here = request.url_rule is not None
        permission = permission_of(current_app, request.endpoint or "") if here else Permission.PUBLIC
        known = self._identify()
        g.principal = known
        if known is None and permission is not Permission.PUBLIC:
            return self._ask_for_login()
        if known is not None and not known.may(permission):
            raise _forbidden(known, permission)
        if known is not None and here:
            self._refuse_unmeasured(known)
            self.rates.take(known, request.content_length or 0)
            self._check_form()
        return None

    def demand(self, permission: Permission) -> None:
        """Refuse those who may not do what a part of a route needs beyond what its route needs."""
        known = principal()
        if not known.may(permission):
            refusal = _forbidden(known, permission)
            self.log.refused(refusal.code, known)
            raise refusal

    def _known_to_templates(self) -> dict[str, Any]:
        who = g.get("principal")
        field = f'<input type="hidden" name="{_FORM_FIELD}" value="{escape(g.get("form_token") or "")}">'
        return {"may": may, "who": who, "open_to_everybody": who is EVERYBODY, "form_token_field": Markup(field)}  # noqa: S704 - made here

    def still_allowed(self) -> Callable[[], bool]:
        """A question for what outlives the request's first answer: may its reader go on?"""
        known, registry = principal(), self._registry
        if known is EVERYBODY:
            return lambda: True
        if known.token_id is None and known.session is None:  # a proxy's word is for now, not for ever
            until = time.monotonic() + _PROXY_SECONDS
            return lambda: time.monotonic() < until
        return lambda: registry.still(known)

    # --- who ----------------------------------------------------------------------------------------

    def _identify(self) -> Principal | None:
        """A token that is sent counts, also where it is wrong: whoever sends one does not mean their cookie."""
        g.ambient = None
        if _sends_token():
            found = self._registry.bearer(request.headers["Authorization"][7:].strip())
            if found is None:
                raise _unauthorized("The token is not known, has expired, or was revoked.")
            return found
        if (by_proxy := proxy_principal(request.headers, self._settings)) is not None:
            g.ambient = form_token(f"{self._settings.proxy_secret.get_secret_value()}:{by_proxy.name}")
            return by_proxy
        if (cookie := request.cookies.get(self.cookie)) and (found := self._registry.session(cookie)):
            g.ambient = form_token(cookie)
            return found
        if not self._settings.needs_login:
            g.ambient = form_token(self._open_secret)
            return EVERYBODY
        return None

    def _ask_for_login(self) -> AnyResponse:
        if request.method == "GET" and request.accept_mimetypes.accept_html and not _is_for_programs(request.path):
            target = request.full_path.rstrip("?")
            return redirect(f"/login?next={quote(target, safe='')}", 303)
        raise _unauthorized("This needs a token (`Authorization: Bearer imagemill_…`) or a login.")

    # --- whether ------------------------------------------------------------------------------------

    def _refuse_strangers(self) -> None:
        if not is_allowed_host(request.host, self._names):
            detail = f"{request.host!r} is no name of this installation; IMAGEMILL_ALLOWED_HOSTS can add it."
            raise Problem(421, "unknown-host", detail)
        # Those of other origins that are allowed come with a token; a cookie, or an open door, is not for them.
        origins = {self._settings.page_url.rstrip("/"), *(self._settings.cors_origins if _sends_token() else ())}
        scheme = "https" if self.secure else None
        if request.method not in SAFE_METHODS and is_from_elsewhere(request.headers, request.host, origins, scheme):
            raise Problem(403, "cross-site", "Requests from pages of other sites are refused.")

    def _refuse_unmeasured(self, known: Principal) -> None:
        if known.limits.bytes_per_second is not None and "Transfer-Encoding" in request.headers:
            raise Problem(411, "length-required", f"The token {known.name!r} has a rate: say how long the body is.")

    def _check_form(self) -> None:
        """What a browser sends by itself must come from our own page: its forms have a token, its scripts say so."""
        g.form_token = g.ambient
        if g.ambient is None or request.method in SAFE_METHODS:
            return
        if not _is_for_programs(request.path):
            if not same(request.form.get(_FORM_FIELD, ""), g.ambient):
                detail = "This form is out of date: go back, load the page again, and send it from there."
                raise Problem(403, "form-expired", detail)
        elif principal() is not EVERYBODY and not says_where_from(request.headers):
            detail = "With a login, changes are only taken from the page; programs send a token."
            raise Problem(403, "cross-site", detail)

    # --- the answer ---------------------------------------------------------------------------------

    def harden(self, response: Response) -> Response:
        """Headers which every answer has."""
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if response.is_json:
            response.headers.setdefault("Cache-Control", "no-store")
        if self.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        self._allow_other_origins(response)
        if (known := g.get("principal")) is not None:
            response.headers.extend(rate_limit_headers(self.rates.left(known)))
        return response

    def _allow_other_origins(self, response: Response) -> None:
        origin = request.headers.get("Origin", "")
        if origin not in self._settings.cors_origins or not (_sends_token() or request.method == "OPTIONS"):
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.vary.add("Origin")
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, If-Match"
            response.headers["Access-Control-Max-Age"] = "600"


def _sends_token() -> bool:
    return request.headers.get("Authorization", "")[:7].lower() == "bearer "


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/v1/", "/image"))


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="imagemill"'})


def _forbidden(known: Principal, permission: Permission) -> Problem:
    if known.limits.source is not None:
        detail = f"The token {known.name!r} may only upload, as the source {known.limits.source!r}."
    else:
        detail = f"{known.name!r} is {known.role}; this needs the role {least_role(permission)}."
    return Problem(403, "forbidden", detail)
