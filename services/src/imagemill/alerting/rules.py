"""Rules: which events become alerts, when, how often, and who is told."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KINDS = ("motion", "scene", "frozen", "offline")
CLASSES = ("detection", "alert")
DAY_SECONDS = 86400.0
MOST_NAME = 100


class RuleError(ValueError):
    """A description that cannot be a rule's; the message is a sentence, `member` the part that is wrong."""

    def __init__(self, member: str, sentence: str) -> None:
        super().__init__(sentence)
        self.member = member


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
    `revision` is that of the document it came from.
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
    revision: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse what could never match or never end, with a sentence."""
        _check_name(self.name)
        for what, given, known in (
            ("kinds", self.kinds, KINDS),
            ("classes", self.classes, CLASSES),
            ("weekdays", self.weekdays, WEEKDAYS),
        ):
            _check_words(self.name, what, given, known)
        _check_some(self)
        _check_numbers(self)
        try:
            zone_of(self.timezone)
        except ValueError as error:
            raise RuleError("timezone", str(error)) from None


# What a person may give.
MEMBERS = tuple(item.name for item in dataclasses.fields(Rule) if item.name != "revision")
_FLAGS = ("enabled", "until_acknowledged")
_NUMBERS = ("cool_down_seconds", "period_seconds", "min_score", "at_most")
_TEXTS = ("name", "timezone")


def zone_of(name: str) -> ZoneInfo:
    """The time zone; ValueError with what to do when it is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"the time zone {name!r} is not known; use a name like Europe/Berlin or UTC") from None


def parse_rule(given: Mapping[str, Any]) -> Rule:
    """A rule from its JSON form; RuleError says in a sentence what is wrong with it."""
    for key in given:
        if key not in MEMBERS:
            raise RuleError(key, f"a rule has no setting {key!r}; it has {', '.join(sorted(MEMBERS))}")
    if "name" not in given:
        raise RuleError("name", "a rule needs a name")
    return Rule(**{key: _value(key, value) for key, value in given.items()})


def rule_as_dict(rule: Rule) -> dict[str, Any]:
    """The JSON form that `parse_rule` reads back."""
    values = {name: getattr(rule, name) for name in MEMBERS}
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


def _value(key: str, value: Any) -> Any:
    if key in _FLAGS:
        return _checked(key, value, isinstance(value, bool), "true or false")
    if key in _NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return _checked(key, value, number or (key == "at_most" and value is None), "a number")
    if key in _TEXTS:
        return _checked(key, value, isinstance(value, str), "text")
    words = isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
    found = tuple(_checked(key, value, words, "a list of words"))
    return _hours(found) if key == "hours" else found


def _hours(texts: tuple[str, ...]) -> tuple[Hours, ...]:
    try:
        return tuple(map(parse_hours, texts))
    except ValueError as error:
        raise RuleError("hours", str(error)) from None


def _checked(key: str, value: Any, right: bool, wanted: str) -> Any:
    if not right:
        raise RuleError(key, f"{key} is {value!r}; it must be {wanted}")
    return value


def _check_name(name: str) -> None:
    """A name is a part of addresses: `.` and `..` would be taken out of them on the way."""
    if not name.strip():
        raise RuleError("name", "a rule needs a name that is not empty")
    if len(name) > MOST_NAME or "/" in name or not name.isprintable() or name in (".", ".."):
        sentence = f"{name[:MOST_NAME]!r} cannot be a rule's name; use at most {MOST_NAME} characters without '/'"
        raise RuleError("name", sentence)


def _check_words(rule: str, what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for word in given:
        if word not in known:
            raise RuleError(what, f"rule {rule!r} has {word!r} in {what}; known are {', '.join(known)}")


def _check_some(rule: Rule) -> None:
    for what, given in (("kinds", rule.kinds), ("classes", rule.classes)):
        if not given:
            raise RuleError(what, f"rule {rule.name!r} has no {what}, so no event could ever be for it; choose one")


def _check_numbers(rule: Rule) -> None:
    if not 0 <= rule.cool_down_seconds <= 30 * DAY_SECONDS:
        sentence = f"cool_down_seconds is {rule.cool_down_seconds:g}; it must be from 0 to 30 days"
        raise RuleError("cool_down_seconds", sentence)
    if not 1 <= rule.period_seconds <= 30 * DAY_SECONDS:
        raise RuleError("period_seconds", f"period_seconds is {rule.period_seconds:g}; it must be from 1 to 30 days")
    if rule.at_most is not None and not (1 <= rule.at_most < 1e6 and rule.at_most == int(rule.at_most)):
        raise RuleError("at_most", f"at_most is {rule.at_most}; it must be a whole number from 1, or left out")
    if not 0 <= rule.min_score <= 1:
        raise RuleError("min_score", f"min_score is {rule.min_score:g}; it must be from 0 to 1")
