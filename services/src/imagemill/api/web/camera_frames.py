"""Frames of cameras, as each role may have them."""

from imagemill.api.access.permissions import may
from imagemill.api.web.problems import Problem
from imagemill.domain.metadata import without_metadata


def shown(data: bytes) -> bytes:
    """A frame as whoever asks may have it; raises Problem."""
    found = as_allowed(data)
    if found is None:
        detail = "In this format the picture may tell more than is seen; it is for uploaders and above."
        raise Problem(403, "forbidden", detail)
    return found


def as_allowed(data: bytes) -> bytes | None:
    """A frame as it came for those who may have originals, else without metadata; None where that is not possible."""
    return data if may("originals") else without_metadata(data)
