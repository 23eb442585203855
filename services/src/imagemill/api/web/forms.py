"""What the page's forms share: fields as the API's members, and errors that find their field again."""

from flask import request

from imagemill.alerting.rules import RuleError
from imagemill.api.web.problems import Problem
from imagemill.domain.cameras import CameraError


class FormError(ValueError):
    """What was typed into a field cannot be read; the message is a sentence, `member` the field."""

    def __init__(self, member: str, sentence: str) -> None:
        super().__init__(sentence)
        self.member = member


# What can be wrong with a form; `said beside` the field which `member_of` names.
WRONG = (Problem, FormError, CameraError, RuleError)


def text(name: str) -> str:
    """A field's text, empty when there is none."""
    return request.form.get(name, "").strip()


def number(name: str) -> float:
    """A field's number, with a point or a comma; raises FormError."""
    typed = text(name).replace(",", ".")
    try:
        return int(typed) if typed.isdecimal() else float(typed)
    except ValueError:
        raise FormError(name, f"{name.replace('_', ' ')} is {typed!r}; it must be a number") from None


def flags(*names: str) -> dict[str, bool]:
    """Boxes which are ticked, or not."""
    return {name: name in request.form for name in names}


def member_of(error: Exception | None) -> str:
    """The field that is wrong; empty when it is none of them."""
    if isinstance(error, Problem):
        return str(error.members.get("member", ""))
    return str(getattr(error, "member", ""))


def status_of(error: Exception) -> int:
    """Of the answer that shows the form again."""
    return error.status if isinstance(error, Problem) else 422
