"""What the page's forms share: fields as the API's members, and errors that find their field again."""

from collections.abc import Mapping

from flask import Response, request

from imagemill.api.web.problems import problem_of
from imagemill.domain.errors import DomainError, Invalid, InvalidMembers


def text(name: str) -> str:
    """A field's text, empty when there is none."""
    return request.form.get(name, "").strip()


def number(name: str) -> float:
    """A field's number, with a point or a comma; raises Invalid."""
    typed = text(name).replace(",", ".")
    try:
        return int(typed) if typed.isdecimal() else float(typed)
    except ValueError:
        raise Invalid("bad-value", f"{name.replace('_', ' ')} is {typed!r}; it must be a number", name) from None


def flags(*names: str) -> dict[str, bool]:
    """Boxes which are ticked, or not."""
    return {name: name in request.form for name in names}


def by_field(error: DomainError, fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, in the order found; `fields` are those not called as their member."""
    errors = error.errors if isinstance(error, InvalidMembers) else (error,)
    told: dict[str, str] = {}
    for one in errors:
        if one.member:
            told.setdefault(fields.get(one.member, one.member.rpartition(".")[2]), str(one))
    return told


def again(html: str, error: DomainError) -> Response:
    """Answer with the form again, which says what is wrong."""
    return Response(html, problem_of(error).status, mimetype="text/html")
