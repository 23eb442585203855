"""Draws on a copy of a frame what was noticed."""

from collections.abc import Sequence

import cv2
import numpy as np

from imagemill.domain.events import People, Region
from imagemill.domain.motion_settings import Zone
from imagemill.motion.frames import Picture, as_jpeg, full_color

# Colours (blue, green, red) that stand out on day and infrared pictures; a dark line around each keeps them readable.
REGION, ZONE, PERSON, OUTLINE = (60, 200, 255), (255, 200, 80), (120, 255, 120), (20, 20, 20)
QUALITY = 88
# Letters of 9 pixels, the smallest that can be read; cameras send their small streams for this.
LEAST_SCALE = 0.4


def annotated(
    data: bytes, regions: Sequence[Region], zones: Sequence[Zone] = (), people: People | None = None
) -> bytes:
    """The frame as JPEG with zones, regions and people drawn in."""
    canvas = full_color(data)
    for zone in zones:
        _polygon(canvas, zone)
    for region in regions:
        _box(canvas, (region.x, region.y, region.width, region.height), f"{region.score:.2f}", REGION)
    for box in people.boxes if people else ():
        _box(canvas, box, "person", PERSON)
    return as_jpeg(canvas, QUALITY)


def _thickness(canvas: Picture) -> int:
    return max(1, int(canvas.shape[0]) // 360)


def _polygon(canvas: Picture, zone: Zone) -> None:
    height, width = canvas.shape[:2]
    corners = np.rint(np.asarray(zone.points) * (width, height)).astype(np.int32)
    cv2.polylines(canvas, [corners], True, ZONE, _thickness(canvas), cv2.LINE_AA)
    _label(canvas, zone.name, (int(corners[:, 0].min()), int(corners[:, 1].min())), ZONE)


def _box(canvas: Picture, box: tuple[float, float, float, float], text: str, color: tuple[int, int, int]) -> None:
    height, width = canvas.shape[:2]
    left, top = round(box[0] * width), round(box[1] * height)
    right, bottom = round((box[0] + box[2]) * width), round((box[1] + box[3]) * height)
    for paint, thickness in ((OUTLINE, 3 * _thickness(canvas)), (color, _thickness(canvas))):
        cv2.rectangle(canvas, (left, top), (right, bottom), paint, thickness, cv2.LINE_AA)
    _label(canvas, text, (left, top), color)


def _label(canvas: Picture, text: str, corner: tuple[int, int], color: tuple[int, int, int]) -> None:
    scale = max(LEAST_SCALE, canvas.shape[0] / 900)
    place = (corner[0] + 4, max(round(30 * scale), corner[1] - 6))
    for paint, thickness in ((OUTLINE, 2 + 2 * _thickness(canvas)), (color, _thickness(canvas))):
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, paint, thickness, cv2.LINE_AA)
