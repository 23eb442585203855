"""`make bench-previews`: CPU time and bytes of the previews of a 1080p photo, in one run with the work itself."""

import statistics
import time

import cv2
import numpy as np

import pictures
from bench.table import show
from imagemill import recipes
from imagemill.settings import Settings

PHOTOS = 12
RECIPES = ("gray", "compress", "webp", "thumbnail")


def photos() -> dict[str, list[bytes]]:
    """The same photos as JPEG and as PNG."""
    jpegs = [pictures.photo_jpeg(1920, 1080, seed) for seed in range(PHOTOS)]
    pixels = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in jpegs]
    return {"JPEG": jpegs, "PNG": [cv2.imencode(".png", image)[1].tobytes() for image in pixels]}


def measured(recipe: recipes.Recipe, data: bytes, side: int) -> tuple[float, float, list[int]]:
    """Seconds without and with previews, one right after the other, and the previews' bytes."""
    began = time.process_time()
    recipe.apply(data)
    between = time.process_time()
    made = recipe.apply(data, side)
    ended = time.process_time()
    sizes = [len(preview) for preview in (made.preview_of_original, made.preview) if preview]
    return between - began, ended - between, sizes


def row(name: str, kind: str, data: list[bytes], side: int) -> list[str]:
    recipe = recipes.load(None)[name]
    runs = [measured(recipe, item, side) for item in data]
    without, spent = (statistics.median(run[place] for run in runs) * 1000 for place in (0, 1))
    added = statistics.median(run[1] - run[0] for run in runs) * 1000
    sizes = [size for run in runs for size in run[2]]
    return [f"{name}, {kind}", f"{without:.1f}", f"{spent:.1f}", f"{added:.1f}", f"{statistics.mean(sizes) / 1000:.1f}"]


def main() -> None:
    recipes.single_threaded()
    side = Settings().preview_pixels
    rows = [row(name, kind, data, side) for kind, data in photos().items() for name in RECIPES]
    head = ["recipe and original", "ms without", "ms with previews", "ms more", "kB a preview"]
    show(f"Previews of {side} pixels, 1080p, milliseconds of CPU time", head, rows)


if __name__ == "__main__":
    main()
