"""Frames of cameras, as each role may have them."""

from imagemill.api.access.permissions import may
from imagemill.domain.metadata import without_metadata


def as_allowed(data: bytes) -> bytes | None:
    """A frame as it came for those who may have originals, else without metadata; None where that is not possible."""
    return data if may("originals") else without_metadata(data)
