"""The steps from pixels to pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from imagemill.recipes import parameters, sizes
from imagemill.recipes.pixels import Pixels, has_alpha, on_colour, on_white, resized, to_8bit

Transform = Callable[[Pixels, Any], Pixels]
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def gray(pixels: Pixels, _: parameters.Gray) -> Pixels:
    """Grey; with transparency the grey stays in four channels, since OpenCV writes no grey with alpha."""
    if pixels.ndim == 2:
        return pixels
    if not has_alpha(pixels):
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY)
    return cv2.merge([grey, grey, grey, pixels[..., 3]])


def fit(pixels: Pixels, params: parameters.Fit) -> Pixels:
    """Shrink into the box."""
    size = sizes.inside(_size(pixels), (params.width, params.height))
    return pixels if size == _size(pixels) else resized(pixels, size)


def fill(pixels: Pixels, params: parameters.Fill) -> Pixels:
    """Shrink to cover the box and cut out its middle."""
    size = sizes.covering(_size(pixels), (params.width, params.height))
    covering = pixels if size == _size(pixels) else resized(pixels, size)
    left, top = max(0, (size[0] - params.width) // 2), max(0, (size[1] - params.height) // 2)
    return np.ascontiguousarray(covering[top : top + params.height, left : left + params.width])


def rotate(pixels: Pixels, params: parameters.Rotate) -> Pixels:
    """Turn clockwise."""
    return cv2.rotate(pixels, _TURNS[params.degrees])


def blur(pixels: Pixels, params: parameters.Blur) -> Pixels:
    """Gaussian blur."""
    return on_colour(pixels, lambda colours: cv2.GaussianBlur(colours, (0, 0), params.sigma))


def sharpen(pixels: Pixels, params: parameters.Sharpen) -> Pixels:
    """Unsharp mask."""

    def work(colours: Pixels) -> Pixels:
        soft = cv2.GaussianBlur(colours, (0, 0), params.sigma)
        return cv2.addWeighted(colours, 1 + params.amount, soft, -params.amount, 0)

    return on_colour(pixels, work)


def denoise(pixels: Pixels, params: parameters.Denoise) -> Pixels:
    """Non-local means; colour noise is taken as strong as that of brightness."""

    def work(colours: Pixels) -> Pixels:
        strength, windows = params.strength, (params.patch, params.search)
        if colours.ndim == 2:
            return cv2.fastNlMeansDenoising(colours, None, strength, *windows)
        return cv2.fastNlMeansDenoisingColored(colours, None, strength, strength, *windows)

    return on_colour(to_8bit(pixels), work)


def edges(pixels: Pixels, params: parameters.Edges) -> Pixels:
    """Canny's edges."""
    grey = gray(on_white(to_8bit(pixels)), parameters.Gray())
    return cv2.Canny(grey, params.low, params.high)


TRANSFORMS: dict[str, Transform] = {
    step.__name__: step for step in (gray, fit, fill, rotate, blur, sharpen, denoise, edges)
}


def _size(pixels: Pixels) -> sizes.Size:
    return pixels.shape[1], pixels.shape[0]
