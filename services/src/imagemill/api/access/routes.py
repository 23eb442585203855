"""Tokens, who one is, and what people changed, over HTTP."""

from flask import Blueprint, Response, g, jsonify

from imagemill.api.access.permissions import needs, principal
from imagemill.api.access.service import TokenService
from imagemill.api.web.bodies import json_body
from imagemill.api.web.paging import cursor, page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission, Principal
from imagemill.store.audit import AuditEntry

blueprint = Blueprint("access", __name__)


def token_service() -> TokenService:
    """Make the service of the running app."""
    mill = services()
    return TokenService(mill.registry, mill.record)


@blueprint.get("/api/v1/whoami")
@needs(Permission.PUBLIC)
def whoami() -> Response:
    """Show who asks, and what they may do."""
    known: Principal | None = g.principal
    if known is None:
        raise Problem(
            401, "unauthorized", "Nobody is logged in, and no token was sent.", {"WWW-Authenticate": "Bearer"}
        )
    return jsonify(
        {
            "name": known.name,
            "role": known.role,
            "permissions": [one for one in Permission if one is not Permission.PUBLIC and known.may(one)],
            "limits": known.limits.model_dump(mode="json"),
            "login_needed": services().settings.needs_login,
        }
    )


@blueprint.get("/api/v1/tokens")
@needs(Permission.ADMINISTER)
def list_tokens() -> Response:
    """List all tokens, newest first, without what opens the door."""
    return jsonify({"tokens": [view.model_dump(mode="json") for view in token_service().tokens()]})


@blueprint.post("/api/v1/tokens")
@needs(Permission.ADMINISTER)
def create_token() -> Response:
    """Make a token; its text is in this answer and nowhere else."""
    view, text = token_service().create(json_body("The body must be a JSON object."), principal().name)
    response = jsonify(view.model_dump(mode="json") | {"token": text})
    response.status_code = 201
    return response


@blueprint.delete("/api/v1/tokens/<token_id>")
@needs(Permission.ADMINISTER)
def revoke_token(token_id: str) -> Response:
    """End a token for good."""
    token_service().revoke(token_id, principal().name)
    return Response(status=204)


@blueprint.delete("/api/v1/logins/<name>")
@needs(Permission.ADMINISTER)
def end_logins(name: str) -> Response:
    """End all logins of a name: of a token, or of a user whom a provider has let in."""
    ended = services().registry.end_logins(name)
    services().record("logins.end", name, after={"ended": ended})
    return jsonify({"ended": ended})


@blueprint.get("/api/v1/audit")
@needs(Permission.ADMINISTER)
def list_audit() -> Response:
    """What people changed, newest first."""
    entries, following = page_of_audit()
    return jsonify({"entries": [entry.model_dump(mode="json") for entry in entries], "next": following})


def page_of_audit() -> tuple[list[AuditEntry], str | None]:
    """The page which the request's `after` and `limit` describe, and the next cursor."""
    limit = page_limit()
    entries = list(services().audit.newest_first(limit, cursor()))
    return entries, entries[-1].id if len(entries) == limit else None
