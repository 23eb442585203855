"""A rule as the fields of a form, and back. What a field looks like follows from the type of the rule's member."""

from collections.abc import Mapping
from typing import Any

from flask import request

from imagemill.alerting.words import rule_value
from imagemill.api.web.forms import number, text
from imagemill.domain.errors import Invalid
from imagemill.domain.rules import Rule

Json = dict[str, Any]
# From the largest on: a duration is shown in the largest that divides it.
UNITS: Mapping[str, int] = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_SCHEMAS: Mapping[str, Json] = {name: Rule.member_schema(name) for name in Rule.members()}


def _look(name: str) -> str:
    """A tick, boxes, a list (boxes for what is known, the rest typed), typed words, a duration, a number, or text."""
    kind, items = _SCHEMAS[name]["type"], _SCHEMAS[name].get("items", {})
    if kind == "array":
        return "boxes" if "enum" in items else "typed" if "format" in items else "list"
    if kind in ("number", "integer"):
        return "duration" if name.endswith("_seconds") else "number"
    return "tick" if kind == "boolean" else "text"


_LOOKS: Mapping[str, str] = {name: _look(name) for name in _SCHEMAS}


def given(name: str | None = None) -> Json:
    """Read the rule that the form describes, as JSON; raises Invalid, which tells all that is wrong.

    `name` is that of a rule which has one.
    """
    found: Json = {}
    wrong: dict[str, str] = {}
    for member, look in _LOOKS.items():
        try:
            found[member] = name if member == "name" and name else _read(member, look)
        except Invalid as error:
            wrong[member] = str(error)
    if wrong:
        raise Invalid("bad-rule", next(iter(wrong.values())), next(iter(wrong)), wrong | _mistakes_in(found))
    return found


def _mistakes_in(found: Json) -> dict[str, str]:
    """What else is wrong, beside what cannot even be read."""
    try:
        Rule.parse(found)
    except Invalid as error:
        return error.mistakes
    return {}


def as_typed() -> Json:
    """Keep what was typed, right or wrong, so that nothing has to be typed again."""
    return {name: _typed(name, look) for name, look in _LOOKS.items()} | {"revision": text("revision")}


def fields_of(rule: Rule) -> Json:
    """Show a rule as its fields."""
    shown = {name: _shown(value, _LOOKS[name]) for name, value in rule.as_json().items()}
    return shown | {"revision": rule.revision}


def differences(theirs: Rule, mine: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name what is now stored of the members in which two rules differ."""
    return [
        (name.removesuffix("_seconds").replace("_", " "), rule_value(name, value))
        for name, value in theirs.as_json().items()
        if value != mine.get(name)
    ]


def _read(name: str, look: str) -> Any:
    if look == "boxes":
        return _in_order(name)
    if look == "typed":
        return _listed(text(name))
    if look == "duration":
        return number(name) * UNITS.get(text(f"{name}_unit"), 1)
    if look in ("number", "text") and not text(name):
        return _SCHEMAS[name].get("default", "")
    return number(name) if look == "number" else _typed(name, look)


def _typed(name: str, look: str) -> Any:
    if look == "tick":
        return name in request.form
    if look == "boxes":
        return request.form.getlist(name)
    if look == "list":
        return list(dict.fromkeys([*request.form.getlist(name), *_listed(text(f"{name}_others"))]))
    return (text(name), text(f"{name}_unit")) if look == "duration" else text(name)


def _shown(value: Any, look: str) -> Any:
    if look == "duration":
        return _amount_and_unit(value)
    if look == "number":
        return "" if value is None else f"{value:g}"
    return ", ".join(value) if look == "typed" else value


def _amount_and_unit(seconds: float) -> tuple[str, str]:
    """Split a duration: `("5", "minutes")`."""
    if not seconds:
        return "0", "minutes"
    unit = next((unit for unit, size in UNITS.items() if seconds % size == 0), "seconds")
    return f"{seconds / UNITS[unit]:.10g}", unit


def _in_order(name: str) -> list[str]:
    """Unknown words stay, for the API to refuse."""
    order, ticked = _SCHEMAS[name]["items"]["enum"], request.form.getlist(name)
    return [word for word in order if word in ticked] + [word for word in ticked if word not in order]


def _listed(typed: str) -> list[str]:
    return [word for part in typed.replace("–", "-").split(",") if (word := part.strip())]
