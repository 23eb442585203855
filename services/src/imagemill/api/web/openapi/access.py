"""The routes of tokens and changes; and what each route needs, which comes from the routes themselves."""

from collections.abc import Mapping
from typing import Any

from imagemill.api.access.service import NewToken, TokenView
from imagemill.api.web.openapi.models import components
from imagemill.api.web.openapi.operations import (
    AFTER,
    CHANGING,
    DATABASE_AWAY,
    LIMIT,
    answer,
    in_path,
    json_body,
    operation,
    problems,
)
from imagemill.api.web.openapi.schemas import COUNT, listed, page, record, ref, shape
from imagemill.domain.access import Permission, Role, TokenLimits, least_role
from imagemill.store.audit import AuditEntry

Json = dict[str, Any]

_LIMITS: Json = {
    "source": None,
    "recipes": [],
    "max_priority": 9,
    "requests_per_second": None,
    "bytes_per_second": None,
    "jobs_in_flight": None,
}
_TOKEN = {
    "id": "5f5e3e014dcb", "name": "the gate's camera", "role": "uploader", "state": "valid",
    "created_at": "2026-11-21T09:15:03.000Z", "created_by": "admin", "expires_at": None, "last_used_at": None,
    "revoked_at": None, "revoked_by": None, "limits": _LIMITS | {"source": "gate"},
}  # fmt: skip
_WHO = {
    "name": "admin", "role": "admin", "permissions": ["view", "originals", "upload", "operate", "administer"],
    "limits": _LIMITS, "login_needed": True,
}  # fmt: skip
_GIVEN = {"name": "the gate's camera", "role": "uploader", "expires_in_days": 90, "limits": {"source": "gate"}}

ACCESS: Json = {
    "/api/v1/whoami": {
        "get": operation(
            "Access", "whoAmI", "Who asks, and what they may do",
            [answer(200, "Who", "The caller.", _WHO), problems({401: ("unauthorized",)})],
        )
    },
    "/api/v1/tokens": {
        "get": operation(
            "Access", "listTokens", "All tokens, newest first, without what opens the door",
            [answer(200, "Tokens", "All that were ever made.", {"tokens": [_TOKEN]}), problems(DATABASE_AWAY)],
        ),
        "post": operation(
            "Access", "createToken", "A new token",
            [
                answer(201, "TokenMade", "Its text is in this answer and nowhere else.",
                       _TOKEN | {"token": "imagemill_5f5e3e014dcb_" + 64 * "0"}),
                problems({400: ("bad-json",), 415: ("not-json",), 422: ("bad-token",), **CHANGING}),
            ],
            body=json_body(ref("NewToken"), _GIVEN),
        ),
    },
    "/api/v1/tokens/{token_id}": {
        "delete": operation(
            "Access", "revokeToken", "End a token, its sessions and streams, for good",
            [{"204": {"description": "Revoked; within five seconds everywhere."}},
             problems({404: ("unknown-token",), **CHANGING})],
            parameters=[in_path("token_id", {"type": "string"}, "The token's id.")],
        )
    },
    "/api/v1/logins/{name}": {
        "delete": operation(
            "Access", "endLogins", "End all logins of a name: of a token, or of a user whom a provider has let in",
            [answer(200, "LoginsEnded", "How many there were.", {"ended": 2}), problems(CHANGING)],
            parameters=[in_path("name", {"type": "string"}, "As `whoami` tells it.")],
        )
    },
    "/api/v1/audit": {
        "get": operation(
            "Access", "listChanges", "What people changed, newest first",
            [answer(200, "Changes", "A page."), problems({400: ("bad-cursor", "bad-limit"), **DATABASE_AWAY})],
            parameters=[AFTER, LIMIT],
        )
    },
}  # fmt: skip

SCHEMES: Json = {
    "token": {
        "type": "http", "scheme": "bearer", "bearerFormat": "imagemill_<id>_<secret>",
        "description": "A token, made by an admin: `Authorization: Bearer imagemill_…`.",
    },
    "session": {
        "type": "apiKey", "in": "cookie", "name": "imagemill",
        "description": "The page's login; behind TLS the cookie's name is `__Host-imagemill`.",
    },
}  # fmt: skip


def schemas() -> Json:
    """Their shapes."""
    who: Json = {
        "name": {"type": "string"},
        "role": {"type": "string", "enum": list(Role)},
        "permissions": listed({"type": "string", "enum": [one for one in Permission if one is not Permission.PUBLIC]}),
        "limits": ref("TokenLimits"),
        "login_needed": {"type": "boolean", "description": "False: whoever reaches this API may do everything."},
    }
    found = components(NewToken, TokenView, TokenLimits)
    token = found["TokenView"]
    text = {"type": "string", "description": "What opens the door: `Authorization: Bearer …`."}
    return found | {
        "Who": shape("Who asks.", who),
        "Tokens": shape("All tokens.", {"tokens": listed(ref("TokenView"))}),
        "TokenMade": shape("A new token.", token["properties"] | {"token": text}),
        "LoginsEnded": shape("Logins that were ended.", {"ended": COUNT}),
        "Change": record(AuditEntry),
        "Changes": page("entries", ref("Change")),
    }


def secured(document: Json, needed: Mapping[tuple[str, str], Permission]) -> Json:
    """The document with what each route needs, by path and method."""
    document["components"]["securitySchemes"] = SCHEMES
    for (path, method), permission in needed.items():
        methods = document["paths"].get(path, {})
        if method not in methods:
            continue
        role = least_role(permission)
        said = f"Needs the role `{role}`." if role else "Needs no login."
        # Replaced, not changed: the tables of the routes are everybody's.
        methods[method] = methods[method] | {
            "security": [{"token": []}, {"session": []}] if role else [],
            "x-permission": str(permission),
            "description": "\n\n".join(part for part in (methods[method].get("description", ""), said) if part),
        }
    return document
