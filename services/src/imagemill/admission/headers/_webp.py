"""WebP: the RIFF size, the first chunk (VP8, VP8L or VP8X), frames of an animated one."""

from __future__ import annotations

import struct
from dataclasses import replace

from imagemill.admission.headers.info import MAX_PARTS, HeaderError, Info, too_many_parts

_ALPHA_FLAG = 0x10
_ANIMATED_FLAG = 0x02


def announces(data: bytes) -> bool:
    """Whether the data begins like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def head(data: bytes) -> Info:
    """Canvas size and alpha, from whichever of the three chunk types comes first."""
    kind = data[12:16]
    if kind == b"VP8X":
        flags, *sizes = struct.unpack_from("<B3xHBHB", data, 20)
        return _info(1 + sizes[0] + (sizes[1] << 16), 1 + sizes[2] + (sizes[3] << 16), bool(flags & _ALPHA_FLAG))
    if kind == b"VP8L":
        signature, bits = struct.unpack_from("<BI", data, 20)
        if signature == 0x2F:
            return _info(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1))
    if kind == b"VP8 ":
        start, width, height = struct.unpack_from("<3sHH", data, 23)
        if start == b"\x9d\x01\x2a":
            return _info(width & 0x3FFF, height & 0x3FFF, False)
    if len(data) < 20:
        raise IndexError
    raise HeaderError("malformed", "The WebP does not begin with a valid VP8, VP8L or VP8X chunk.")


def scan(data: bytes, info: Info, max_frames: int) -> Info:
    """Whether all that the RIFF header promises is there, and the number of frames."""
    (promised,) = struct.unpack_from("<I", data, 4)
    if promised + 8 > len(data):
        return replace(info, damage=f"its header promises {promised + 8} bytes and {len(data)} are there")
    animated = data[12:16] == b"VP8X" and data[20] & _ANIMATED_FLAG
    return replace(info, frames=_count_frames(data, promised + 8, max_frames)) if animated else info


def _count_frames(data: bytes, end: int, max_frames: int) -> int:
    at, frames = 12, 0
    for _ in range(MAX_PARTS + max_frames):
        if at + 8 > end or frames > max_frames:
            return max(1, frames)
        kind, length = struct.unpack_from("<4sI", data, at)
        frames += kind == b"ANMF"
        at += 8 + length + (length & 1)
    raise too_many_parts("chunks")


def _info(width: int, height: int, alpha: bool) -> Info:
    return Info("image/webp", width, height, "rgb", alpha=alpha)
