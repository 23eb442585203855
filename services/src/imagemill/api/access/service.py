"""What can be done with tokens. It knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from imagemill.api.access.audit import Recorder
from imagemill.api.access.registry import Registry
from imagemill.domain.access import Role, Token, TokenLimits
from imagemill.domain.errors import Invalid, InvalidMembers
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


def _wanted(given: Mapping[str, Any]) -> NewToken:
    """What the token shall be; raises InvalidMembers."""
    wanted, wrong = None, []
    try:
        wanted = NewToken.model_validate(dict(given))
    except ValidationError as error:
        wrong = [_sentence(found) for found in error.errors(include_url=False)]
    told = {error.member for error in wrong}
    name, limits = given.get("name"), given.get("limits")
    source = limits.get("source") if isinstance(limits, Mapping) else None
    if "name" not in told and isinstance(name, str) and not name.strip().isprintable():
        wrong.append(Invalid("bad-token", "The token's name has characters which cannot be shown.", "name"))
    if "limits.source" not in told and isinstance(source, str) and not is_source_name(source):
        wrong.append(Invalid("bad-token", f"{source!r} cannot be a source's name.", "limits.source"))
    if wanted is None or wrong:
        raise InvalidMembers(wrong)
    return wanted


_WORDS = {"expires_in_days": "number of days", "limits.requests_per_second": "number of requests a second"}
# By pydantic's name of the mistake; what is in braces is its context.
_MUST = {
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "enum": "must be {expected}",
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "float_parsing": "must be a number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def _sentence(found: ErrorDetails) -> Invalid:
    member = ".".join(str(part) for part in found["loc"])
    words = _WORDS.get(member) or (member.rpartition(".")[2] or "token").replace("_", " ")
    must = _MUST.get(found["type"], found["msg"]).format(**found.get("ctx", {}))
    return Invalid("bad-token", f"The {words} {must}.", member)


@dataclass(frozen=True)
class TokenService:
    """Every method may raise StoreUnavailable."""

    registry: Registry
    record: Recorder

    def tokens(self) -> list[TokenView]:
        """All that were ever made, newest first."""
        return [self._view(token) for token in self.registry.tokens()]

    def create(self, given: Mapping[str, Any], by: str) -> tuple[TokenView, str]:
        """Make a token; returns it and its text, which is shown this once. Raises Invalid, with all that is wrong."""
        wanted = _wanted(given)
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
