"""Who may do what: roles, the permissions which they give, and tokens, of which only a hash is kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Permission(StrEnum):
    """What a route needs. `PUBLIC` needs nothing, not even a login."""

    PUBLIC = "public"
    VIEW = "view"
    ORIGINALS = "originals"
    UPLOAD = "upload"
    OPERATE = "operate"
    ADMINISTER = "administer"


class Role(StrEnum):
    """What somebody is; each may do all that those before it may."""

    VIEWER = "viewer"
    UPLOADER = "uploader"
    OPERATOR = "operator"
    ADMIN = "admin"


GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    # Originals keep what a camera writes into them, such as where it stood.
    Role.UPLOADER: frozenset({Permission.VIEW, Permission.UPLOAD, Permission.ORIGINALS}),
    Role.OPERATOR: frozenset(set(Permission) - {Permission.PUBLIC, Permission.ADMINISTER}),
    Role.ADMIN: frozenset(set(Permission) - {Permission.PUBLIC}),
}

# Secret scanners find a leaked one by this: a fixed beginning, an id that may be shown, and 256 random bits.
_TOKEN = re.compile(r"imagemill_([0-9a-f]{12})_[0-9a-f]{64}")
_ID_BYTES, _SECRET_BYTES = 6, 32


class TokenLimits(BaseModel):
    """What a token may do less than its role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None = Field(
        None, max_length=100, description="It may only upload, and all that it uploads has this source."
    )
    recipes: tuple[str, ...] = Field((), description="Recipes that it may ask for; none named means all.")
    max_priority: int = Field(9, ge=0, le=9, description="Highest `priority` that it may ask for.")
    requests_per_second: float | None = Field(
        None, ge=0.001, le=100_000, allow_inf_nan=False, description="Requests a second, on average."
    )
    bytes_per_second: float | None = Field(
        None, ge=1, le=1e12, allow_inf_nan=False, description="Bytes of requests a second, on average."
    )

    jobs_in_flight: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="Jobs that may be in flight at a time; a picture under two recipes is two.",
    )

    def refusal(self, source: str | None, recipes: Iterable[str], priority: int) -> str | None:
        """Why it may not ask for that, None when it may."""
        if self.source is not None and source not in (None, self.source):
            return f"this token uploads as the source {self.source!r}, not {source!r}"
        other = next((name for name in recipes if self.recipes and name not in self.recipes), None)
        if other is not None:
            return f"this token may not ask for the recipe {other!r}; it may for {', '.join(self.recipes)}"
        if priority > self.max_priority:
            return f"this token may ask for priorities up to {self.max_priority}, not {priority}"
        return None


NO_LIMITS = TokenLimits()


class Token(BaseModel):
    """A token as it is kept; times are RFC 3339 in UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    role: Role
    hash: str
    created_at: str
    created_by: str
    expires_at: str | None = None
    limits: TokenLimits = TokenLimits()

    @field_validator("expires_at")
    @classmethod
    def _is_a_moment(cls, text: str | None) -> str | None:
        if text is not None and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("a time must say its zone")
        return text

    def is_expired(self, now: float) -> bool:
        """Is its time over, at this Unix time?"""
        return self.expires_at is not None and datetime.fromisoformat(self.expires_at).timestamp() <= now

    @property
    def claims(self) -> str:
        """What its hash vouches for, besides its text: nobody makes more of a token by writing to the database."""
        # Without what is as usual: tokens must stay good when a later version knows more limits.
        return self.model_dump_json(include={"id", "name", "role", "expires_at", "limits"}, exclude_defaults=True)


@dataclass(frozen=True)
class Principal:
    """Who asks. `name` is what the journal and the audit say; `token_id` and `session` are how they were known."""

    name: str
    role: Role
    limits: TokenLimits = NO_LIMITS
    token_id: str | None = None
    session: str | None = None

    @property
    def owner(self) -> str:
        """Whose limits count, and whose jobs wait for each other: a token's, or those of a user without one."""
        return self.token_id or f"user:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Is it allowed? Who is bound to a source may upload, and nothing else."""
        if permission is Permission.PUBLIC:
            return True
        if self.limits.source is not None and permission is not Permission.UPLOAD:
            return False
        return permission in GRANTS[self.role]


def least_role(permission: Permission) -> Role | None:
    """The first role that gives a permission; None when none is needed."""
    return next((role for role in Role if permission in GRANTS[role]), None)


def new_secret() -> str:
    """256 random bits, as text."""
    return secrets.token_hex(_SECRET_BYTES)


def new_token() -> tuple[str, str]:
    """Make a token: its id, which may be shown, and its text, which its owner alone gets."""
    token_id = secrets.token_hex(_ID_BYTES)
    return token_id, token_text(token_id)


def token_text(token_id: str) -> str:
    """A new secret for a token of that id."""
    return f"imagemill_{token_id}_{new_secret()}"


def token_id_of(text: str) -> str | None:
    """The id in a token's text; None when it is no token."""
    found = _TOKEN.fullmatch(text)
    return found[1] if found else None


def hash_of(text: str, key: str = "", claims: str = "") -> str:
    """Hash what has 256 random bits, with the installation's key; `claims` is what it vouches for besides.

    No guessing finds 256 bits, so that a slow hash such as argon2 would cost each request its time and win nothing. The
    key keeps those who can only write to the database from making a token of their own, or more of one that they have.
    """
    return hmac.new(key.encode() or b"imagemill", f"{text}\n{claims}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare without telling, by the time it takes, how much of it is right."""
    return hmac.compare_digest(one.encode(), other.encode())
