"""Recipes: named lists of steps that turn a picture's bytes into a result's bytes. Pure: no broker, no database.

Loading and validating needs neither OpenCV nor numpy, so that every program can know the recipes; `Recipe.apply` does.
OpenCV's number of threads belongs to the process: a worker calls `single_threaded()` once, when it starts.
"""

from imagemill.recipes.loading import from_canonical, load, names
from imagemill.recipes.model import ImageError, Picture, Recipe, RecipeError, Step

__all__ = [
    "ImageError",
    "Picture",
    "Recipe",
    "RecipeError",
    "Step",
    "from_canonical",
    "load",
    "names",
    "single_threaded",
]


def single_threaded() -> None:
    """Let OpenCV use the calling thread alone: workers run one picture per thread and would fight for the cores."""
    import cv2

    cv2.setNumThreads(1)
