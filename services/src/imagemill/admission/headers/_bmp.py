"""BMP: the info header, and whether the pixels it promises are there."""

from __future__ import annotations

import struct
from dataclasses import replace

from imagemill.admission.headers.info import HeaderError, Info

_CORE_HEADER = 12
_HEADERS = (_CORE_HEADER, 40, 52, 56, 64, 108, 124)
_UNPACKED = (0, 3, 6)
_RUN_LENGTH = (1, 2)


def announces(data: bytes) -> bool:
    """Whether the data begins like a BMP; two letters alone would also be many a text."""
    return data[:2] == b"BM" and len(data) >= 18 and struct.unpack_from("<I", data, 14)[0] in _HEADERS


def head(data: bytes) -> Info:
    """Size and bits per pixel; a negative height means that rows go from top to bottom."""
    width, height, bits, compression = _layout(data)
    if compression not in _UNPACKED + _RUN_LENGTH:
        raise HeaderError("unsupported-format", f"BMPs with compression {compression} are not taken.")
    return Info("image/bmp", width, abs(height), "palette" if bits <= 8 else "rgb")


def scan(data: bytes, info: Info, max_frames: int) -> Info:  # noqa: ARG001 - one signature for all formats
    """Compare the bytes that the pixels need with the bytes that are there."""
    _, _, bits, compression = _layout(data)
    (start,) = struct.unpack_from("<I", data, 10)
    pixels = (info.width * bits + 31) // 32 * 4 * info.height
    if compression in _RUN_LENGTH:
        (pixels,) = struct.unpack_from("<I", data, 34)
    if start + pixels > len(data):
        return replace(info, damage=f"its header promises {start + pixels} bytes and {len(data)} are there")
    return info


def _layout(data: bytes) -> tuple[int, int, int, int]:
    """(width, height, bits per pixel, compression)."""
    if data[14] == _CORE_HEADER:
        width, height, bits = struct.unpack_from("<HH2xH", data, 18)
        return width, height, bits, 0
    width, height, bits, compression = struct.unpack_from("<ii2xHI", data, 18)
    return width, height, bits, compression
