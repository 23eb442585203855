"""What a recipe is, what it makes, and what can go wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imagemill.recipes.parameters import KINDS, Params


class RecipeError(Exception):
    """A recipe file that cannot be used: names recipe, step, key and value, and says what is allowed."""


class ImageError(Exception):
    """A picture that a recipe cannot be applied to: a stable code for programs and a sentence for a person."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True)
class Picture:
    """An encoded result. Width and height are its pixels, upright; of a damaged original some were missing or wrong.

    The previews are None where none was asked for, needed or possible.
    """

    data: bytes
    content_type: str
    width: int
    height: int
    is_damaged: bool = False
    preview: bytes | None = None
    preview_of_original: bytes | None = None


@dataclass(frozen=True)
class Step:
    """One step of a recipe with all of its parameters, defaults included."""

    name: str
    params: Params

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """As it would stand in a recipe file."""
        return {self.name: self.params.model_dump(mode="json")}


@dataclass(frozen=True)
class Recipe:
    """A named list of steps, the last of which encodes."""

    name: str
    description: str
    steps: tuple[Step, ...]

    @cached_property
    def canonical(self) -> str:
        """The steps' canonical JSON; `from_canonical` makes the recipe of it again."""
        steps = [step.as_dict() for step in self.steps]
        return json.dumps(steps, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON: equal for equal results, whatever the recipe is called."""
        return hashlib.sha256(self.canonical.encode("ascii")).hexdigest()

    @property
    def content_type(self) -> str:
        """The content type of every result."""
        return KINDS[self.steps[-1].name].content_type or ""

    def apply(self, data: bytes, preview_pixels: int = 0) -> Picture:
        """Decode, run the steps, encode. Raises ImageError for a picture that cannot be decoded, worked on or encoded.

        The result is upright, with neither EXIF nor any other metadata of the original. Previews are made of what is
        too heavy for lists, `preview_pixels` on the longer side; of nothing when that is 0.
        """
        from imagemill.recipes import engine

        return engine.run(self, data, preview_pixels)
