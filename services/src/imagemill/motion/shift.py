"""By how much one picture is shifted against another: how a shaken camera is told from motion."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from imagemill.motion.pixels import Levels, Mask

# Below 0.3 pixels edges differ by less than the threshold after the blur; measuring says so reliably from there on.
LEAST_PIXELS = 0.3
# A shaken camera moves the picture by a few per cent; a larger shift is another view.
MOST_SHARE = 0.15
# The correlation in its peak. Measured: the same place 1.2, with a mover over 44 % of the picture 0.47; different
# places below 0.01; two pictures of an empty wall 0.28, where the shift found is only noise.
LEAST_RESPONSE = 0.35


@dataclass(frozen=True)
class Shift:
    """Pixels to the right and down."""

    dx: float
    dy: float

    def is_near(self, other: "Shift") -> bool:
        """The same but for what measuring leaves open."""
        return abs(self.dx - other.dx) < 0.5 and abs(self.dy - other.dy) < 0.5

    def since(self, before: "Shift") -> "Shift":
        """The way from another shift of the same picture to this one."""
        return Shift(self.dx - before.dx, self.dy - before.dy)


NO_SHIFT = Shift(0.0, 0.0)


def shift_between(reference: Levels, current: Levels) -> Shift | None:
    """How far `current` lies from `reference`, or None when it does not (or they are different pictures)."""
    # OpenCV multiplies its arguments by the window in place when their size needs no padding: it gets copies.
    (dx, dy), response = cv2.phaseCorrelate(reference.copy(), current.copy(), _window(*reference.shape))
    height, width = reference.shape
    if response < LEAST_RESPONSE or abs(dx) > MOST_SHARE * width or abs(dy) > MOST_SHARE * height:
        return None
    return Shift(dx, dy) if max(abs(dx), abs(dy)) >= LEAST_PIXELS else None


def moved(levels: Levels, shift: Shift) -> Levels:
    """The picture shifted; what comes in at the border repeats the edge."""
    matrix = np.array([[1, 0, shift.dx], [0, 1, shift.dy]], np.float32)
    size = (levels.shape[1], levels.shape[0])
    return np.asarray(
        cv2.warpAffine(levels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def known_after(visible: Mask, shift: Shift) -> Mask:
    """Where a shifted picture has real pixels, a margin for the blur left out."""
    height, width = visible.shape
    across, down = int(np.ceil(abs(shift.dx))) + 3, int(np.ceil(abs(shift.dy))) + 3
    known = np.zeros_like(visible)
    known[down : height - down, across : width - across] = True
    return visible & known


@lru_cache(maxsize=8)
def _window(height: int, width: int) -> Levels:
    return np.asarray(cv2.createHanningWindow((width, height), cv2.CV_32F), np.float32)
