"""What a camera's owner can set about motion; polygons are in relative coordinates (0..1 from the top left)."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args

from imagemill.domain.motion_kinds import Kind

Point = tuple[float, float]
Polygon = tuple[Point, ...]


@dataclass(frozen=True)
class Zone:
    """A named part of the picture, for alert settings and rules."""

    name: str
    points: Polygon

    def __post_init__(self) -> None:
        """Refuse a zone that cannot be drawn or named."""
        if not self.name.strip():
            raise ValueError("a zone needs a name that is not empty")
        check_polygon(f"zone {self.name!r}", self.points)


@dataclass(frozen=True)
class AlertWhen:
    """All of these must hold for a motion event to be of class `alert`; else it is a `detection`."""

    zones: tuple[str, ...] = ()
    min_area: float = 0.0
    min_seconds: float = 0.0
    people: bool = False


@dataclass(frozen=True)
class MotionSettings:
    """Settings of one camera.

    `min_area` is a share of the picture: 0.001 is a figure 1/20 of the picture high and half as wide at 16:9.
    `moving_frames` of `of_frames` must show motion before an event begins. Lamps and glitches fill one frame, so 2 of
    3 is the least that ignores them. `quiet_seconds` is the pause after which an event has ended: at one frame a
    second 30 s keep a person who stops to look for a key in one event.
    """

    masks: tuple[Polygon, ...] = ()
    zones: tuple[Zone, ...] = ()
    only_zones: bool = False
    sensitivity: int = 50
    min_area: float = 0.001
    moving_frames: int = 2
    of_frames: int = 3
    quiet_seconds: float = 30.0
    cool_down_seconds: float = 0.0
    longest_seconds: float = 3600.0
    frozen_seconds: float = 60.0
    interval_seconds: float = 1.0
    kinds: frozenset[Kind] = frozenset(get_args(Kind))
    alert_when: AlertWhen = field(default_factory=AlertWhen)
    people: bool = False
    height: int = 180
    strip_frames: int = 12

    def __post_init__(self) -> None:
        """Refuse values that could not work, each with a sentence."""
        _check_ranges(self)
        for mask in self.masks:
            check_polygon("mask", mask)
        _check_names(self)


# The largest and smallest useful value of each number. Heights: below 90 a person is a few pixels, above 480 the
# cost grows without finding more.
RANGES: Mapping[str, tuple[float, float]] = {
    "sensitivity": (0, 100),
    "min_area": (0.00001, 0.5),
    "moving_frames": (1, 20),
    "of_frames": (1, 20),
    "quiet_seconds": (1, 3600),
    "cool_down_seconds": (0, 86400),
    "longest_seconds": (10, 86400),
    "frozen_seconds": (5, 86400),
    "interval_seconds": (0.01, 3600),
    "height": (90, 480),
    "strip_frames": (2, 40),
}


def parse_settings(given: Mapping[str, Any]) -> MotionSettings:
    """Settings from a camera document; an unknown key is a ValueError that names the known ones."""
    values = dict(given)
    _refuse_unknown("motion", values, MotionSettings)
    for name, parse in _PARSERS.items():
        if name in values:
            values[name] = parse(values[name])
    for item in dataclasses.fields(MotionSettings):
        if item.name in values:
            values[item.name] = _of_type(item.name, values[item.name], item.type)
    return MotionSettings(**values)


def settings_as_dict(settings: MotionSettings) -> dict[str, Any]:
    """The JSON form that `parse_settings` reads back."""
    values = dataclasses.asdict(settings) | {"kinds": sorted(settings.kinds)}
    as_json: dict[str, Any] = json.loads(json.dumps(values))
    return as_json


def with_changes(settings: MotionSettings, changes: Sequence[str]) -> MotionSettings:
    """The settings with `name=value` changes applied; values are JSON, plain words are taken as text."""
    values = settings_as_dict(settings)
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ValueError(f"{change!r} is not of the form name=value, for example sensitivity=70")
        values[name.strip()] = _json_or_text(text.strip())
    return parse_settings(values)


def check_polygon(what: str, points: Sequence[Sequence[float]]) -> None:
    """Refuse fewer than three corners and corners outside the picture."""
    if len(points) < 3:
        raise ValueError(f"{what} has {len(points)} corners; a polygon needs at least 3")
    for point in points:
        if len(point) != 2 or not all(0.0 <= value <= 1.0 for value in point):
            raise ValueError(f"{what} has the corner {tuple(point)}; corners are (x, y) with both from 0 to 1")


def _check_ranges(settings: MotionSettings) -> None:
    for name, (least, most) in RANGES.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}; it must be from {least:g} to {most:g}")
    if settings.moving_frames > settings.of_frames:
        raise ValueError(
            f"moving_frames is {settings.moving_frames} of {settings.of_frames} frames; it cannot be more than all"
        )


def _check_names(settings: MotionSettings) -> None:
    names = [zone.name for zone in settings.zones]
    if len(set(names)) < len(names):
        raise ValueError(f"two zones have the same name; the names are {', '.join(names)}")
    for name in settings.alert_when.zones:
        if name not in names:
            raise ValueError(f"alert_when names the zone {name!r}; the camera's zones are {', '.join(names) or 'none'}")
    for kind in settings.kinds:
        if kind not in get_args(Kind):
            raise ValueError(f"kinds has {kind!r}; known kinds are {', '.join(get_args(Kind))}")


def _refuse_unknown(what: str, given: Mapping[str, Any], target: type) -> None:
    known = {item.name for item in dataclasses.fields(target)}
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"{what} has no setting {name!r}{meant}; it has {', '.join(sorted(known))}")


def _of_type(name: str, value: Any, kind: Any) -> Any:
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; it must be true or false")
    if kind in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{name} is {value!r}; it must be a number")
    if kind is int and value != int(value):
        raise ValueError(f"{name} is {value!r}; it must be a whole number")
    return kind(value) if kind in (int, float) else value


def _polygon(given: Any) -> Polygon:
    try:
        return tuple((float(x), float(y)) for x, y in given)
    except (TypeError, ValueError):
        raise ValueError(f"{given!r} is not a polygon; it is a list of [x, y] corners from 0 to 1") from None


def _zone(given: Any) -> Zone:
    if not isinstance(given, Mapping) or set(given) != {"name", "points"}:
        raise ValueError(f"the zone {given!r} must have exactly a name and points")
    return Zone(str(given["name"]), _polygon(given["points"]))


def _alert_when(given: Any) -> AlertWhen:
    values = dict(given)
    _refuse_unknown("alert_when", values, AlertWhen)
    values["zones"] = tuple(str(name) for name in values.get("zones", ()))
    for item in dataclasses.fields(AlertWhen):
        if item.name in values:
            values[item.name] = _of_type(f"alert_when.{item.name}", values[item.name], item.type)
    return AlertWhen(**values)


def _words(given: Any) -> frozenset[Any]:
    return frozenset([given] if isinstance(given, str) else given)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


_PARSERS: Mapping[str, Any] = {
    "masks": lambda given: tuple(_polygon(mask) for mask in given),
    "zones": lambda given: tuple(_zone(zone) for zone in given),
    "kinds": _words,
    "alert_when": _alert_when,
}
