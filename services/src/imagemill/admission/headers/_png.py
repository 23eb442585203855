"""PNG: the IHDR chunk, then the heads of all others."""

from __future__ import annotations

import struct
from dataclasses import replace

from imagemill.admission.headers.info import MAX_PARTS, Colour, HeaderError, Info, too_many_parts

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_PACKED = (b"zTXt", b"iTXt", b"iCCP")
MAX_PACKED = 100
"""Compressed texts and profiles that are taken: a decoder inflates each, though nobody reads them, to up to 8 MB."""
_COLOURS: dict[int, Colour] = {0: "grey", 2: "rgb", 3: "palette", 4: "grey", 6: "rgb"}


def announces(data: bytes) -> bool:
    """Whether the data begins like a PNG."""
    return data.startswith(_SIGNATURE)


def head(data: bytes) -> Info:
    """Size, depth and colour type from IHDR."""
    kind, width, height, bits, colour = struct.unpack_from(">4sIIBB", data, 12)
    if kind != b"IHDR" or colour not in _COLOURS or bits not in (1, 2, 4, 8, 16) or max(width, height) >= 2**31:
        raise HeaderError("malformed", "The PNG does not begin with a valid IHDR chunk.")
    return Info("image/png", width, height, _COLOURS[colour], alpha=colour in (4, 6), bits=bits)


def scan(data: bytes, info: Info, max_frames: int) -> Info:  # noqa: ARG001 - one signature for all formats
    """Transparency (tRNS), frames (acTL of an animated PNG), and whether all chunks up to the last are there.

    OpenCV reserves as much memory as a chunk claims to be long; so none may claim more than there is.
    """
    at, pixels, packed = 8, False, 0
    for _ in range(MAX_PARTS + len(data) // 256):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IEND":
            return _ended(data, at, replace(info, damage="" if pixels else "it has no pixel data (IDAT)"))
        if kind == b"acTL" and not pixels:
            info = replace(info, frames=max(1, struct.unpack_from(">I", data, at + 8)[0]))
        if kind == b"tRNS":
            info = replace(info, alpha=True)
        packed += kind in _PACKED
        if packed > MAX_PACKED:
            raise too_many_parts("compressed texts", MAX_PACKED)
        pixels = pixels or kind == b"IDAT"
        at += 12 + length
    raise too_many_parts("chunks")


def _ended(data: bytes, at: int, info: Info) -> Info:
    return info if data[at : at + 12] == _END else replace(info, damage="its end chunk (IEND) is damaged or cut off")
