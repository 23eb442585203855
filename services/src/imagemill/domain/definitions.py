"""What people define as JSON (cameras, rules, motion settings): models whose mistakes are sentences."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from imagemill.domain.errors import Invalid

DAY_SECONDS = 86400.0


def _as_given(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    check(value)
    return value


def whole(value: Any) -> Any:
    """Take 3.0 for 3; all else is for the type to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Whole numbers stay what they are: 20 comes back as 20, not as 20.0.
Number = Annotated[float, Strict(), WrapValidator(_as_given), PlainSerializer(lambda value: value)]
Whole = Annotated[int, Strict(), BeforeValidator(whole)]
Flag = Annotated[bool, Strict()]
Words = tuple[str, ...]

_WANTED = {
    "bool_type": "true or false",
    "float_type": "a number",
    "int_type": "a number",
}
_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def mistake(member: str, sentence: str, mistakes: Mapping[str, str] | None = None) -> PydanticCustomError:
    """Make the error of a validator that looks at more than one member; `mistakes` are those of all members."""
    context = {"sentence": sentence, "member": member, "mistakes": dict(mistakes or {member: sentence})}
    return PydanticCustomError("mistake", "{sentence}", context)


class Definition(BaseModel):
    """An immutable definition. What it refuses, it refuses with a sentence about each member that is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    # What it is called, what a member of it is called, and what is written before a member's name.
    noun: ClassVar[str]
    member_noun: ClassVar[str] = "setting "
    prefix: ClassVar[str] = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read the JSON form; raises Invalid with the member that is wrong."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            context = first["ctx"]
            raise Invalid("bad-value", first["msg"], context["member"], context.get("mistakes")) from None

    def as_json(self) -> dict[str, Any]:
        """Make the JSON form that `parse` reads back."""
        return self.model_dump(mode="json")

    @classmethod
    def members(cls) -> tuple[str, ...]:
        """List what people may give."""
        return tuple(name for name, field in cls.model_fields.items() if not field.exclude)

    @model_validator(mode="wrap")
    @classmethod
    def _in_a_sentence(cls, given: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return check(given)
        except ValidationError as error:
            found = error.errors(include_url=False)
            first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
            told = [(member, cls.explain(one, member, given)) for one in (first, *found) for member in [_member(one)]]
            # Of each member the first mistake.
            raise mistake(*told[0], {member: sentence for member, sentence in reversed(told) if member}) from None

    @classmethod
    def explain(cls, error: ErrorDetails, member: str, given: Any) -> str:
        """Say in a sentence what is wrong with a member."""
        kind, value = error["type"], given.get(member) if isinstance(given, Mapping) else given
        is_value = f"{cls.prefix}{member} is {value!r}; it must be"
        if kind in ("mistake", "value_error"):
            return error["msg"].removeprefix("Value error, ")
        if kind == "extra_forbidden":
            return cls._unknown(member)
        if kind == "missing":
            return f"{cls.noun} needs a {member}"
        if kind == "literal_error":
            known = ", ".join(cls.member_schema(member)["items"]["enum"])
            return f"{cls.noun} has {error['input']!r} in {member}; known are {known}"
        if kind in _RANGE:
            return f"{is_value} {_range(cls.member_schema(member))}"
        if kind == "int_type" and isinstance(value, float):
            return f"{is_value} a whole number"
        if kind == "tuple_type" or (kind == "string_type" and len(error["loc"]) > 1):
            of_words = cls.member_schema(member)["items"].get("type") == "string"
            return f"{is_value} a list{' of words' if of_words else ''}"
        if kind in _WANTED:
            return f"{is_value} {_WANTED[kind]}"
        # Of what should be text or an object only the type is said: an address may hold a secret.
        wanted = "text" if kind == "string_type" else "an object"
        return f"{member or cls.noun} is {type(value).__name__}; it must be {wanted}"

    @classmethod
    def member_schema(cls, member: str) -> dict[str, Any]:
        """Describe a member as JSON schema, without its null."""
        schema: dict[str, Any] = cls.model_json_schema()["properties"][member]
        return {**schema, **schema.get("anyOf", [{}])[0]}

    @classmethod
    def _unknown(cls, member: str) -> str:
        near = get_close_matches(member, cls.members(), 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return f"{cls.noun} has no {cls.member_noun}{member!r}{meant}; it has {', '.join(sorted(cls.members()))}"


def _member(error: ErrorDetails) -> str:
    return str(error["loc"][0]) if error["loc"] else str(error.get("ctx", {}).get("member", ""))


class Revised(Definition):
    """A definition in a document. Its revision is neither part of the JSON form nor of what makes two equal."""

    revision: str = Field("", exclude=True, description="Which one was read; in a body it says which one is changed.")

    def __eq__(self, other: object) -> bool:
        """Compare all but the revision."""
        return isinstance(other, type(self)) and _without_revision(self) == _without_revision(other)

    __hash__ = None  # type: ignore[assignment]


def _without_revision(found: Revised) -> dict[str, Any]:
    return {name: value for name, value in found if name != "revision"}


def _range(schema: Mapping[str, Any]) -> str:
    """Say the bounds of a number; many seconds are said as days."""
    low, high = schema["minimum"], schema["maximum"]
    days = "seconds" in schema["title"].lower() and high > DAY_SECONDS
    found = f"from {low:g} to {high / DAY_SECONDS:g} days" if days else f"from {low:g} to {high:g}"
    return f"a whole number {found}, or left out" if "anyOf" in schema else found
