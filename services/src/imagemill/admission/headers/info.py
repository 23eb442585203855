"""What the header readers hand back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = Literal["grey", "rgb", "palette", "cmyk", "cmyk-inverted"]

MAX_PARTS = 4096
"""Chunks, segments or directory entries a header may have. Real ones have tens (a 30 MB colour profile: 500)."""


@dataclass(frozen=True)
class Info:
    """A picture's header. Width and height are the stored ones: an EXIF orientation is not yet applied."""

    content_type: str
    width: int
    height: int
    colour: Colour
    alpha: bool = False
    bits: int = 8
    frames: int = 1
    scans: int = 1
    """Passes over the whole picture that a decoder makes (of a JPEG); up to about MAX_PARTS."""
    damage: str = ""
    """Empty for a picture that is complete, else what is wrong, as the end of a sentence."""


class HeaderError(Exception):
    """The header tells no picture: code is `not-an-image`, `unsupported-format`, `truncated` or `malformed`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def too_many_parts(what: str, most: int = MAX_PARTS) -> HeaderError:
    """The answer to a header that is made to keep its reader busy."""
    return HeaderError(
        "malformed", f"The picture is made of more {what} than any camera or program writes (over {most})."
    )
