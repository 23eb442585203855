"""TIFF: the first directory; further ones are pages."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from imagemill.admission.headers.info import MAX_PARTS, Colour, HeaderError, Info, too_many_parts

WIDTH, HEIGHT, BITS, PHOTOMETRIC, ORIENTATION, SAMPLES, SAMPLE_FORMAT = 256, 257, 258, 262, 274, 277, 339
STRIPS, STRIP_SIZES, TILES, TILE_SIZES, DNG_VERSION = 273, 279, 324, 325, 50706
_UNSIGNED = 1
MAX_STRIPS = 1 << 18
"""Strips or tiles that are looked at: 100 megapixels in tiles of 32 × 32 have 100,000."""

_CODES = {1: "B", 3: "H", 4: "I"}
_COLOURS: dict[int, tuple[Colour, int]] = {
    0: ("grey", 1),
    1: ("grey", 1),
    2: ("rgb", 3),
    3: ("palette", 1),
    5: ("cmyk", 4),
    6: ("rgb", 3),
}
"""Photometric interpretation → our word for it, and its samples without alpha."""


@dataclass(frozen=True)
class Directory:
    """One image file directory: tag → its numbers (only tags that hold whole numbers are kept)."""

    tags: dict[int, tuple[int, int, int]]
    following: int
    data: bytes
    order: str

    def numbers(self, tag: int, limit: int = MAX_STRIPS) -> tuple[int, ...]:
        """The numbers of a tag, none if it is not there."""
        kind, count, at = self.tags.get(tag, (1, 0, 0))
        return struct.unpack_from(f"{self.order}{min(count, limit)}{_CODES[kind]}", self.data, at)

    def number(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        return next(iter(self.numbers(tag, limit=1)), default)


def announces(data: bytes) -> bool:
    """Whether the data begins like a TIFF, big ones (BigTIFF) included."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def head(data: bytes) -> Info:
    """Size, colour and depth of the first page."""
    if data[2:3] == b"+" or data[3:4] == b"+":
        raise HeaderError("unsupported-format", "BigTIFF is not taken; store the picture as an ordinary TIFF.")
    directory = directory_at(data, first_offset(data))
    if DNG_VERSION in directory.tags or data[8:10] == b"CR":
        raise HeaderError("unsupported-format", "Raw camera files are not taken; develop it to a JPEG or a TIFF first.")
    return _info(directory)


def scan(data: bytes, info: Info, max_frames: int) -> Info:
    """Count pages up to `max_frames` + 1 and see whether the first one's pixels are all there."""
    directory = directory_at(data, first_offset(data))
    end = max((_end_of_pixels(directory, *tags) for tags in ((STRIPS, STRIP_SIZES), (TILES, TILE_SIZES))), default=0)
    if end > len(data):
        return replace(info, damage=f"its pixels end at byte {end} and {len(data)} bytes are there")
    if end == 0:
        return replace(info, damage="it has no pixel data")
    return replace(info, frames=_count_pages(data, directory, max_frames))


def first_offset(data: bytes) -> int:
    """Where the first directory stands."""
    return int(struct.unpack_from(f"{byte_order(data)}I", data, 4)[0])


def byte_order(data: bytes) -> str:
    """Struct's sign for the byte order that the file announces."""
    return "<" if data[:2] == b"II" else ">"


def directory_at(data: bytes, at: int) -> Directory:
    """Read one directory; values that do not fit into four bytes stay where they are until they are asked for.

    Of a tag that comes twice the first counts, whatever its type, as libtiff has it: else a second width would hide
    the one that is decoded.
    """
    order = byte_order(data)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    if count > MAX_PARTS:
        raise too_many_parts("directory entries")
    tags: dict[int, tuple[int, int, int]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, entry)
        inline = values * struct.calcsize(_CODES.get(kind, "B")) <= 4
        place = entry + 8 if inline else struct.unpack_from(f"{order}I", data, entry + 8)[0]
        tags.setdefault(tag, (kind, values, place))
    (following,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    return Directory({tag: found for tag, found in tags.items() if found[0] in _CODES}, following, data, order)


def _info(directory: Directory) -> Info:
    photometric, samples = directory.number(PHOTOMETRIC, 1), directory.number(SAMPLES, 1)
    bits, sample_format = max(directory.numbers(BITS, limit=8), default=1), directory.number(SAMPLE_FORMAT, _UNSIGNED)
    if photometric not in _COLOURS or bits > 16 or sample_format != _UNSIGNED:
        detail = f"TIFFs of {bits} bits, sample format {sample_format} and photometric interpretation {photometric}"
        raise HeaderError("unsupported-format", f"{detail} are not taken; grey, RGB and CMYK of up to 16 bits are.")
    colour, plain = _COLOURS[photometric]
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    return Info("image/tiff", width, height, colour, alpha=samples > plain, bits=bits)


def _end_of_pixels(directory: Directory, offsets_tag: int, sizes_tag: int) -> int:
    offsets, sizes = directory.numbers(offsets_tag), directory.numbers(sizes_tag)
    return max((offset + size for offset, size in zip(offsets, sizes, strict=False)), default=0)


def _count_pages(data: bytes, directory: Directory, max_frames: int) -> int:
    pages = 1
    while directory.following and pages <= max_frames:
        directory = directory_at(data, directory.following)
        pages += 1
    return pages
