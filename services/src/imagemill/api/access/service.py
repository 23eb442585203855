"""What can be done with tokens. It knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from imagemill.api.access.audit import Recorder
from imagemill.api.access.registry import Registry
from imagemill.domain.access import Role, Token, TokenLimits
from imagemill.domain.errors import Invalid
from imagemill.domain.ids import is_source_name, timestamp

MOST_TOKENS = 10_000
_MOST_DAYS = 3650
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class NewToken(BaseModel):
    """What a token shall be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description="Who, or what for: it stands in the journal and in the audit.")
    role: Role = Field(description="What it may do.")
    expires_in_days: float | None = Field(
        None, gt=0, le=_MOST_DAYS, description="After so many days it is refused; without, when it is revoked."
    )
    limits: TokenLimits = Field(TokenLimits(), description="What it may do less than its role.")


class TokenView(BaseModel):
    """A token as it is shown: everything but what opens the door."""

    id: str
    name: str
    role: Role
    state: str = Field(description="`valid`, `expired` or `revoked`.")
    created_at: str
    created_by: str
    expires_at: str | None
    last_used_at: str | None = Field(description="Give or take five minutes.")
    revoked_at: str | None
    revoked_by: str | None
    limits: TokenLimits


@dataclass(frozen=True)
class TokenService:
    """Every method may raise StoreUnavailable."""

    registry: Registry
    record: Recorder

    def tokens(self) -> list[TokenView]:
        """All that were ever made, newest first."""
        return [self._view(token) for token in self.registry.tokens()]

    def create(self, given: Mapping[str, Any], by: str) -> tuple[TokenView, str]:
        """Make a token; returns it and its text, which is shown this once. Raises Invalid."""
        try:
            wanted = NewToken.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors()[0]
            member = ".".join(str(part) for part in first["loc"])
            raise Invalid(
                "bad-token", f"The token cannot be made: {member or 'it'}: {first['msg']}.", member
            ) from error
        if not wanted.name.isprintable():
            raise Invalid("bad-token", "The token's name has characters which cannot be shown.", "name")
        if wanted.limits.source is not None and not is_source_name(wanted.limits.source):
            raise Invalid("bad-token", f"{wanted.limits.source!r} cannot be a source's name.", "limits.source")
        if sum(self.registry.state(token) == "valid" for token in self.registry.tokens()) >= MOST_TOKENS:
            raise Invalid("bad-token", f"There are {MOST_TOKENS:,} valid tokens, as many as can be; revoke some.")
        now = datetime.now(UTC)
        expires = now + timedelta(days=wanted.expires_in_days) if wanted.expires_in_days else None
        token = Token(
            id="", name=wanted.name, role=wanted.role, hash="", created_at=timestamp(now.timestamp()), created_by=by,
            expires_at=timestamp(expires.timestamp()) if expires else None, limits=wanted.limits,
        )  # fmt: skip
        made, text = self.registry.create(token)
        view = self._view(made)
        self.record("token.create", made.id, after=view.model_dump(mode="json", include=_TOLD))
        return view, text

    def revoke(self, token_id: str, by: str) -> None:
        """End it, its sessions and all that is open in its name, within seconds everywhere; raises NotFound."""
        token = self.registry.revoke(token_id, by)
        self.record("token.revoke", token_id, before=self._view(token).model_dump(mode="json", include=_TOLD))

    def _view(self, token: Token) -> TokenView:
        revoked = self.registry.revocation(token) or {}
        return TokenView(
            **token.model_dump(exclude={"hash"}), state=self.registry.state(token),
            last_used_at=self.registry.last_used(token), revoked_at=revoked.get("at"), revoked_by=revoked.get("by"),
        )  # fmt: skip


_TOLD = {"name", "role", "expires_at", "limits"}
