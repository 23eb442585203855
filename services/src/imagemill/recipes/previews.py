"""Previews: small pictures for lists, made of pixels that are there anyway. No picture fails for the sake of one.

Pixels are shrunk before anything else is done with them: what is left is a fraction of what was there.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
from PIL import Image

from imagemill.admission import headers
from imagemill.domain.previews import MAX_BYTES, is_light
from imagemill.recipes import sizes
from imagemill.recipes.decoding import DecodePlan, decode
from imagemill.recipes.pixels import Pixels, has_alpha, on_white, to_8bit

# Nearly all photos fit at the first of them; the last is for what is hardly more than noise.
_QUALITIES = (70, 45, 20, 5)
_SMALLER = 0.7


def of_original(data: bytes, decoded: Pixels, plan: DecodePlan, side: int) -> bytes | None:
    """An original's preview; None when `side` is 0, when the original is light itself, or when it cannot be made.

    What was decoded for a recipe may lack the colours, or be smaller than a preview. Then it is decoded again, which
    for a JPEG costs less than the first time: it is reduced on the way.
    """
    if not side:
        return None
    info = headers.read(data)
    if is_light(info.content_type, len(data)):
        return None
    is_large = max(decoded.shape[:2]) >= min(side, max(info.width, info.height))
    if is_large and not (plan.grey and info.colour != "grey"):
        return _attempted(lambda: webp(decoded, side))
    small = DecodePlan(needed=lambda size: sizes.inside(size, (side, side)))
    return _attempted(lambda: webp(decode(data, small)[0], side))


def of_result(encoded: bytes, content_type: str, pixels: Pixels, side: int, same: bytes | None) -> bytes | None:
    """A result's preview, `same` if there is one that shows the same.

    None when `side` is 0, when the result is light itself, or when it cannot be made.
    """
    if not side or is_light(content_type, len(encoded)):
        return None
    return same or _attempted(lambda: webp(pixels, side))


def webp(pixels: Pixels, side: int) -> bytes:
    """At most MAX_BYTES of WebP, the longer side at most `side` pixels, on white what is transparent."""
    height, width = pixels.shape[:2]
    small = to_8bit(_shrunk(pixels, sizes.inside((width, height), (side, side))))
    for quality in _QUALITIES:
        data = _encoded(small, quality)
        if len(data) <= MAX_BYTES:
            return data
    return webp(small, int(side * _SMALLER))


def _attempted(make: Callable[[], bytes]) -> bytes | None:
    try:
        return make()
    except Exception:  # decoders and encoders raise whatever they stumble over
        return None


def _shrunk(pixels: Pixels, size: sizes.Size) -> Pixels:
    if not has_alpha(pixels):
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    # Every so many-th pixel of twice as many as are wanted: to weigh all of them would take five times as long.
    every = max(1, min(pixels.shape[1] // (2 * size[0]), pixels.shape[0] // (2 * size[1])))
    return cv2.resize(on_white(pixels[::every, ::every]), size, interpolation=cv2.INTER_AREA)


def _encoded(pixels: Pixels, quality: int) -> bytes:
    """By Pillow, whose method 1 takes a third of the time of OpenCV's only one, for a tenth more bytes."""
    file = io.BytesIO()
    shown = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    Image.fromarray(shown).save(file, "WEBP", quality=quality, method=1)
    return file.getvalue()
