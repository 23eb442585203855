"""A place in front of a camera through which somebody walks, as grey pictures. Nothing but the standard library."""

import random

WIDTH, HEIGHT = 320, 180
PICTURES_PER_SECOND = 5
# Somebody crosses from the left within six of every twenty seconds; the first five are quiet.
PERIOD_SECONDS, BEGINS, ENDS = 20.0, 5.0, 11.0
BLOCK = 20
FIGURE_WIDTH, FIGURE_HEIGHT, FIGURE_TOP = 20, 56, 110
NOISE_LEVELS = 3


def ground() -> bytes:
    """Blocks of different shades: a place with structure."""
    shades = random.Random(4)  # noqa: S311
    rows = []
    for _ in range(HEIGHT // BLOCK):
        row = b"".join(bytes([shades.randint(70, 180)]) * BLOCK for _ in range(WIDTH // BLOCK))
        rows.append(row * BLOCK)
    return b"".join(rows)


def noisy(picture: bytes, seed: int) -> bytes:
    """With what a sensor adds; a picture without any would be taken for a frozen one."""
    noise = random.Random(seed)  # noqa: S311
    return bytes(level + noise.randint(-NOISE_LEVELS, NOISE_LEVELS) for level in picture)


GROUNDS = [noisy(ground(), seed) for seed in range(8)]


def picture(number: int) -> bytes:
    """The picture of that number, one byte for a pixel."""
    shown = bytearray(GROUNDS[number % len(GROUNDS)])
    second = number / PICTURES_PER_SECOND % PERIOD_SECONDS
    if BEGINS <= second < ENDS:
        way = (second - BEGINS) / (ENDS - BEGINS)
        draw_figure(shown, round(way * (WIDTH + FIGURE_WIDTH)) - FIGURE_WIDTH)
    return bytes(shown)


def draw_figure(shown: bytearray, left: int) -> None:
    """Dark, with stripes of its own."""
    first, end = max(0, left), min(WIDTH, left + FIGURE_WIDTH)
    for row in range(FIGURE_TOP, FIGURE_TOP + FIGURE_HEIGHT):
        shade = 20 + 15 * (row // 4 % 2)
        shown[row * WIDTH + first : row * WIDTH + end] = bytes([shade]) * (end - first)
