"""The EXIF orientation, for the decoders that leave applying it to their caller."""

from __future__ import annotations

import struct

from imagemill.admission.headers import _tiff
from imagemill.admission.headers.info import HeaderError

UPRIGHT = 1


def orientation(exif: bytes) -> int:
    """1 to 8 as EXIF numbers them; 1 (upright) also when the block cannot be read."""
    block = exif.removeprefix(b"Exif\0\0")
    try:
        directory = _tiff.directory_at(block, _tiff.first_offset(block))
        value = directory.number(_tiff.ORIENTATION, UPRIGHT)
    except (struct.error, HeaderError):
        return UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT
