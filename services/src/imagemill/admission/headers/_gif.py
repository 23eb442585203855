"""GIF: the logical screen, then as many frames as it takes to know whether there are too many."""

from __future__ import annotations

import struct
from dataclasses import replace

from imagemill.admission.headers.info import MAX_PARTS, HeaderError, Info

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def announces(data: bytes) -> bool:
    """Whether the data begins like a GIF."""
    return data[:6] in (b"GIF87a", b"GIF89a")


def head(data: bytes) -> Info:
    """Size of the logical screen. Alpha is assumed: only the frame's own extension would tell."""
    width, height = struct.unpack_from("<HH", data, 6)
    return Info("image/gif", width, height, "palette", alpha=True)


def scan(data: bytes, info: Info, max_frames: int) -> Info:
    """Count frames up to `max_frames` + 1 and look for the trailer; a frame beyond the screen widens it."""
    frames, at = 0, 13 + _table_size(data[10])
    walk = _Walk(data)
    while (block := data[at]) != _TRAILER:
        if block == _EXTENSION:
            at = walk.behind_blocks(at + 2)
        elif block == _IMAGE:
            frames += 1
            info = _widened(info, *struct.unpack_from("<4H", data, at + 1))
            if frames > max_frames:
                break
            at = walk.behind_blocks(at + 11 + _table_size(data[at + 9]))
        else:
            return replace(info, damage=f"it has an unknown block at byte {at}")
    return replace(info, frames=max(1, frames), damage="" if frames else "it has no frame")


class _Walk:
    """Follows chains of data blocks. Writers fill them (255 bytes); a picture cut into crumbs is an attack on time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_PARTS + len(data) // 32

    def behind_blocks(self, at: int) -> int:
        while length := self._data[at]:
            at += 1 + length
            self._spend()
        self._spend()
        return at + 1

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise HeaderError("malformed", "The GIF is cut into more and smaller blocks than any program writes.")


def _table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _widened(info: Info, left: int, top: int, width: int, height: int) -> Info:
    return replace(info, width=max(info.width, left + width), height=max(info.height, top + height))
