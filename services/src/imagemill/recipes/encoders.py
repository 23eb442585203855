"""The steps from pixels to bytes. OpenCV's encoders write no metadata of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2

from imagemill.recipes import parameters
from imagemill.recipes import png as fast_png
from imagemill.recipes.model import ImageError
from imagemill.recipes.pixels import Pixels, on_white, to_8bit

Encoder = Callable[[Pixels, Any], bytes]
_LARGEST_PNG = 1_000_000
_LOSSLESS = 101
"""OpenCV's way to ask for a lossless WebP: a quality above 100."""


def jpeg(pixels: Pixels, params: parameters.Jpeg) -> bytes:
    """JPEG."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, params.quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(params.progressive)]
    return _encoded(".jpg", on_white(to_8bit(pixels)), flags, largest_side=65_500)


def png(pixels: Pixels, params: parameters.Png) -> bytes:
    """PNG."""
    if params.compression is None:
        _check_size(".png", pixels, _LARGEST_PNG)
        return fast_png.encode(pixels)
    return _encoded(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, params.compression], _LARGEST_PNG)


def webp(pixels: Pixels, params: parameters.Webp) -> bytes:
    """WebP."""
    quality = _LOSSLESS if params.lossless else params.quality
    return _encoded(".webp", to_8bit(pixels), [cv2.IMWRITE_WEBP_QUALITY, quality], largest_side=16_383)


ENCODERS: dict[str, Encoder] = {step.__name__: step for step in (jpeg, png, webp)}


def _check_size(extension: str, pixels: Pixels, largest_side: int) -> None:
    height, width = pixels.shape[:2]
    if max(height, width) > largest_side:
        detail = (
            f"A picture of {width:,} × {height:,} pixels is too large for {extension}: at most {largest_side:,} "
            "on each side. Let the recipe fit it into a box before."
        )
        raise ImageError("unencodable", detail)


def _encoded(extension: str, pixels: Pixels, flags: Sequence[int], largest_side: int) -> bytes:
    _check_size(extension, pixels, largest_side)
    encoded, data = cv2.imencode(extension, pixels, flags)
    if not encoded:
        height, width = pixels.shape[:2]
        raise ImageError("unencodable", f"OpenCV could not write {width:,} × {height:,} pixels as {extension}.")
    return data.tobytes()
