"""The steps that a recipe may name, with their parameters; what they do is in `transforms` and `encoders`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_SIDE = 16384


class Params(BaseModel):
    """Parameters of a step. Strict: a quality of "80" is a mistake in the file, not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Gray(Params):
    """Grey by luminance; keeps 16 bits and transparency."""


class Box(Params):
    """A box in pixels."""

    width: int = Field(default=256, ge=1, le=MAX_SIDE)
    height: int = Field(default=256, ge=1, le=MAX_SIDE)


class Fit(Box):
    """Shrink until the whole picture fits into the box; never enlarges."""


class Fill(Box):
    """Shrink until the box is covered, then cut its middle out; never enlarges."""


class Rotate(Params):
    """Turn clockwise."""

    degrees: Literal[90, 180, 270] = 90


class Blur(Params):
    """Gaussian blur; sigma in pixels."""

    sigma: float = Field(default=2.0, gt=0, le=50)


class Sharpen(Params):
    """Unsharp mask: add `amount` times the difference to a blur of `sigma` pixels."""

    amount: float = Field(default=0.5, gt=0, le=5)
    sigma: float = Field(default=1.5, gt=0, le=50)


class Denoise(Params):
    """Non-local means, 8 bits. Heavy: time grows with the square of `patch` and of `search` (both odd, in pixels)."""

    strength: float = Field(default=5.0, gt=0, le=50)
    patch: Literal[3, 5, 7, 9] = 5
    search: Literal[5, 7, 9, 11, 15, 21] = 9


class Edges(Params):
    """Canny's edges, white on black, 8 bits; gradients above `high` start one, above `low` continue one."""

    low: int = Field(default=80, ge=0, le=2000)
    high: int = Field(default=160, ge=1, le=2000)


class Jpeg(Params):
    """JPEG, 8 bits; transparency becomes white."""

    quality: int = Field(default=80, ge=1, le=100)
    progressive: bool = False


class Png(Params):
    """PNG, 8 or 16 bits; without `compression` our fast way, else zlib's level: smaller, and slower by far."""

    compression: int | None = Field(default=None, ge=0, le=9)


class Webp(Params):
    """WebP, 8 bits, with transparency; `lossless` ignores the quality."""

    quality: int = Field(default=80, ge=1, le=100)
    lossless: bool = False


@dataclass(frozen=True)
class Kind:
    """A step's name, parameters and, for an encoder, the content type that it makes."""

    name: str
    params: type[Params]
    content_type: str | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("gray", Gray),
        Kind("fit", Fit),
        Kind("fill", Fill),
        Kind("rotate", Rotate),
        Kind("blur", Blur),
        Kind("sharpen", Sharpen),
        Kind("denoise", Denoise),
        Kind("edges", Edges),
        Kind("jpeg", Jpeg, "image/jpeg"),
        Kind("png", Png, "image/png"),
        Kind("webp", Webp, "image/webp"),
    )
}
TRANSFORMS = tuple(kind.name for kind in KINDS.values() if kind.content_type is None)
ENCODERS = tuple(kind.name for kind in KINDS.values() if kind.content_type is not None)


def allowed(params: type[Params]) -> str:
    """The keys of a step and what they may be, for a person: `width (1 to 16384), height (1 to 16384)`."""
    properties: dict[str, dict[str, Any]] = params.model_json_schema().get("properties", {})
    return ", ".join(f"{key} ({_range(schema)})" for key, schema in properties.items()) or "none"


def _range(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_range(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    low = f"{schema['minimum']}" if "minimum" in schema else f"above {schema.get('exclusiveMinimum')}"
    return f"{low} to {schema['maximum']}" if "maximum" in schema else str(schema["type"])
