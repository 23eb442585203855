"""Login, logout, and the section of tokens and changes, which admins see."""

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.pending_login import CALLBACK, PendingLogin
from imagemill.api.access.permissions import needs, principal
from imagemill.api.access.requests import login_target
from imagemill.api.access.routes import page_of_audit, token_service
from imagemill.api.web.bodies import parse_object
from imagemill.api.web.forms import again, text
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
    for path, view, method, permission in (
        ("/login", login_page, "GET", Permission.PUBLIC),
        ("/login", login_form, "POST", Permission.PUBLIC),
        ("/login/oidc", oidc_begin, "GET", Permission.PUBLIC),
        (CALLBACK, oidc_callback, "GET", Permission.PUBLIC),
        ("/logout", logout_form, "POST", Permission.PUBLIC),
        ("/access", access_page, "GET", Permission.ADMINISTER),
        ("/access/changes", changes_page, "GET", Permission.ADMINISTER),
        ("/access/tokens", create_form, "POST", Permission.ADMINISTER),
        ("/access/tokens/<token_id>/revoke", revoke_form, "POST", Permission.ADMINISTER),
    ):
        blueprint.add_url_rule(path, view_func=needs(permission)(view), methods=[method])


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
    if known is not None:
        services().guard.rates.take(known, 0)
    if known is None:
        page = render_template("login.html", target=target, wrong=True, oidc=services().oidc)
        return Response(page, HTTPStatus.UNAUTHORIZED, mimetype="text/html")
    return _logged_in(known, target)


def oidc_begin() -> AnyResponse:
    """Send the browser to the provider, and let it keep what the answer must fit."""
    mill = services()
    address, pending = _provider().begin(login_target(request.args.get("next", "")))
    response = make_response(redirect(address, HTTPStatus.SEE_OTHER))
    response.set_cookie(
        _pending_cookie(), json.dumps(pending.as_json()), max_age=_PENDING_SECONDS, path="/", secure=mill.guard.secure,
        httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def oidc_callback() -> AnyResponse:
    """Begin a session for whom the provider has let in."""
    kept = parse_object(request.cookies.get(_pending_cookie(), "")) or {}
    pending = PendingLogin(*(str(kept.get(name, "")) for name in ("state", "nonce", "verifier", "target")))
    known = _provider().finish(request.url, pending)
    response = _logged_in(known, login_target(pending.target))
    response.delete_cookie(_pending_cookie(), path="/", secure=services().guard.secure, httponly=True, samesite="Lax")
    return response


def _provider() -> "OidcProvider":
    found = services().oidc
    if found is None:
        raise Problem(404, "not-found", "No provider logs people in here (`oidc_issuer`); log in with a token.")
    return found


def _pending_cookie() -> str:
    return services().guard.cookie + "-oidc"


def _logged_in(known: Principal, target: str) -> AnyResponse:
    mill, before = services(), g.principal
    if before is not None and before.session is not None:
        mill.registry.logout(before.session)
    response = make_response(redirect(target, HTTPStatus.SEE_OTHER))
    response.set_cookie(
        mill.guard.cookie, mill.registry.login(known), max_age=int(mill.settings.session_max_seconds), path="/",
        secure=mill.guard.secure, httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def logout_form() -> AnyResponse:
    """End the session here and everywhere; its cookie opens nothing any more."""
    mill = services()
    known: Principal | None = g.principal
    if known is not None and known.session is not None:
        mill.registry.logout(known.session)
    response = make_response(redirect("/login", HTTPStatus.SEE_OTHER))
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(mill.guard.cookie, path="/", secure=mill.guard.secure, httponly=True, samesite="Lax")
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
        return again(_tokens(error=error, typed=request.form), error)
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


def _given() -> dict[str, Any]:
    recipes = [name for name in text("recipes").replace(",", " ").split() if name]
    limits: dict[str, Any] = {"recipes": recipes, "source": text("source") or None}
    limits |= {name: text(name) for name in ("requests_per_second", "bytes_per_second", "max_priority") if text(name)}
    given: dict[str, Any] = {"name": text("name"), "role": text("role"), "limits": limits}
    return given | ({"expires_in_days": text("days")} if text("days") else {})


def _tokens(**more: Any) -> str:
    return render_template("access.html", tokens=token_service().tokens(), roles=list(Role), days=_DAYS, **more)
