"""Broken pictures made of good ones, the same for the same seed: cut, flipped, lying, spliced, looping, glued together.

`broken(seed)` draws one; `corpus(seed, count)` draws many and begins with one of each kind by hand. What is made to
cost a lot stands in hostile_pictures.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from PIL import Image

import pictures

_EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF)
_LONGEST_SIDE = 65_500
_IHDR_END = 33
_SHORTEST = 64
"""Of what is shorter nobody looks for parts."""
_IFD_TAGS = (0x8769, 0x8825, 0xA005, 330)
"""EXIF, GPS, interoperability, sub-directories: tags that point to further directories."""


@dataclass(frozen=True)
class Broken:
    """A file and how it was made."""

    how: str
    data: bytes


@cache
def good() -> dict[str, bytes]:
    """Intact pictures of every accepted format, and of the variants that decoders read by other code."""
    photo = Image.fromarray(pictures.photo(96, 64))
    return {
        **pictures.one_of_each(),
        "progressive": pictures.encoded(photo, "JPEG", progressive=True),
        "restarts": pictures.encoded(photo, "JPEG", restart_marker_rows=1),
        "grey jpeg": pictures.encoded(photo.convert("L"), "JPEG"),
        "cmyk": pictures.cmyk_jpeg(),
        "plain cmyk": pictures.cmyk_jpeg(inverted=False),
        "metadata": pictures.exif_gps_jpeg(6),
        "rgba": pictures.rgba_png(),
        "16 bits": pictures.png16(channels=3),
        "palette": pictures.palette_png(transparency=0),
        "one bit": pictures.encoded(photo.convert("1"), "PNG"),
        "apng": pictures.encoded(photo, "PNG", save_all=True, append_images=[photo.rotate(180)]),
        "lossless": pictures.encoded(pictures.rgba(), "WEBP", lossless=True),
        "turned webp": pictures.encoded(pictures.rgba(), "WEBP", exif=pictures.exif(6)),
        "moving webp": pictures.webp_animated(),
        "moving gif": pictures.gif_animated(),
        "small bmp": pictures.encoded(pictures.palette(), "BMP"),
        "pages": pictures.tiff(pages=3),
        "lzw": pictures.encoded(pictures.rgba(), "TIFF", compression="tiff_lzw"),
        "jpeg in tiff": pictures.encoded(photo, "TIFF", compression="jpeg"),
        "grey tiff": pictures.encoded(photo.convert("L"), "TIFF", compression="tiff_adobe_deflate"),
    }


# --- structure: where the parts of a file begin ---------------------------------------------------------


def structure(data: bytes) -> list[int]:
    """Offsets at which a part of the file begins (segment, chunk, block, directory entry), in order."""
    walk = next((walk for magic, walk in _WALKS.items() if data.startswith(magic)), lambda _: [])
    return sorted({at for at in walk(data) if 0 < at < len(data)}) if len(data) >= _SHORTEST else []


def _jpeg_parts(data: bytes) -> list[int]:
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        found += [at, at + 2, at + 4]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return [*found, at, at + 2, at + 4, len(data) - 2, len(data) - 1]


def _png_parts(data: bytes) -> list[int]:
    found, at = [], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found += [at, at + 4, at + 8, at + 8 + length]
        at += 12 + length
    return found


def _webp_parts(data: bytes) -> list[int]:
    found, at = [4, 8], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found += [at, at + 4, at + 8]
        at += 8 + length + (length & 1)
    return found


def _gif_parts(data: bytes) -> list[int]:
    return [6, 10, 13, *(at for at, byte in enumerate(data) if byte in b"\x21\x2c\x3b")]


def _bmp_parts(data: bytes) -> list[int]:
    return [2, 10, 14, *range(18, 54, 2), int.from_bytes(data[10:14], "little")]


def _tiff_parts(data: bytes) -> list[int]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, at) if at + 2 <= len(data) else (0,)
    return [4, 8, at, *range(at + 2, at + 2 + 12 * entries + 1, 12)]


_WALKS: dict[bytes, Callable[[bytes], list[int]]] = {
    b"\xff\xd8": _jpeg_parts,
    b"\x89PNG": _png_parts,
    b"RIFF": _webp_parts,
    b"GIF8": _gif_parts,
    b"BM": _bmp_parts,
    b"II*\0": _tiff_parts,
    b"MM\0*": _tiff_parts,
}


# --- ways to break one ----------------------------------------------------------------------------------


def _place(chance: random.Random, data: bytes) -> int:
    """A byte of the file: where a part begins, in the head, or anywhere."""
    parts = structure(data)
    ranges = [range(len(data)), range(min(len(data), 64)), *([parts] if parts else [])]
    return min(len(data) - 1, max(0, chance.choice(chance.choice(ranges)) + chance.choice((-1, 0, 0, 1))))


def truncated(chance: random.Random, data: bytes) -> bytes:
    """Cut off at a part's beginning, a byte beside it, or anywhere."""
    return data[: _place(chance, data)]


def flipped(chance: random.Random, data: bytes) -> bytes:
    """A few bits turned over."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        made[_place(chance, data)] ^= 1 << chance.randrange(8)
    return bytes(made)


def lying(chance: random.Random, data: bytes) -> bytes:
    """A number somewhere in the structure (a size, a length, a count, an offset) set to what it is not."""
    made, at, width = bytearray(data), _place(chance, data), chance.choice((1, 2, 2, 4, 4))
    value = chance.choice((*_EXTREMES, len(data), _LONGEST_SIDE, chance.randrange(2**32)))
    made[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, chance.choice(("big", "little")))
    return bytes(made)


def resized(chance: random.Random, data: bytes) -> bytes:
    """A header that claims another width or height; a PNG's checksum is made to agree."""
    side = chance.choice((0, 1, 7, 63, 65, 1000, _LONGEST_SIDE, 0x7FFF, 0xFFFF))
    made = bytearray(data)
    for at, form in _sizes(data):
        if at + struct.calcsize(form) <= len(data) and chance.random() < 0.7:
            struct.pack_into(form, made, at, side)
    if data.startswith(b"\x89PNG") and len(data) >= _IHDR_END:
        made[8:_IHDR_END] = pictures.png_chunk(b"IHDR", bytes(made[16:29]))
    return bytes(made)


def _sizes(data: bytes) -> list[tuple[int, str]]:
    """Offset and struct's format of each width and height of the header."""
    if data.startswith(b"\x89PNG"):
        return [(16, ">I"), (20, ">I")]
    if data.startswith(b"GIF8"):
        frame = data.find(b"\x2c\0\0\0\0")
        return [(6, "<H"), (8, "<H"), *([(frame + 5, "<H"), (frame + 7, "<H")] if frame > 0 else [])]
    if data.startswith(b"BM"):
        return [(18, "<I"), (22, "<I")]
    if data.startswith(b"RIFF"):
        return [(24, "<H"), (27, "<H")] if data[12:16] == b"VP8X" else [(26, "<H"), (28, "<H")]
    if data.startswith(b"\xff\xd8"):
        frame = next((at for at in structure(data) if data[at : at + 2] in (b"\xff\xc0", b"\xff\xc2")), 0)
        return [(frame + 5, ">H"), (frame + 7, ">H")] if frame else []
    return [(at + 8, "<H") for at in structure(data) if data[at : at + 2] in (b"\0\1", b"\1\1")]


def rearranged(chance: random.Random, data: bytes) -> bytes:
    """Parts of the file left out, doubled, or in another order."""
    cuts = [0, *structure(data), len(data)]
    parts = [data[begin:end] for begin, end in pairwise(cuts)]
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        what = chance.randrange(3)
        if what == 0:
            parts[at] = b""
        elif what == 1:
            parts.insert(other, parts[at] * chance.choice((1, 1, 3, 500)) if len(parts[at]) < 4000 else parts[at])
        else:
            parts[at], parts[other] = parts[other], parts[at]
    return b"".join(parts)


def spliced(chance: random.Random, data: bytes) -> bytes:
    """The beginning of one picture and the end of another."""
    other = chance.choice(list(good().values()))
    return data[: _place(chance, data)] + other[_place(chance, other) :]


def polyglot(chance: random.Random, data: bytes) -> bytes:
    """Two files in one: glued together, the second at the end, or hidden in a segment of the first."""
    other = chance.choice([*good().values(), b"PK\x03\x04" + bytes(60), b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
    if data.startswith(b"\xff\xd8") and len(other) < 65_000:
        return data[:2] + segment(chance.choice((0xE1, 0xE2, 0xFE)), other) + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:33] + pictures.png_chunk(chance.choice((b"eXIf", b"tEXt", b"iCCP")), other) + data[33:]
    return data + other


def stuffed(chance: random.Random, data: bytes) -> bytes:
    """Profiles and EXIF blocks: too many, too large, wrongly numbered, with directories that run in circles."""
    if data.startswith(b"\xff\xd8"):
        return data[:2] + _jpeg_stuffing(chance) + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:33] + pictures.png_chunk(b"eXIf", looping_exif(chance)) + data[33:]
    if data.startswith(b"RIFF"):
        block = looping_exif(chance)
        made = bytearray(data + b"EXIF" + struct.pack("<I", len(block)) + block)
        if made[12:16] == b"VP8X":
            made[20] |= 0x08
        struct.pack_into("<I", made, 4, len(made) - 8)
        return bytes(made)
    return lying(chance, data)


def _jpeg_stuffing(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        return segment(0xE1, b"Exif\0\0" + looping_exif(chance)) * chance.choice((1, 2, 300))
    count = chance.choice((1, 3, 255))
    numbers = [(chance.randrange(256), chance.choice((count, 0, 255))) for _ in range(count)]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes(number) + chance.randbytes(chance.choice((0, 40, 60_000))))
        for number in numbers[:20]
    )


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG; its length is as much of the truth as fits."""
    return struct.pack(">BBH", 0xFF, marker, min(0xFFFF, len(content) + 2)) + content


def looping_exif(chance: random.Random) -> bytes:
    """An EXIF block whose directories point at themselves and each other, and claim any number of values."""
    directories, size = chance.choice((1, 2, 9)), 2 + 12 * 4 + 4
    block = b"II*\0" + struct.pack("<I", 8)
    for _ in range(directories):
        entries = [(0x0112, 3, 1, chance.randrange(300))]
        entries += [(chance.choice(_IFD_TAGS), 4, chance.choice(_EXTREMES), 8 + size * chance.randrange(directories))]
        entries += [(chance.randrange(2**16), chance.randrange(14), chance.choice(_EXTREMES), 8) for _ in range(2)]
        following = 8 + size * chance.randrange(directories)
        block += struct.pack("<H", 4) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        block += struct.pack("<I", following)
    return block


WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    truncated, flipped, lying, resized, rearranged, spliced, polyglot, stuffed,
)  # fmt: skip


def broken(seed: int) -> Broken:
    """A good picture, broken in one way or in several."""
    chance = random.Random(seed)
    name, data = chance.choice(list(good().items()))
    how = []
    for way in chance.sample(WAYS, chance.choice((1, 1, 1, 2, 3))):
        data = way(chance, data) if data else data
        how.append(way.__name__)
    return Broken(f"seed {seed}: {name}, {', '.join(how)}", data)


def corpus(seed: int, count: int) -> Iterator[Broken]:
    """What was made by hand, then so many by chance."""
    yield from by_hand()
    yield from (broken(seed * 1_000_003 + number) for number in range(count))


# --- by hand --------------------------------------------------------------------------------------------


@cache
def by_hand() -> list[Broken]:
    """Kinds that chance alone would hardly find."""
    return [
        *(Broken(f"{name} of 1 × {_LONGEST_SIDE:,}", data) for name, data in narrow().items()),
        *(Broken(f"a {name} without frames", data) for name, data in frameless().items()),
        *(Broken(f"a {name} with countless frames", data) for name, data in countless().items()),
        Broken("a TIFF whose pages run in a circle", circular_tiff()),
        Broken("a TIFF of which each page is the one before", paired_tiff()),
    ]


def narrow() -> dict[str, bytes]:
    """One pixel wide and as high as JPEG allows, and the other way round; intact."""
    high, wide = Image.new("RGB", (1, _LONGEST_SIDE), "red"), Image.new("RGB", (_LONGEST_SIDE, 1), "red")
    formats = ("JPEG", "PNG", "GIF", "BMP", "TIFF")
    return {f"{name} {kind}": pictures.encoded(image, name) for name in formats
            for kind, image in (("high", high), ("wide", wide))}  # fmt: skip


def frameless() -> dict[str, bytes]:
    """Animations that have a canvas and nothing on it."""
    apng = pictures.png()
    webp = b"VP8X" + struct.pack("<IB3xHBHB", 10, 0x02, 63, 0, 47, 0) + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return {
        "GIF": b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0, 0, 0) + b";",
        "APNG": apng[:33] + pictures.png_chunk(b"acTL", struct.pack(">II", 0, 0)) + apng[33:],
        "WebP": b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp,
    }


def countless() -> dict[str, bytes]:
    """Frames by the ten thousand, or as many as a number can say."""
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    apng = pictures.png()
    return {
        "GIF": b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0, 0, 0) + frame * 10_000 + b";",
        "APNG": apng[:33] + pictures.png_chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)) + apng[33:],
        "WebP": _webp_of_frames(10_000),
    }


def _webp_of_frames(count: int) -> bytes:
    frame = b"ANMF" + struct.pack("<I", 16) + bytes(16)
    webp = b"VP8X" + struct.pack("<IB3xHBHB", 10, 0x02, 63, 0, 47, 0) + frame * count
    return b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp


def circular_tiff() -> bytes:
    """Its directory names itself as the next one."""
    data = bytearray(pictures.tiff())
    (start,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, start)
    struct.pack_into("<I", data, start + 2 + 12 * entries, start)
    return bytes(data)


def paired_tiff() -> bytes:
    """Two directories that name each other."""
    data = bytearray(circular_tiff())
    (start,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, start)
    end = start + 2 + 12 * entries
    second = bytes(data[start:end]) + struct.pack("<I", start)
    struct.pack_into("<I", data, end, len(data))
    return bytes(data) + second
