"""Sizes in pixels, as (width, height)."""

from __future__ import annotations

from math import ceil

Size = tuple[int, int]


def inside(size: Size, box: Size) -> Size:
    """The largest size of the same shape that fits into the box; never larger than it was."""
    return _scaled(size, min(1.0, box[0] / size[0], box[1] / size[1]))


def covering(size: Size, box: Size) -> Size:
    """The smallest size of the same shape that covers the box; never larger than it was."""
    return _scaled(size, min(1.0, max(box[0] / size[0], box[1] / size[1])))


def reduction(size: Size, needed: Size) -> int:
    """How far a JPEG may be reduced while it is decoded (1, 2, 4 or 8; rounded up) and still have the needed size."""
    return next(
        by for by in (8, 4, 2, 1) if all(ceil(has / by) >= wants for has, wants in zip(size, needed, strict=True))
    )


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
