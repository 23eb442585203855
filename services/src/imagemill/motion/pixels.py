"""Arithmetic on small grey pictures. All arrays have the same height and width; floats are grey levels 0..255."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imagemill.domain.motion_settings import Polygon
from imagemill.motion.frames import Gray

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

# A dark or foggy picture uses few grey levels; stretching more than threefold shows the sensor's noise as motion.
MAX_GAIN = 3.0
# Brightness is compared as a ratio; the added levels keep dark pixels, where a ratio is mostly noise, from deciding.
DARK_OFFSET = 8.0
# Texture, in grey levels of fine structure, below which a correlation would compare noise with noise. Measured: an
# empty wall with a sensor's noise 0.3, a place in daylight 8, the same place by night 1.7.
LEAST_TEXTURE = 1.0


def smooth(gray: Gray) -> Levels:
    """Blurred against noise and JPEG's ringing; sigma 1.2 pixels keep a figure of 8 pixels apart from its ground."""
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.2), np.float32)


def raster(polygons: Sequence[Polygon], shape: tuple[int, ...]) -> Mask:
    """True inside any of the polygons."""
    height, width = shape[:2]
    canvas = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.rint(np.asarray(polygon) * (width, height)).astype(np.int32)
        cv2.fillPoly(canvas, [corners], [255])
    return canvas > 0


def stretch_gain(levels: Levels, visible: Mask) -> float:
    """By how much differences are multiplied so that the picture would use all grey levels.

    Stretching the difference instead of both pictures comes to the same, and a changing contrast cannot shift one
    picture against the other.
    """
    seen = levels[visible]
    if not seen.size:
        return 1.0
    low, high = np.percentile(seen, (4, 96))
    return float(min(MAX_GAIN, 255.0 / max(high - low, 1.0)))


def relit(background: Levels, current: Levels, visible: Mask) -> Levels:
    """The background as bright as the current picture: the median ratio, so movers of less than half do not count."""
    ratio = (current[visible] + DARK_OFFSET) / (background[visible] + DARK_OFFSET)
    factor = float(np.median(ratio)) if ratio.size else 1.0
    return np.asarray(np.clip((background + DARK_OFFSET) * factor - DARK_OFFSET, 0.0, 255.0), np.float32)


def noise_sigma(difference: Levels, visible: Mask) -> float:
    """The noise of a difference picture, from its median: what moves in less than half of it has no say."""
    seen = difference[visible]
    return 1.4826 * float(np.median(seen)) if seen.size else 0.0


def fine_structure(levels: Levels) -> Levels:
    """Edges and texture without the brightness around them, which is what light changes."""
    return np.asarray(levels - cv2.GaussianBlur(levels, (0, 0), 4.0), np.float32)


def is_flat(structure: Levels) -> bool:
    """Too little structure to compare."""
    return float(structure.std()) < LEAST_TEXTURE


def likeness(a: Levels, b: Levels) -> float:
    """Correlation of two sets of pixels, -1..1; 0 when one of them is flat."""
    first, second = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > 1e-3 else 0.0


def as_png(gray: Any) -> bytes:
    """A small grey picture without loss."""
    done, encoded = cv2.imencode(".png", np.clip(np.rint(gray), 0, 255).astype(np.uint8))
    if not done:
        raise ValueError(f"a grey picture of the shape {gray.shape} cannot be written as PNG")
    return encoded.tobytes()


def from_png(data: bytes) -> Gray:
    """What `as_png` wrote."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        raise ValueError(f"{len(data)} bytes of a saved background are not a PNG")
    return np.asarray(decoded, np.uint8)
