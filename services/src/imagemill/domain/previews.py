"""Previews: small pictures that lists show in the place of originals and results, stored beside the result's bytes."""

from collections.abc import Mapping
from types import MappingProxyType

Previews = Mapping[str, bytes]
"""By the SHA-256 of what they show."""
NONE: Previews = MappingProxyType({})

CONTENT_TYPE = "image/webp"
MAX_BYTES = 18_000
"""Fifty of them, and the page around them, stay below a megabyte."""

_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"})
_NAME = "preview-"


def is_light(content_type: str, size_bytes: int) -> bool:
    """Can a list show it as it is? Then it has no preview."""
    return size_bytes <= MAX_BYTES and content_type in _SHOWN


def name_of(sha256: str) -> str:
    """What a preview is called beside the bytes of a result, and in the headers of a message."""
    return _NAME + sha256


def named(previews: Previews) -> dict[str, bytes]:
    """Previews by their names."""
    return {name_of(sha256): data for sha256, data in previews.items()}


def is_preview(name: str) -> bool:
    """Is it the name of a preview, not of a blob?"""
    return name.startswith(_NAME)


def shown_by(name: str) -> str:
    """What a preview shows, by its name; a blob's name is its own."""
    return name.removeprefix(_NAME)


def among(values: Mapping[str, object]) -> Previews:
    """The previews among what has names."""
    return {shown_by(name): value for name, value in values.items() if is_preview(name) and isinstance(value, bytes)}
