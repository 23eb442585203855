"""Run a recipe on a picture."""

from __future__ import annotations

import cv2

from imagemill.recipes import previews
from imagemill.recipes.decoding import decode, plan_for
from imagemill.recipes.encoders import ENCODERS
from imagemill.recipes.model import ImageError, Picture, Recipe, Step
from imagemill.recipes.pixels import Pixels
from imagemill.recipes.transforms import TRANSFORMS


def run(recipe: Recipe, data: bytes, preview_pixels: int = 0) -> Picture:
    """Decode, transform, encode; see Recipe.apply."""
    plan = plan_for(recipe.steps)
    pixels, is_damaged = decode(data, plan)
    # Before the steps, so that the original's pixels need not be kept beside theirs.
    before = previews.of_original(data, pixels, plan, preview_pixels)
    for step in recipe.steps[:-1]:
        pixels = _transformed(pixels, step)
    height, width = pixels.shape[:2]
    encoded = _encoded(pixels, recipe.steps[-1])
    # Pixels that were only encoded look like the original's.
    same = before if len(recipe.steps) == 1 else None
    after = previews.of_result(encoded, recipe.content_type, pixels, preview_pixels, same)
    return Picture(encoded, recipe.content_type, width, height, is_damaged, after, before)


def _transformed(pixels: Pixels, step: Step) -> Pixels:
    try:
        return TRANSFORMS[step.name](pixels, step.params)
    except cv2.error as error:
        raise ImageError("step-failed", _failure(pixels, step, error)) from error


def _encoded(pixels: Pixels, step: Step) -> bytes:
    try:
        return ENCODERS[step.name](pixels, step.params)
    except cv2.error as error:
        raise ImageError("unencodable", _failure(pixels, step, error)) from error


def _failure(pixels: Pixels, step: Step, error: cv2.error) -> str:
    height, width = pixels.shape[:2]
    return f'The step "{step.name}" failed on a picture of {width:,} × {height:,} pixels: {error.err}'
