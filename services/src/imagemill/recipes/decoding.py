"""From a picture's bytes to upright pixels, in the mode that costs the least and loses nothing the recipe can keep."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

import cv2
import numpy as np
from PIL import GifImagePlugin, ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from imagemill.admission import headers
from imagemill.recipes import parameters, sizes
from imagemill.recipes.complaints import STREAM
from imagemill.recipes.model import ImageError, Step
from imagemill.recipes.pixels import Pixels, oriented

MAX_PIXELS = 1 << 28
"""A second lock behind the door's verdict: nothing above this is decoded, whatever the settings say."""

_REDUCED_GREY = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
_AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
"""Grey stays grey and 16 bits stay 16; other than IMREAD_UNCHANGED this turns the picture upright, and drops alpha."""

_PILLOW: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "image/gif": GifImagePlugin.GifImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
"""The classes rather than Image.open, which warns of large pictures through process-wide state."""


@dataclass(frozen=True)
class DecodePlan:
    """What the steps that follow leave to be decoded: brightness alone; no more than a certain size."""

    grey: bool = False
    needed: Callable[[sizes.Size], sizes.Size] | None = None


def plan_for(steps: Iterable[Step]) -> DecodePlan:
    """Derived from the leading steps that decoding can take over: grey, and the first that shrinks."""
    leading = [step.params for step in takewhile(lambda step: step.name in ("gray", "fit", "fill"), steps)]
    grey = any(isinstance(params, parameters.Gray) for params in leading)
    boxes = [params for params in leading if isinstance(params, parameters.Box)]
    return DecodePlan(grey, _needed(boxes[0]) if boxes else None)


def decode(data: bytes, plan: DecodePlan) -> tuple[Pixels, bool]:
    """Upright pixels, and whether some are missing or wrong because the picture is damaged.

    Raises ImageError: `truncated`, `undecodable`, `too-many-pixels`, or a code of `headers`.
    """
    info = _checked(data)
    decoder = _with_pillow if _is_odd(info) else _with_alpha if _has_loose_alpha(info) else _with_opencv
    try:
        pixels, is_damaged = STREAM.listen(partial(decoder, data, info, plan))
    except ImageError:
        raise
    except Exception as error:  # decoders of hostile bytes raise whatever their parsers stumble over
        raise ImageError("undecodable", f"The {_name(info)} cannot be decoded: {error}") from error
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError("undecodable", f"The {_name(info)} cannot be decoded; its pixel data is damaged.")
    return pixels, is_damaged


def _checked(data: bytes) -> headers.Info:
    try:
        info = headers.read(data)
    except headers.HeaderError as error:
        raise ImageError(error.code, error.detail) from None
    if info.damage:
        raise ImageError("truncated", f"The {_name(info)} is not complete: {info.damage}.")
    if info.width * info.height > MAX_PIXELS:
        raise ImageError("too-many-pixels", f"The {_name(info)} has {info.width:,} × {info.height:,} pixels.")
    return info


def _is_odd(info: headers.Info) -> bool:
    """What OpenCV gets wrong: GIFs and first frames (it composes its own way), CMYK that is not inverted as Adobe's,
    grey PNGs with a transparent value (loses it), TIFFs of 8 bits with alpha (darkens colours by it).
    """
    return (
        info.content_type == "image/gif"
        or (info.frames > 1 and info.content_type != "image/tiff")
        or (info.content_type == "image/jpeg" and info.colour == "cmyk")
        or (info.content_type == "image/png" and info.colour == "grey" and info.alpha and info.bits <= 8)
        or (info.content_type == "image/tiff" and info.alpha and info.bits <= 8)
    )


def _has_loose_alpha(info: headers.Info) -> bool:
    return info.alpha and info.content_type in ("image/png", "image/webp")


def _with_opencv(data: bytes, info: headers.Info, plan: DecodePlan) -> Pixels | None:
    stored = np.frombuffer(data, np.uint8)
    if info.content_type == "image/tiff" and info.alpha:
        return cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)  # of TIFFs alone this turns upright
    return cv2.imdecode(stored, _flags(info, plan))


def _flags(info: headers.Info, plan: DecodePlan) -> int:
    by = _reduction(info, plan)
    if by == 1:
        return _GREY if plan.grey else _AS_STORED
    return _REDUCED_GREY[by] | (0 if plan.grey else cv2.IMREAD_ANYCOLOR)


def _reduction(info: headers.Info, plan: DecodePlan) -> int:
    """Only JPEG's decoder gets cheaper by it. The orientation is not known yet: it has to do for both ways up."""
    if plan.needed is None or info.content_type != "image/jpeg":
        return 1
    size, turned = (info.width, info.height), (info.height, info.width)
    return min(sizes.reduction(size, plan.needed(size)), sizes.reduction(turned, plan.needed(turned)))


def _with_alpha(data: bytes, info: headers.Info, plan: DecodePlan) -> Pixels | None:  # noqa: ARG001 - one signature
    """Alpha is kept by IMREAD_UNCHANGED alone, which leaves the picture as the camera was held."""
    stored = np.frombuffer(data, np.uint8)
    pixels, kinds, blocks = cv2.imdecodeWithMetadata(stored, flags=cv2.IMREAD_UNCHANGED)
    exif = next((b.tobytes() for kind, b in zip(kinds, blocks, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), b"")
    return pixels if pixels is None else oriented(pixels, headers.orientation(exif))


def _with_pillow(data: bytes, info: headers.Info, plan: DecodePlan) -> Pixels | None:  # noqa: ARG001 - one signature
    with _PILLOW[info.content_type](io.BytesIO(data)) as opened:
        image = ImageOps.exif_transpose(opened)
        if info.colour == "cmyk" and info.content_type == "image/jpeg":
            image = image.point(lambda value: 255 - value)  # Pillow takes every CMYK JPEG for an inverted one
        if image.has_transparency_data:
            return cv2.cvtColor(np.asarray(image.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
        if image.mode in ("1", "L"):
            return np.array(image.convert("L"))
        return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def _needed(box: parameters.Box) -> Callable[[sizes.Size], sizes.Size]:
    rule = sizes.inside if isinstance(box, parameters.Fit) else sizes.covering
    return partial(rule, box=(box.width, box.height))


def _name(info: headers.Info) -> str:
    return f"{info.content_type.removeprefix('image/').upper()} of {info.width:,} × {info.height:,} pixels"
