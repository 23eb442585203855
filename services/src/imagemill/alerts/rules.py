"""Rules: which events become alerts, when, how often, and who is told."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KINDS = ("motion", "scene", "frozen", "offline")
CLASSES = ("detection", "alert")
DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class Hours:
    """From `begin` until before `end`; an `end` at or before `begin` is on the next day. Equal ones are a whole day."""

    begin: time
    end: time

    @property
    def wraps(self) -> bool:
        """Goes past midnight."""
        return self.end <= self.begin

    def __str__(self) -> str:
        """As a person writes it."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True)
class Rule:
    """Empty `cameras`, `zones`, `hours` and `weekdays` mean any; cameras may be patterns like `yard-*`.

    Hours and weekdays are those of `timezone` at the event's begin; an hour past midnight belongs to the weekday on
    which its range began. The cool-down is per camera; `at_most` alerts per `period_seconds` are counted over all of
    the rule's cameras. `until_acknowledged` holds a camera's further events back until its last alert is acknowledged.
    """

    name: str
    cameras: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    classes: tuple[str, ...] = ("alert",)
    min_score: float = 0.0
    hours: tuple[Hours, ...] = ()
    weekdays: tuple[str, ...] = ()
    timezone: str = "UTC"
    cool_down_seconds: float = 300.0
    at_most: int | None = None
    period_seconds: float = 3600.0
    until_acknowledged: bool = False
    channels: tuple[str, ...] = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse what could never match or never end, with a sentence."""
        if not self.name.strip():
            raise ValueError("a rule needs a name that is not empty")
        for what, given, known in (
            ("kinds", self.kinds, KINDS),
            ("classes", self.classes, CLASSES),
            ("weekdays", self.weekdays, WEEKDAYS),
        ):
            _check_words(self.name, what, given, known)
        _check_numbers(self)
        zone_of(self.timezone)


def zone_of(name: str) -> ZoneInfo:
    """The time zone; ValueError with what to do when it is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"the time zone {name!r} is not known; use a name like Europe/Berlin or UTC") from None


def parse_rule(given: Mapping[str, Any]) -> Rule:
    """A rule from its JSON form; unknown keys and values that cannot be meant are a ValueError with a sentence."""
    known = {item.name: item for item in dataclasses.fields(Rule)}
    for key in given:
        if key not in known:
            raise ValueError(f"a rule has no setting {key!r}; it has {', '.join(sorted(known))}")
    if "name" not in given:
        raise ValueError("a rule needs a name")
    return Rule(**{key: _value(key, value, str(known[key].type)) for key, value in given.items()})


def rule_as_dict(rule: Rule) -> dict[str, Any]:
    """The JSON form that `parse_rule` reads back."""
    values = {item.name: getattr(rule, item.name) for item in dataclasses.fields(Rule)}
    lists = {key: list(value) for key, value in values.items() if isinstance(value, tuple)}
    return values | lists | {"hours": [str(hours) for hours in rule.hours]}


def parse_hours(text: str) -> Hours:
    """`22:00-06:00` as hours."""
    begin, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        # 24:00 is how people write the end of a day.
        return Hours(time.fromisoformat(begin.strip()), time.fromisoformat(end.strip().replace("24:00", "00:00")))
    except ValueError:
        raise ValueError(f"{text!r} are no hours; write them like 22:00-06:00") from None


def _value(key: str, value: Any, kind: str) -> Any:
    if key == "hours":
        return tuple(parse_hours(str(text)) for text in value)
    if kind.startswith("<class 'bool'") or key in ("enabled", "until_acknowledged"):
        return _checked(key, value, isinstance(value, bool), "true or false")
    if key in ("cool_down_seconds", "period_seconds", "min_score", "at_most"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return _checked(key, value, number or (key == "at_most" and value is None), "a number")
    if key in ("name", "timezone"):
        return _checked(key, value, isinstance(value, str), "text")
    words = isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
    return tuple(_checked(key, value, words, "a list of words"))


def _checked(key: str, value: Any, right: bool, wanted: str) -> Any:
    if not right:
        raise ValueError(f"{key} is {value!r}; it must be {wanted}")
    return value


def _check_words(rule: str, what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for word in given:
        if word not in known:
            raise ValueError(f"rule {rule!r} has {word!r} in {what}; known are {', '.join(known)}")


def _check_numbers(rule: Rule) -> None:
    if not 0 <= rule.cool_down_seconds <= 30 * DAY_SECONDS:
        raise ValueError(f"cool_down_seconds is {rule.cool_down_seconds:g}; it must be from 0 to 30 days")
    if not 1 <= rule.period_seconds <= 30 * DAY_SECONDS:
        raise ValueError(f"period_seconds is {rule.period_seconds:g}; it must be from 1 to 30 days")
    if rule.at_most is not None and not (rule.at_most == int(rule.at_most) and rule.at_most >= 1):
        raise ValueError(f"at_most is {rule.at_most}; it must be a whole number from 1, or left out")
    if not 0 <= rule.min_score <= 1:
        raise ValueError(f"min_score is {rule.min_score:g}; it must be from 0 to 1")
