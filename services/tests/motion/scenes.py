"""Scenes made by arithmetic: a textured place, a sensor's noise, and things that are known to happen in it."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import cv2
import numpy as np

from imagemill.motion import EventChange, Frame, SourceAnalyzer

WIDTH, HEIGHT = 640, 360
START = 1_790_000_000.0


def place(seed=1, contrast=1.0, level=110.0, flat=False):
    """A place with texture at several scales, edges of buildings, and a floor; or an evenly lit wall."""
    rng = np.random.default_rng(seed)
    ground = np.full((HEIGHT, WIDTH), level, np.float32)
    if not flat:
        for size, amplitude in ((8, 14.0), (32, 18.0), (90, 12.0)):
            coarse = rng.normal(0, 1, (HEIGHT // size + 2, WIDTH // size + 2)).astype(np.float32)
            ground += amplitude * cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for _ in range(14):
            x, y = int(rng.integers(0, WIDTH - 90)), int(rng.integers(0, HEIGHT - 90))
            ground[y : y + int(rng.integers(20, 90)), x : x + int(rng.integers(20, 90))] += rng.uniform(-45, 45)
    return np.clip((ground - level) * contrast + level, 5, 250)


def figure(ground, x, y, width=36, height=80, shade=40.0, seed=5, stripes=15.0):
    """A figure in front of the place: darker, with stripes of its own."""
    scene = ground.copy()
    rng = np.random.default_rng(seed)
    body = np.full((height, width), shade, np.float32) + rng.uniform(-stripes, stripes, (height, 1)).astype(np.float32)
    top, left = int(y), int(x)
    rows = slice(max(0, top), min(HEIGHT, top + height))
    columns = slice(max(0, left), min(WIDTH, left + width))
    if rows.start < rows.stop and columns.start < columns.stop:
        scene[rows, columns] = body[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return scene


def lamp(ground, x=430, y=120, radius=90, gain=0.9):
    """A lamp lit at a spot: light adds in proportion to what is there, with a soft edge."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    glow = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2)).astype(np.float32)
    return np.clip(ground * (1 + gain * glow), 0, 255)


def shaken(ground, dx, dy):
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(ground, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def as_picture(scene, rng, noise=3.0):
    """What a sensor makes of it, in colour."""
    tinted = scene[..., None] * np.array([0.96, 1.0, 1.03], np.float32)
    if noise:
        tinted += noise * np.roll(_grain(), tuple(rng.integers(0, HEIGHT, 2)), (0, 1))
    return np.clip(tinted, 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _grain():
    """Noise to be shifted about: drawing it anew for every frame would be most of the tests' time."""
    return np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)


def encode(picture, quality=88):
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


Scene = Callable[[int], np.ndarray]


def pictures(scene: Scene, count: int, noise=3.0, seed=7) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    return (as_picture(scene(index), rng, noise) for index in range(count))


def frames(scene: Scene, count: int, noise=3.0, seed=7, first=0) -> list[Frame]:
    """One frame a second, beginning at START + first; sequence numbers are the seconds."""
    made = pictures(lambda index: scene(index + first), count, noise, seed + first)
    return [Frame(START + first + i, encode(picture), first + i) for i, picture in enumerate(made)]


def watch(analyzer: SourceAnalyzer, seen: Iterable[Frame]) -> list[EventChange]:
    return [change for frame in seen for change in analyzer.see(frame)]


def summary(changes):
    """(change, kind) without the updates."""
    return [(step.change, step.event.kind) for step in changes if step.change != "update"]


def walk(ground, begin, end, speed=30.0, y=220, **looks) -> Scene:
    """A figure that comes in from the left at `begin` and is gone at `end`."""

    def at(second):
        if begin <= second < end:
            return figure(ground, -20 + speed * (second - begin), y, **looks)
        return ground

    return at


GROUND_FRAMES = frames(lambda second: place(), 10)
WALK_FRAMES = frames(walk(place(), 4, 24), 58)
