"""Arrays of pixels: height × width (grey), × 3 (BGR) or × 4 (BGR with alpha), of 8 or 16 bits, upright."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]


def has_alpha(pixels: Pixels) -> bool:
    """Whether the array has an alpha channel."""
    return pixels.ndim == 3 and pixels.shape[2] == 4


def to_8bit(pixels: Pixels) -> Pixels:
    """16 bits scaled to 8 so that white stays white (divided by 257), rounded; 8 bits as they are."""
    return pixels if pixels.dtype == np.uint8 else cv2.convertScaleAbs(pixels, alpha=1 / 257)


def on_white(pixels: Pixels) -> Pixels:
    """Without alpha, as it looks on white paper."""
    if not has_alpha(pixels):
        return pixels
    top = _top(pixels)
    alpha = pixels[..., 3:].astype(np.float32) / top
    return _rounded(pixels[..., :3] * alpha + top * (1 - alpha), pixels)


def on_colour(pixels: Pixels, work: Callable[[Pixels], Pixels]) -> Pixels:
    """Work on the colours alone and put the alpha channel, if there is one, back."""
    if not has_alpha(pixels):
        return work(pixels)
    return np.dstack([work(np.ascontiguousarray(pixels[..., :3])), pixels[..., 3]])


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Shrink to (width, height); colours count by their alpha, so that invisible ones do not shine through."""
    if not has_alpha(pixels):
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    top = _top(pixels)
    weighted = pixels.astype(np.float32)
    weighted[..., :3] = weighted[..., :3] * (weighted[..., 3:] / top)
    small = cv2.resize(weighted, size, interpolation=cv2.INTER_AREA)
    small[..., :3] = small[..., :3] * (top / np.maximum(small[..., 3:], 1e-3))
    return _rounded(small, pixels)


def oriented(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as the EXIF orientation (1 to 8) says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _top(pixels: Pixels) -> float:
    return float(np.iinfo(pixels.dtype).max)


def _rounded(values: Pixels, like: Pixels) -> Pixels:
    return np.clip(np.rint(values), 0, _top(like)).astype(like.dtype)
