"""Pictures that are made to cost more than they look: small files that keep a decoder busy or fill its memory.

Each is a few hundred kilobytes at most. None may take a worker down: they are rejected, fail, or are stored.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import Image

import pictures

_SCAN = b"\xff\xda"
_PNG_BEGINNING = 33
"""Signature and IHDR."""


def scans_jpeg(extra: int, width: int = 640, height: int = 480) -> bytes:
    """A progressive JPEG whose shortest scan comes again and again."""
    data = pictures.encoded(Image.fromarray(pictures.photo(width, height)), "JPEG", progressive=True)
    starts = [at for at in range(len(data)) if data.startswith(_SCAN, at)]
    scans = [data[begin:end] for begin, end in zip(starts, [*starts[1:], len(data) - 2], strict=True)]
    shortest = min((scan for scan in scans[1:]), key=len)
    # Tables for the next scan stand behind each; without them it is the scan alone.
    alone = shortest[: shortest.find(b"\xff\xc4", 2)] if b"\xff\xc4" in shortest else shortest
    return data[:-2] + alone * extra + b"\xff\xd9"


def components_jpeg(extra: int, width: int = 640, height: int = 480) -> bytes:
    """A sequential JPEG that gives one component a scan, again and again."""
    data = pictures.encoded(Image.fromarray(pictures.photo(width, height)), "JPEG", subsampling=0)
    at = data.index(_SCAN)
    one = _SCAN + struct.pack(">HBBBBBB", 8, 1, 1, 0x00, 0, 63, 0) + bytes(200)
    return data[:at] + one * extra + b"\xff\xd9"


def text_png(chunks: int, megabytes: int = 8) -> bytes:
    """A PNG with compressed texts of so many megabytes each."""
    text = zlib.compress(bytes(megabytes << 20), 9)
    return _png_with(b"".join(pictures.png_chunk(b"zTXt", b"k%d\0\0" % number + text) for number in range(chunks)))


def international_text_png(chunks: int, megabytes: int = 8) -> bytes:
    """The same as iTXt."""
    text = b"\0\1\0\0\0" + zlib.compress(bytes(megabytes << 20), 9)
    return _png_with(b"".join(pictures.png_chunk(b"iTXt", b"k%d" % number + text) for number in range(chunks)))


def profile_png(megabytes: int = 200) -> bytes:
    """A PNG whose colour profile is compressed very well, and claims its true size."""
    size = megabytes << 20
    head = struct.pack(">I", size) + b"lcms\2\x10\0\0mntrRGB XYZ "
    packed = zlib.compress(head + bytes(size - len(head)), 9)
    return _png_with(pictures.png_chunk(b"iCCP", b"p\0\0" + packed))


def overfull_png(megabytes: int = 200) -> bytes:
    """A PNG of 64 × 48 whose pixel data goes on and on."""
    data = pictures.png()
    body = zlib.compress(bytes(megabytes << 20), 9)
    return data[:_PNG_BEGINNING] + pictures.png_chunk(b"IDAT", body) + pictures.png_chunk(b"IEND")


def _png_with(chunks: bytes) -> bytes:
    data = pictures.png()
    return data[:_PNG_BEGINNING] + chunks + data[_PNG_BEGINNING:]


def screen_gif(width: int = 65_535, height: int = 400) -> bytes:
    """A GIF of one pixel on an enormous screen."""
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0x80) + bytes(6) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame + b";"


def frame_webp() -> bytes:
    """A WebP whose frame is larger than its canvas says."""
    data = bytearray(pictures.encoded(pictures.rgba(2000, 2000), "WEBP", lossless=True, exif=pictures.exif(1)))
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = bytes(6)
    return bytes(data)


def tiff_of(tags: dict[int, tuple[int, int]], pixels: bytes) -> bytes:
    """A TIFF with one directory of numbers: tag → (type, value); STRIP or TILE offsets of 8 mean the pixels."""
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def strip_tiff(megabytes: int = 200) -> bytes:
    """A TIFF of 64 × 48 whose only strip is compressed very well, and says it has as many rows as fit."""
    pixels = zlib.compress(bytes(megabytes << 20), 9)
    tags = _grey(64, 48, compression=8) | {273: (4, 8), 278: (4, 2**32 - 1), 279: (4, len(pixels))}
    return tiff_of(tags, pixels)


def tile_tiff(side: int) -> bytes:
    """A TIFF of 64 × 48 in one tile of an enormous size."""
    pixels = zlib.compress(bytes(1 << 20), 9)
    tags = _grey(64, 48, compression=8) | {322: (4, side), 323: (4, side), 324: (4, 8), 325: (4, len(pixels))}
    return tiff_of(tags, pixels)


def scans_tiff(extra: int) -> bytes:
    """A TIFF that holds a progressive JPEG of many scans."""
    pixels = scans_jpeg(extra)
    tags = {
        256: (3, 640), 257: (3, 480), 258: (3, 8), 259: (3, 7), 262: (3, 6), 273: (4, 8), 277: (3, 3), 278: (4, 480),
        279: (4, len(pixels)),
    }  # fmt: skip
    return tiff_of(tags, pixels)


def _grey(width: int, height: int, compression: int) -> dict[int, tuple[int, int]]:
    return {256: (3, width), 257: (3, height), 258: (3, 8), 259: (3, compression), 262: (3, 1), 277: (3, 1)}


def run_length_bmp() -> bytes:
    """A BMP of many rows in few bytes."""
    head = struct.pack("<IiiHHIIiiII", 40, 5000, 5000, 1, 8, 1, 2, 0, 0, 256, 0)
    pixels = b"\0\1"
    offset = 14 + len(head) + 1024
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + head + bytes(1024) + pixels


ALL: dict[str, Callable[[], bytes]] = {
    "a JPEG of 2,000 scans": lambda: scans_jpeg(2000, 2000, 1500),
    "a JPEG of 90 scans": lambda: scans_jpeg(80),
    "a JPEG of 2,000 scans of one component": lambda: components_jpeg(2000),
    "a PNG with 60 texts of 8 MB": lambda: text_png(60),
    "a PNG with 150 texts of 8 MB": lambda: text_png(150),
    "a PNG with 150 international texts of 8 MB": lambda: international_text_png(150),
    "a PNG with a profile of 200 MB": profile_png,
    "a PNG with pixels for 200 MB": overfull_png,
    "a GIF with an enormous screen": screen_gif,
    "a WebP whose frame is larger than its canvas": frame_webp,
    "a TIFF with a strip of 200 MB": strip_tiff,
    "a TIFF with a tile of a gigapixel": lambda: tile_tiff(32_768),
    "a TIFF with a tile of all there is": lambda: tile_tiff(2**31 - 16),
    "a TIFF around a JPEG of 2,000 scans": lambda: scans_tiff(2000),
    "a BMP of run lengths": run_length_bmp,
}
