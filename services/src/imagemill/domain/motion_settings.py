"""What a camera's owner can set about motion; polygons are in relative coordinates (0..1 from the top left)."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BeforeValidator, Field, field_serializer, field_validator, model_validator
from pydantic_core import ErrorDetails

from imagemill.domain.definitions import Definition, Flag, Number, Whole, mistake
from imagemill.domain.motion_kinds import Kind

Point = tuple[float, float]
Name = Annotated[str, BeforeValidator(str)]


def _polygon(given: Any) -> Any:
    try:
        return tuple((float(x), float(y)) for x, y in given)
    except (TypeError, ValueError):
        raise ValueError(f"{given!r} is not a polygon; it is a list of [x, y] corners from 0 to 1") from None


def _kinds(given: Any) -> frozenset[Any]:
    words = given if isinstance(given, list | tuple | set | frozenset) else [given]
    for word in words:
        if word not in get_args(Kind):
            raise ValueError(f"kinds has {word!r}; known kinds are {', '.join(get_args(Kind))}")
    return frozenset(words)


Polygon = Annotated[tuple[Point, ...], BeforeValidator(_polygon)]


class Zone(Definition):
    """A named part of the picture, for alert settings and rules."""

    noun: ClassVar[str] = "zone"
    name: Name
    points: Polygon

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if not self.name.strip():
            raise mistake("name", "a zone needs a name that is not empty")
        _check_polygon(f"zone {self.name!r}", self.points)
        return self

    @classmethod
    def explain(cls, error: ErrorDetails, member: str, given: Any) -> str:
        """Say what a zone is made of, whichever part is missing or too much."""
        if error["type"] in ("mistake", "value_error"):
            return super().explain(error, member, given)
        return f"the zone {given!r} must have exactly a name and points"


class AlertWhen(Definition):
    """All of these must hold for a motion event to be of class `alert`; else it is a `detection`."""

    noun: ClassVar[str] = "alert_when"
    prefix: ClassVar[str] = "alert_when."
    zones: tuple[Name, ...] = ()
    min_area: Number = 0.0
    min_seconds: Number = 0.0
    people: Flag = False


class MotionSettings(Definition):
    """Settings of one camera.

    `min_area` is a share of the picture: 0.001 is a figure 1/20 of the picture high and half as wide at 16:9.
    `moving_frames` of `of_frames` must show motion before an event begins. Lamps and glitches fill one frame, so 2 of
    3 is the least that ignores them. `quiet_seconds` is the pause after which an event has ended: at one frame a
    second 30 s keep a person who stops to look for a key in one event.
    """

    noun: ClassVar[str] = "motion"
    masks: tuple[Polygon, ...] = ()
    zones: tuple[Zone, ...] = ()
    only_zones: Flag = False
    sensitivity: Whole = Field(50, ge=0, le=100)
    min_area: Number = Field(0.001, ge=0.00001, le=0.5)
    moving_frames: Whole = Field(2, ge=1, le=20)
    of_frames: Whole = Field(3, ge=1, le=20)
    quiet_seconds: Number = Field(30.0, ge=1, le=3600)
    cool_down_seconds: Number = Field(0.0, ge=0, le=86400)
    longest_seconds: Number = Field(3600.0, ge=10, le=86400)
    frozen_seconds: Number = Field(60.0, ge=5, le=86400)
    interval_seconds: Number = Field(1.0, ge=0.01, le=3600)
    kinds: Annotated[frozenset[Kind], BeforeValidator(_kinds)] = frozenset(get_args(Kind))
    alert_when: AlertWhen = AlertWhen()
    people: Flag = False
    # Below 90 a person is a few pixels high; above 480 the cost grows without finding more.
    height: Whole = Field(180, ge=90, le=480)
    strip_frames: Whole = Field(12, ge=2, le=40)

    @field_validator("masks")
    @classmethod
    def _can_be_drawn(cls, masks: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
        for mask in masks:
            _check_polygon("mask", mask)
        return masks

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.moving_frames > self.of_frames:
            sentence = f"moving_frames is {self.moving_frames} of {self.of_frames} frames; it cannot be more than all"
            raise mistake("moving_frames", sentence)
        names = [zone.name for zone in self.zones]
        if len(set(names)) < len(names):
            raise mistake("zones", f"two zones have the same name; the names are {', '.join(names)}")
        for name in set(self.alert_when.zones).difference(names):
            known = ", ".join(names) or "none"
            raise mistake("alert_when", f"alert_when names the zone {name!r}; the camera's zones are {known}")
        return self

    @field_serializer("kinds")
    def _in_order(self, kinds: frozenset[Kind]) -> list[str]:
        return sorted(kinds)


def with_changes(settings: MotionSettings, changes: Sequence[str]) -> MotionSettings:
    """Apply `name=value` changes; values are JSON, plain words are taken as text. Raises Invalid."""
    return MotionSettings.parse(settings.as_json() | dict(map(_change, changes)))


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not of the form name=value, for example sensitivity=70")
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value.strip()


def _check_polygon(what: str, points: Sequence[Point]) -> None:
    """Refuse fewer than three corners and corners outside the picture."""
    if len(points) < 3:
        raise ValueError(f"{what} has {len(points)} corners; a polygon needs at least 3")
    for point in points:
        if not all(0.0 <= value <= 1.0 for value in point):
            raise ValueError(f"{what} has the corner {tuple(point)}; corners are (x, y) with both from 0 to 1")
