"""A rule as the fields of a form, and back. Durations have a field for the amount and one for the unit."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request

from imagemill.alerting.rules import CLASSES, KINDS, MEMBERS, WEEKDAYS
from imagemill.alerting.words import rule_value
from imagemill.api.web import forms

Json = dict[str, Any]
# From the largest on: a duration is shown in the largest that divides it.
UNITS: Mapping[str, int] = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
DURATIONS = ("cool_down_seconds", "period_seconds")
# Lists of which some are offered as boxes; others are typed into a field beside them.
_OPEN_LISTS = ("cameras", "zones", "channels")
_BOXES: Mapping[str, tuple[str, ...]] = {"kinds": KINDS, "classes": CLASSES, "weekdays": WEEKDAYS}


def given() -> Json:
    """The rule that the form describes, as JSON; raises forms.FormError."""
    lists = {name: _in_order(name, order) for name, order in _BOXES.items()}
    lists |= {name: _with_others(name) for name in _OPEN_LISTS}
    at_most = forms.number("at_most") if forms.text("at_most") else None
    return {
        "name": forms.text("name"), **lists, "hours": _listed(forms.text("hours")), "at_most": at_most,
        "min_score": forms.number("min_score") if forms.text("min_score") else 0.0,
        "timezone": forms.text("timezone") or "UTC", **{name: _seconds(name) for name in DURATIONS},
        **forms.flags("enabled", "until_acknowledged"),
    }  # fmt: skip


def as_typed() -> Json:
    """What was typed, right or wrong, so that nothing has to be typed again."""
    lists = {name: request.form.getlist(name) for name in _BOXES} | {name: _with_others(name) for name in _OPEN_LISTS}
    texts = {name: forms.text(name) for name in ("name", "hours", "timezone", "min_score", "at_most", "revision")}
    amounts = {name: (forms.text(name), forms.text(f"{name}_unit")) for name in DURATIONS}
    return lists | texts | amounts | forms.flags("enabled", "until_acknowledged")


def shown(rule: Mapping[str, Any]) -> Json:
    """A rule as its fields show it."""
    durations = {name: amount_and_unit(rule[name]) for name in DURATIONS}
    numbers = {
        "min_score": f"{rule['min_score']:g}",
        "at_most": f"{rule['at_most'] or '':g}" if rule["at_most"] else "",
    }
    return {**rule, **durations, **numbers, "hours": ", ".join(rule["hours"])}


def amount_and_unit(seconds: float) -> tuple[str, str]:
    """`("5", "minutes")`."""
    if not seconds:
        return "0", "minutes"
    unit = next((unit for unit, size in UNITS.items() if seconds % size == 0), "seconds")
    return f"{seconds / UNITS[unit]:.10g}", unit


def differences(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is now stored of the members in which two rules differ, in words."""
    return [
        (name.removesuffix("_seconds").replace("_", " "), rule_value(name, theirs[name]))
        for name in MEMBERS
        if theirs[name] != mine.get(name)
    ]


def _in_order(name: str, order: Iterable[str]) -> list[str]:
    """Unknown words stay, for the API to refuse."""
    ticked = request.form.getlist(name)
    return [word for word in order if word in ticked] + [word for word in ticked if word not in order]


def _with_others(name: str) -> list[str]:
    return list(dict.fromkeys([*request.form.getlist(name), *_listed(forms.text(f"{name}_others"))]))


def _listed(text: str) -> list[str]:
    return [word for part in text.replace("–", "-").split(",") if (word := part.strip())]


def _seconds(name: str) -> float:
    return forms.number(name) * UNITS.get(forms.text(f"{name}_unit"), 1)
