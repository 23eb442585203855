"""A person as a camera sees one from afar: head, shoulders, arms and legs, shaded, in front of a scene."""

import cv2
import numpy as np

# Bits of a fraction of a pixel in the points that OpenCV is given.
_SHIFT = 4
# All as shares of the figure's height, from its middle and from its head downwards.
_TRUNK = [(-0.115, 0.19), (-0.05, 0.165), (0.05, 0.165), (0.115, 0.19), (0.1, 0.36), (0.095, 0.52), (-0.095, 0.52),
          (-0.1, 0.36)]  # fmt: skip
_NECK = [((0, 0.13), (0, 0.18), 0.05)]


def person(ground, x, feet, height, shade=40.0, stride=0.0):
    """The scene with a person whose middle is at `x` and who stands at `feet`; `stride` spreads the legs."""
    shape = _silhouette(ground.shape, x, feet, height, stride)
    light = shade + 12 * np.sin((np.arange(ground.shape[1]) - x) / (0.1 * height))
    return (ground * (1 - shape) + light * shape).astype(np.float32)


def person_box(shape, x, feet, height):
    """Where that person is, as shares of the picture: x, y, width, height."""
    full_height, full_width = shape[:2]
    return (
        (x - 0.15 * height) / full_width,
        (feet - height) / full_height,
        0.3 * height / full_width,
        height / full_height,
    )


def _silhouette(shape, x, feet, height, stride):
    drawn = np.zeros(shape[:2], np.uint8)

    def at(across, down):
        return round((x + across * height) * 2**_SHIFT), round((feet - (1 - down) * height) * 2**_SHIFT)

    head = (round(0.055 * height * 2**_SHIFT), round(0.075 * height * 2**_SHIFT))
    cv2.ellipse(drawn, at(0, 0.075), head, 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    cv2.fillPoly(drawn, [np.array([at(*point) for point in _TRUNK], np.int32)], 255, cv2.LINE_AA, _SHIFT)
    for begin, end, width in _NECK + _limbs(-1, stride) + _limbs(1, stride):
        cv2.line(drawn, at(*begin), at(*end), 255, max(1, round(width * height)), cv2.LINE_AA, _SHIFT)
    return drawn.astype(np.float32) / 255


def _limbs(side, stride):
    """Arm, leg and foot of one side: from, to, width."""
    knee, foot = side * (0.055 + stride / 2), side * (0.06 + stride)
    return [
        ((side * 0.105, 0.21), (side * 0.13, 0.36), 0.06),
        ((side * 0.13, 0.36), (side * 0.135, 0.5), 0.05),
        ((side * 0.05, 0.5), (knee, 0.74), 0.085),
        ((knee, 0.74), (foot, 0.96), 0.065),
        ((foot, 0.975), (foot + side * 0.025, 0.975), 0.04),
    ]
