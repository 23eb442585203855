"""Rules: which events become alerts, when, how often, and who is notified."""

from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, ValidationInfo, WithJsonSchema

from imagemill.domain.definitions import DAY_SECONDS, Flag, Number, Revised, Words, whole
from imagemill.domain.motion_kinds import EventClass

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
EventKind = Literal["motion", "scene", "frozen", "offline"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
KINDS: tuple[EventKind, ...] = get_args(EventKind)
CLASSES: tuple[EventClass, ...] = get_args(EventClass)
MOST_NAME = 100


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


def parse_hours(text: str) -> Hours:
    """Read hours like `22:00-06:00`."""
    begin, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        # 24:00 is how people write the end of a day.
        return Hours(time.fromisoformat(begin.strip()), time.fromisoformat(end.strip().replace("24:00", "00:00")))
    except ValueError:
        raise ValueError(f"{text!r} are no hours; write them like 22:00-06:00") from None


def zone_of(name: str) -> ZoneInfo:
    """Find the time zone; ValueError with what to do when it is not known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"the time zone {name!r} is not known; use a name like Europe/Berlin or UTC") from None


def _hours(given: Any) -> Any:
    return given if isinstance(given, Hours) else parse_hours(str(given))


def _known_zone(name: str) -> str:
    return zone_of(name).key


def _name(name: str) -> str:
    """A name is a part of addresses: `.` and `..` would be taken out of them on the way."""
    if not name.strip():
        raise ValueError("a rule needs a name that is not empty")
    if len(name) > MOST_NAME or "/" in name or not name.isprintable() or name in (".", ".."):
        raise ValueError(
            f"{name[:MOST_NAME]!r} cannot be a rule's name; use at most {MOST_NAME} characters without '/'"
        )
    return name


def _some(words: Words, info: ValidationInfo) -> Words:
    if not words:
        raise ValueError(f"a rule has no {info.field_name}, so no event could ever be for it; choose one")
    return words


_HoursText = Annotated[
    Hours, BeforeValidator(_hours), PlainSerializer(str), WithJsonSchema({"type": "string", "format": "hours"})
]


class Rule(Revised):
    """Which events become alerts. Empty `cameras`, `zones`, `hours` and `weekdays` mean any.

    Hours and weekdays are those of `timezone` at the event's begin; an hour past midnight belongs to the weekday on
    which its range began. `at_most` alerts per `period_seconds` are counted over all of the rule's cameras.
    `until_acknowledged` suppresses a camera's further events until its last alert is acknowledged.
    """

    noun: ClassVar[str] = "a rule"
    name: Annotated[str, AfterValidator(_name)]
    cameras: Words = Field((), description="Ids, or patterns like `yard-*`; none: any.")
    zones: Words = ()
    kinds: Annotated[tuple[EventKind, ...], AfterValidator(_some)] = KINDS
    classes: Annotated[tuple[EventClass, ...], AfterValidator(_some)] = ("alert",)
    min_score: Number = Field(0.0, ge=0, le=1)
    hours: tuple[_HoursText, ...] = Field((), description="Like `22:00-06:00`; none: any.")
    weekdays: tuple[Weekday, ...] = ()
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    cool_down_seconds: Number = Field(300.0, ge=0, le=30 * DAY_SECONDS, description="Per camera.")
    at_most: Annotated[int, Strict(), Field(ge=1, le=999_999), BeforeValidator(whole)] | None = None
    period_seconds: Number = Field(3600.0, ge=1, le=30 * DAY_SECONDS)
    until_acknowledged: Flag = False
    channels: Words = ()
    enabled: Flag = True
