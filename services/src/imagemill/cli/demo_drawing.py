"""Drawn pictures for a first look, by the standard library alone: landscapes, and somebody who walks through a yard."""

import math
import random
import struct
import zlib
from collections.abc import Iterator, Sequence

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB = 2
_AS_IT_IS = b"\x00"
_NOON = 12.0
_NIGHT, _DAY = (16, 20, 56), (120, 180, 240)
_STEPS = 6


class Canvas:
    """Rows of RGB pixels, on which convex shapes are drawn over each other."""

    def __init__(self, width: int, height: int, top: Colour, bottom: Colour) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(mixed(top, bottom, y / height)) * width) for y in range(height)]

    def fill(self, corners: Sequence[Point], colour: Colour) -> None:
        """A convex polygon; its corners in pixels, in order round it. What lies outside is cut off."""
        ys = [y for _, y in corners]
        for row in range(max(0, math.ceil(min(ys))), min(self.height, math.floor(max(ys)) + 1)):
            xs = list(_crossings(corners, row))
            if xs:
                left, right = (min(max(round(x), 0), self.width) for x in (min(xs), max(xs)))
                self._rows[row][3 * left : 3 * right] = bytes(colour) * (right - left)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A circle, as far as so many corners make one."""
        turns = [math.tau * turn / 32 for turn in range(32)]
        self.fill(
            [(centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)) for turn in turns], colour
        )

    def png(self) -> bytes:
        """The picture as a PNG file."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, _RGB, 0, 0, 0)
        body = zlib.compress(b"".join(_AS_IT_IS + row for row in self._rows), 6)
        return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def landscape(hour: float, seed: int, width: int = 960, height: int = 540) -> bytes:
    """A PNG of hills and a house at an hour of the day, other ones for each seed."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    light = math.cos((hour - _NOON) / _NOON * math.pi) / 2 + 0.5
    sky = mixed(_NIGHT, _DAY, light)
    canvas = Canvas(width, height, sky, mixed(sky, (255, 214, 170), 0.6))
    across, horizon = hour / 24, height * 0.62
    canvas.disc(
        (width * across, horizon - height * 0.5 * light), height * 0.07, mixed((230, 230, 210), (255, 236, 140), light)
    )
    for depth in range(3):
        colour = mixed((14, 40, 34), mixed((60, 120, 70), (120, 170, 90), depth / 2), 0.25 + 0.75 * light)
        for _ in range(4):
            top, foot, half = (
                chance.uniform(0.3, 0.55) + depth * 0.13,
                chance.uniform(0, 1) * width,
                chance.uniform(0.2, 0.4) * width,
            )
            canvas.fill([(foot - half, height), (foot, height * top), (foot + half, height)], colour)
    _house(canvas, (width * chance.uniform(0.2, 0.7), height * 0.9), height * 0.22, light)
    return canvas.png()


def walk(frames: int, width: int = 640, height: int = 360) -> Iterator[bytes]:
    """PNGs of a yard: empty for the first quarter, then somebody walks through it, then it is empty again."""
    begin, end = frames // 4, frames - frames // 8
    for number in range(frames):
        canvas = Canvas(width, height, (150, 175, 200), (196, 206, 214))
        canvas.fill([(0, height * 0.6), (width, height * 0.6), (width, height), (0, height)], (128, 134, 118))
        _house(canvas, (width * 0.72, height * 0.66), height * 0.3, 1.0)
        if begin <= number < end:
            _figure(canvas, (width * (number - begin) / (end - begin), height * 0.92), height * 0.45, number)
        yield canvas.png()


def cut_short(picture: bytes) -> bytes:
    """A file of which the second half did not arrive."""
    return picture[: len(picture) // 2]


def garbled(picture: bytes) -> bytes:
    """A file that looks like a picture from outside, and whose pixels are none."""
    begin, end = picture.index(b"IDAT") + 4, picture.rindex(b"IEND") - 8
    return picture[:begin] + bytes(end - begin) + picture[end:]


def _house(canvas: Canvas, foot: Point, size: float, light: float) -> None:
    left, bottom = foot
    right, eaves = left + 1.3 * size, bottom - 0.7 * size
    wall, window = mixed((60, 50, 60), (226, 206, 176), light), mixed((255, 222, 120), (90, 130, 160), light)
    canvas.fill([(left, eaves), (right, eaves), (right, bottom), (left, bottom)], wall)
    canvas.fill(
        [(left - 0.1 * size, eaves), ((left + right) / 2, eaves - 0.5 * size), (right + 0.1 * size, eaves)],
        (150, 70, 60),
    )
    for place in (0.2, 0.8):
        x, y = left + place * size, eaves + 0.15 * size
        canvas.fill([(x, y), (x + 0.25 * size, y), (x + 0.25 * size, y + 0.25 * size), (x, y + 0.25 * size)], window)


def _figure(canvas: Canvas, feet: Point, size: float, step: int) -> None:
    x, bottom = feet
    hip, neck = bottom - 0.45 * size, bottom - 0.85 * size
    swing = 0.16 * size * math.sin(math.tau * step / _STEPS)
    for leg in (swing, -swing):
        canvas.fill(
            [
                (x - 0.06 * size, hip),
                (x + 0.06 * size, hip),
                (x + leg + 0.05 * size, bottom),
                (x + leg - 0.05 * size, bottom),
            ],
            (40, 46, 70),
        )
    canvas.fill(
        [(x - 0.12 * size, neck), (x + 0.12 * size, neck), (x + 0.1 * size, hip), (x - 0.1 * size, hip)], (190, 50, 50)
    )
    canvas.disc((x, neck - 0.09 * size), 0.09 * size, (236, 196, 166))


def _crossings(corners: Sequence[Point], y: float) -> Iterator[float]:
    """Where a polygon's sides cross a line."""
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if min(y1, y2) <= y <= max(y1, y2) and y1 != y2:
            yield x1 + (y - y1) / (y2 - y1) * (x2 - x1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
