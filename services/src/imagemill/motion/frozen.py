"""Notices a picture that stands still in a way that no live camera's does."""

import cv2
import numpy as np

from imagemill.motion.frames import Gray

# A live sensor's noise leaves at least 0.1 grey levels of mean difference in the small picture (measured with a sigma
# of 2 levels at 1080p); a picture that is sent again leaves 0, decoded again after a key frame at most this.
MOST_MEAN = 0.02
MOST_LEVELS = 2


class FrozenWatch:
    """How long the picture has been the same; it is compared with the first of its kind, so nothing drifts away."""

    def __init__(self, frozen_seconds: float) -> None:
        self.frozen_seconds = frozen_seconds
        self.same_seconds = 0.0
        self._reference: Gray | None = None

    def see(self, gray: Gray, elapsed_seconds: float) -> bool:
        """True while the picture has been the same for `frozen_seconds`."""
        if self._reference is None or not is_same(self._reference, gray):
            self._reference, self.same_seconds = gray, 0.0
        else:
            self.same_seconds += elapsed_seconds
        return self.same_seconds >= self.frozen_seconds

    def resume(self, gray: Gray | None, same_seconds: float) -> None:
        """Carry on after a restart."""
        self._reference, self.same_seconds = gray, same_seconds

    @property
    def reference(self) -> Gray | None:
        """The first of the pictures that are the same."""
        return self._reference


def is_same(a: Gray, b: Gray) -> bool:
    """The same but for what decoding it again leaves open."""
    if a.shape != b.shape:
        return False
    difference = cv2.absdiff(a, b)
    return float(np.mean(difference)) <= MOST_MEAN and int(difference.max()) <= MOST_LEVELS
