"""From changed pixels to regions: where, how large, how sure, and whether light alone explains them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from imagemill.domain.events import Region
from imagemill.motion.pixels import Levels, Mask, fine_structure, is_flat, likeness

# A picture full of leaves has hundreds of regions; the largest tell enough, and the work stays bounded.
MOST_REGIONS = 24
# Of what differs from the background, the share that also differs from the frame before. Measured: a figure that
# walks slowly has 0.2 and more, a parked car or a lamp in the second after it was lit below 0.02.
LEAST_FRESH = 0.08
# Correlation of fine structure under changed light. Measured on texture: lit 0.9 and more, behind a mover below 0.4.
LIGHT_LIKENESS = 0.7
# Where there is no texture to compare, light has a soft edge: the slope of the difference along the outline, as a share
# of the difference per pixel. Measured: figures 0.2 to 0.4, lamps on an empty wall below 0.045.
LEAST_SLOPE = 0.1
# The share of a region that must lie in a zone for the region to be of that zone.
LEAST_IN_ZONE = 0.25


@dataclass(frozen=True)
class Scene:
    """What regions are found in: the difference (gain applied), its threshold, both pictures and what is fresh."""

    difference: Levels
    threshold: float
    visible: Mask
    background: Levels
    current: Levels
    fresh: Mask
    zones: Mapping[str, Mask]


@dataclass(frozen=True)
class RegionsFound:
    """Regions in motion, and whether others were explained by light or by a thing that came to rest."""

    moving: tuple[Region, ...]
    lit: bool
    still: bool


def changed_mask(difference: Levels, threshold: float, visible: Mask) -> Mask:
    """The pixels above the threshold that no mask covers."""
    return np.asarray((difference > threshold) & visible, np.bool_)


def changed_share(changed: Mask, visible: Mask) -> float:
    """Changed pixels among those that are looked at."""
    return float(np.count_nonzero(changed)) / max(1, int(np.count_nonzero(visible)))


def find_regions(scene: Scene, min_area: float) -> RegionsFound:
    """Threshold, dilate, contours; then each region is judged by itself."""
    changed = changed_mask(scene.difference, scene.threshold, scene.visible)
    moving: list[Region] = []
    lit = still = False
    for blob in _blobs(changed, min_area):
        if not _is_fresh(scene, blob):
            still = True
        elif _is_light(scene, blob):
            lit = True
        else:
            moving.append(_region(scene, blob, min_area))
    return RegionsFound(tuple(sorted(moving, key=lambda region: -region.score * region.area)), lit, still)


@dataclass(frozen=True)
class _Blob:
    box: tuple[slice, slice]
    pixels: Mask  # the changed pixels inside the box, not dilated
    area: float


def _blobs(changed: Mask, min_area: float) -> list[_Blob]:
    # Dilating joins the parts of one mover; its area is still counted before, so a speck does not grow into a region.
    joined = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2)
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    blobs = [_blob(changed, contour) for contour in sorted(contours, key=cv2.contourArea)[-MOST_REGIONS:]]
    return [blob for blob in blobs if blob.area >= min_area]


def _blob(changed: Mask, contour: Any) -> _Blob:
    x, y, width, height = cv2.boundingRect(contour)
    box = (slice(y, y + height), slice(x, x + width))
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [contour], -1, [1], cv2.FILLED, offset=(-x, -y))
    pixels = changed[box] & (inside > 0)
    return _Blob(box, pixels, float(np.count_nonzero(pixels)) / changed.size)


def _is_fresh(scene: Scene, blob: _Blob) -> bool:
    fresh = int(np.count_nonzero(scene.fresh[blob.box] & blob.pixels))
    return fresh >= LEAST_FRESH * int(np.count_nonzero(blob.pixels))


def _is_light(scene: Scene, blob: _Blob) -> bool:
    before = fine_structure(scene.background[blob.box])[blob.pixels]
    now = fine_structure(scene.current[blob.box])[blob.pixels]
    return likeness(before, now) > LIGHT_LIKENESS if not is_flat(before) else _slope(scene, blob) < LEAST_SLOPE


def _slope(scene: Scene, blob: _Blob) -> float:
    difference = scene.difference[blob.box]
    across, down = (cv2.Sobel(difference, cv2.CV_32F, dx, 1 - dx, scale=0.125) for dx in (1, 0))
    filled = np.pad(blob.pixels.astype(np.uint8), 1)  # a blob that fills its box has its outline at the box's edge
    outline = (filled - cv2.erode(filled, np.ones((5, 5), np.uint8)))[1:-1, 1:-1] > 0
    return float(np.hypot(across, down)[outline].mean()) / float(difference[blob.pixels].mean())


def _region(scene: Scene, blob: _Blob, min_area: float) -> Region:
    height, width = scene.difference.shape
    rows, columns = blob.box
    strength = blob.area / min_area * float(scene.difference[blob.box][blob.pixels].mean()) / scene.threshold
    return Region(
        x=columns.start / width,
        y=rows.start / height,
        width=(columns.stop - columns.start) / width,
        height=(rows.stop - rows.start) / height,
        area=blob.area,
        # The smallest that is a region at all scores 0.25, one three times as large or as clear 0.5, and so on to 1.
        score=strength / (strength + 3.0),
        zones=_zones_of(scene, blob),
    )


def _zones_of(scene: Scene, blob: _Blob) -> tuple[str, ...]:
    count = np.count_nonzero(blob.pixels)
    return tuple(
        name
        for name, zone in scene.zones.items()
        if np.count_nonzero(zone[blob.box] & blob.pixels) >= LEAST_IN_ZONE * count
    )
