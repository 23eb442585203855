"""People by OpenCV's own detector (HOG with a linear SVM): needs no model file, is slow, and says how slow.

OpenCV 5 has it in its contrib build only; `PeopleDetector` says so when it is missing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from imagemill.motion.frames import Picture

Box = tuple[float, float, float, float]

# The detector's window is 64 × 128 pixels: at 480 pixels' height it finds people of a quarter of the picture and more.
# Twice the height finds half as large ones in four times the time.
HEIGHT = 480
# Weights of the support vector machine; below 0.5 trees and door frames are people.
LEAST_WEIGHT = 0.5


class PeopleDetectionMissingError(RuntimeError):
    """OpenCV was built without the people detector."""


@dataclass(frozen=True)
class People:
    """Boxes as shares of the picture (x, y, width, height), and the seconds that finding them took."""

    boxes: tuple[Box, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """What to show beside the result."""
        count = len(self.boxes)
        return f"{count} {'person' if count == 1 else 'people'} found in {self.seconds:.2f} s per frame"


def is_available() -> bool:
    """Whether this OpenCV has the detector."""
    return hasattr(cv2, "HOGDescriptor")


class PeopleDetector:
    """Finds people who stand or walk; the clock is passed in so that the time it states can be tested."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        if not is_available():
            raise PeopleDetectionMissingError(
                f"people detection needs OpenCV's HOG detector, which the OpenCV {cv2.__version__} installed here does "
                "not have; install opencv-contrib-python-headless in place of opencv-python-headless, or switch "
                "people detection off for this camera"
            )
        self._clock = clock
        # Looked up by name: the type stubs of builds without the detector do not know it.
        hog_type: Any = getattr(cv2, "HOGDescriptor")  # noqa: B009
        self._hog = hog_type()
        self._hog.setSVMDetector(hog_type.getDefaultPeopleDetector())

    def __call__(self, picture: Picture) -> People:
        """Find people in a picture in colour."""
        began = self._clock()
        height, width = picture.shape[:2]
        scale = min(1.0, HEIGHT / height)
        small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        found, weights = self._hog.detectMultiScale(small, winStride=(8, 8), padding=(8, 8), scale=1.05)
        boxes = tuple(
            _relative(box, small)
            for box, weight in zip(found, np.ravel(weights), strict=True)
            if float(weight) >= LEAST_WEIGHT
        )
        return People(boxes, self._clock() - began)


def _relative(box: Any, picture: Any) -> Box:
    height, width = picture.shape[:2]
    x, y, across, down = (float(value) for value in box)
    return x / width, y / height, across / width, down / height
