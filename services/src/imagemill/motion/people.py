"""People by OpenCV's own detector (HOG with a linear SVM): needs no model file, is slow, and says how slow."""

import time
from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np

from imagemill.domain.events import Box, People, Region
from imagemill.motion.frames import Picture

WINDOW_WIDTH, WINDOW_HEIGHT = 64, 128
# At 480 pixels' height people of a fifth of the picture and more are found; twice the height finds half as large ones
# in four times the time. What is wider than 1,920 pixels then is made smaller still, so that the time is bounded.
HEIGHT, MOST_WIDTH = 480, 4 * 480
# The window wants room about a person, which cameras cut off. Measured with figures whose feet are at the lower edge:
# 37 of 40 are found with this margin, 3 without; finding takes 1.4 times as long.
MARGIN = 0.1
# Weights of the support vector machine; below 0.5 trees and door frames are people.
LEAST_WEIGHT = 0.5
# 16 of the window's pixels on each side are room about the person; 4 are left for arms and steps.
ROOM_ACROSS, ROOM_DOWN = 12 / WINDOW_WIDTH, 12 / WINDOW_HEIGHT


def among(people: People, regions: Iterable[Region]) -> People:
    """Keep those who overlap one of the regions."""
    areas = [(region.x, region.y, region.width, region.height) for region in regions]
    boxes = tuple(box for box in people.boxes if any(_overlap(box, area) for area in areas))
    return People.found(boxes, people.seconds)


class PeopleDetector:
    """Finds people who stand or walk; the clock is passed in so that the time it states can be tested."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))

    def __call__(self, picture: Picture) -> People:
        """Find people in a picture in colour."""
        began = self._clock()
        boxes = self._found(_small(picture))
        return People.found(boxes, self._clock() - began)

    def _found(self, small: Picture) -> tuple[Box, ...]:
        margin = round(small.shape[0] * MARGIN)
        framed = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        # OpenCV writes beyond its memory when the window does not fit; and nobody is in so small a picture.
        if framed.shape[0] < WINDOW_HEIGHT or framed.shape[1] < WINDOW_WIDTH:
            return ()
        found, weights = self._hog.detectMultiScale(framed, winStride=(8, 8), padding=(8, 8), scale=1.05)
        pairs = zip(found, np.ravel(weights), strict=True)
        return tuple(_person(box, margin, small.shape) for box, weight in pairs if weight >= LEAST_WEIGHT)


def _small(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, HEIGHT / height, MOST_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _overlap(one: Box, other: Box) -> bool:
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def _person(box: Sequence[int], margin: int, shape: tuple[int, ...]) -> Box:
    """The person in the detector's box, as shares of the picture; what lies outside of it is cut off."""
    x, y, across, down = (int(value) for value in box)
    left, right = _within(x - margin, across, ROOM_ACROSS, shape[1])
    top, bottom = _within(y - margin, down, ROOM_DOWN, shape[0])
    return left, top, right - left, bottom - top


def _within(start: int, length: int, room: float, full: int) -> tuple[float, float]:
    begin, end = start + room * length, start + (1 - room) * length
    return min(max(begin / full, 0.0), 1.0), min(max(end / full, 0.0), 1.0)
