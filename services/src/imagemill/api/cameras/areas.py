"""Masks and zones as lines of text that a person can write: `zone door: 0.1,0.2 0.5,0.2 0.5,0.8`, `mask: …`.

`static/js/areas.js` reads and writes the same lines.
"""

from collections.abc import Sequence
from typing import Any

from imagemill.domain.errors import Invalid
from imagemill.domain.motion_settings import MotionSettings

_EXAMPLE = "zone door: 0.1,0.2 0.5,0.2 0.5,0.8"


def areas_of(text: str) -> dict[str, Any]:
    """`masks` and `zones` of motion settings, as far as there are any; Invalid names the line that is wrong."""
    masks, zones = [], []
    for line in filter(None, map(str.strip, text.splitlines())):
        head, colon, corners = line.rpartition(":")
        kind, _, name = head.strip().partition(" ")
        if not colon or kind not in ("zone", "mask") or (kind == "zone") != bool(name.strip()):
            raise Invalid(
                "bad-camera", f"the line {line!r} is no area; one looks like {_EXAMPLE!r}, or 'mask: …'", "areas"
            )
        points = _points(line, corners)
        if kind == "mask":
            masks.append(points)
        else:
            zones.append({"name": name.strip(), "points": points})
    return ({"masks": masks} if masks else {}) | ({"zones": zones} if zones else {})


def text_of(motion: MotionSettings) -> str:
    """The lines of a camera's masks and zones."""
    zones = [f"zone {zone.name}: {_corners(zone.points)}" for zone in motion.zones]
    return "\n".join([*zones, *(f"mask: {_corners(mask)}" for mask in motion.masks)])


def _points(line: str, corners: str) -> list[list[float]]:
    try:
        return [[float(x), float(y)] for x, y in (corner.split(",") for corner in corners.split())]
    except ValueError:
        sentence = f"the corners of {line!r} must be pairs like 0.1,0.2 with spaces between"
        raise Invalid("bad-camera", sentence, "areas") from None


def _corners(points: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
