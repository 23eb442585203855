"""Login, logout, and the section of tokens and changes, which admins see."""

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.pending_login import CALLBACK, PendingLogin
from imagemill.api.access.permissions import add_pages, principal
from imagemill.api.access.request_checks import login_target
from imagemill.api.access.routes import page_of_audit, token_service
from imagemill.api.web.bodies import parse_object
from imagemill.api.web.forms import again, by_field, text
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission, Principal, Role
from imagemill.domain.errors import DomainError

if TYPE_CHECKING:
    from imagemill.api.access.oidc import OidcProvider

_PENDING_SECONDS = 600
_DAYS = ("7", "30", "90", "365", "")


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/login", login_page, Permission.PUBLIC),
        ("/login", login_form, Permission.PUBLIC, "POST"),
        ("/login/oidc", oidc_begin, Permission.PUBLIC),
        (CALLBACK, oidc_callback, Permission.PUBLIC),
        ("/logout", logout_form, Permission.PUBLIC, "POST"),
        ("/access", access_page, Permission.ADMINISTER),
        ("/access/changes", changes_page, Permission.ADMINISTER),
        ("/access/tokens", create_form, Permission.ADMINISTER, "POST"),
        ("/access/tokens/<token_id>/revoke", revoke_form, Permission.ADMINISTER, "POST"),
    )


# --- in and out -----------------------------------------------------------------------------------


def login_page() -> AnyResponse | str:
    """Ask for a token; who is logged in goes on."""
    known: Principal | None = g.principal
    if known is not None:
        return redirect(login_target(request.args.get("next", "")), HTTPStatus.SEE_OTHER)
    return render_template(
        "login.html", target=login_target(request.args.get("next", "")), wrong=False, oidc=services().oidc
    )


def login_form() -> AnyResponse:
    """Begin a session with a token: a new one each time, so that none can be foisted on anybody."""
    target = login_target(text("next"))
    known = services().registry.bearer(text("token"))
    if known is None:
        services().guard.log.refused("unauthorized", None)
        page = render_template("login.html", target=target, wrong=True, oidc=services().oidc)
        return Response(page, HTTPStatus.UNAUTHORIZED, mimetype="text/html")
    services().guard.rates.take(known, 0)
    return _logged_in(known, target, "token")


def oidc_begin() -> AnyResponse:
    """Send the browser to the provider, and let it keep what the answer must fit."""
    address, pending = _provider().begin(login_target(request.args.get("next", "")))
    response = make_response(redirect(address, HTTPStatus.SEE_OTHER))
    _set_cookie(response, _pending_cookie(), json.dumps(pending.as_json()), _PENDING_SECONDS)
    return response


def oidc_callback() -> AnyResponse:
    """Begin a session for whom the provider has let in."""
    kept = parse_object(request.cookies.get(_pending_cookie(), "")) or {}
    pending = PendingLogin(*(str(kept.get(name, "")) for name in ("state", "nonce", "verifier", "target")))
    known = _provider().finish(request.url, pending)
    response = _logged_in(known, login_target(pending.target), "provider")
    _set_cookie(response, _pending_cookie(), "", 0)
    return response


def _provider() -> "OidcProvider":
    found = services().oidc
    if found is None:
        raise Problem(404, "not-found", "No provider logs people in here (`oidc_issuer`); log in with a token.")
    return found


def _pending_cookie() -> str:
    return services().guard.cookie + "-oidc"


def _logged_in(known: Principal, target: str, how: str) -> AnyResponse:
    mill, before = services(), g.principal
    mill.guard.log.logged_in(known, how)
    if before is not None and before.session is not None:
        mill.registry.logout(before.session)
    response = make_response(redirect(target, HTTPStatus.SEE_OTHER))
    _set_cookie(response, mill.guard.cookie, mill.registry.login(known), mill.settings.session_max_seconds)
    return response


def _set_cookie(response: AnyResponse, name: str, value: str, seconds: float) -> None:
    """For this host alone, and no script; 0 seconds remove it."""
    secure = services().guard.secure
    response.set_cookie(name, value, max_age=int(seconds), path="/", secure=secure, httponly=True, samesite="Lax")


def logout_form() -> AnyResponse:
    """End the session here and everywhere; its cookie opens nothing any more."""
    mill = services()
    known: Principal | None = g.principal
    if known is not None and known.session is not None:
        mill.registry.logout(known.session)
    response = make_response(redirect("/login", HTTPStatus.SEE_OTHER))
    response.headers["Clear-Site-Data"] = '"cache"'
    _set_cookie(response, mill.guard.cookie, "", 0)
    return response


# --- tokens and changes ---------------------------------------------------------------------------


def access_page() -> str:
    """Show the tokens, and the form of a new one."""
    return _tokens()


def create_form() -> AnyResponse | str:
    """Make a token, and show its text this once."""
    try:
        made = token_service().create(_given(), principal().name)
    except DomainError as error:
        return again(_tokens(error=error, typed=request.form, errors=by_field(error, _FIELDS)), error)
    response = make_response(_tokens(made=made))
    response.headers["Cache-Control"] = "no-store"
    return response


def revoke_form(token_id: str) -> AnyResponse:
    """End a token for good."""
    token_service().revoke(token_id, principal().name)
    return redirect("/access", HTTPStatus.SEE_OTHER)


def changes_page() -> str:
    """Show what people changed, newest first."""
    entries, following = page_of_audit()
    return render_template("access_changes.html", entries=entries, cursor=following)


# Members that the form calls otherwise.
_FIELDS = {"expires_in_days": "days"}
_NUMBERS = ("requests_per_second", "bytes_per_second", "jobs_in_flight", "max_priority")


def _given() -> dict[str, Any]:
    recipes = [name for name in text("recipes").replace(",", " ").split() if name]
    limits: dict[str, Any] = {"recipes": recipes, "source": text("source") or None}
    limits |= {name: text(name) for name in _NUMBERS if text(name)}
    given: dict[str, Any] = {"name": text("name"), "role": text("role"), "limits": limits}
    return given | ({"expires_in_days": text("days")} if text("days") else {})


def _tokens(**more: Any) -> str:
    return render_template("access.html", tokens=token_service().tokens(), roles=list(Role), days=_DAYS, **more)
