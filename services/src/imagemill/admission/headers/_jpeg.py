"""JPEG: marker segments up to the first scan, how many scans follow, then the end marker (ITU T.81, annex B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace

from imagemill.admission.headers.info import MAX_PARTS, Colour, HeaderError, Info, too_many_parts

_COLOURS: dict[int, Colour] = {1: "grey", 3: "rgb", 4: "cmyk"}
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_ADOBE = 0xEE
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset([0xC0, 0xC1, 0xC9])
_USUAL_SCANS = 10
"""As many as libjpeg writes into a progressive picture in colour. What looks like so few is not looked at again."""
_IN_SCANS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within entropy-coded data 0xFF is followed by 0 or a restart marker; anything else is a marker."""
_BARE = frozenset([0x01, *range(0xD0, 0xD9), 0xFF])
"""Markers without a length, and the fill byte that may stand before any marker."""


def announces(data: bytes) -> bool:
    """Whether the data begins like a JPEG."""
    return data.startswith(b"\xff\xd8\xff")


def head(data: bytes) -> Info:
    """Size, precision and components from the frame header."""
    for marker, at in _segments(data):
        if marker in _FRAME_HEADERS:
            return _info(*struct.unpack_from(">BHHB", data, at + 4))
    raise HeaderError("malformed", "The JPEG has no frame header before its pixel data.")


def scan(data: bytes, info: Info, max_frames: int) -> Info:  # noqa: ARG001 - one signature for all formats
    """Look for Adobe's mark, which tells that CMYK is inverted, and the end marker behind the first scan header.

    Inside entropy-coded data 0xFF is only ever followed by 0 or a restart marker, so the pair is the end marker
    itself. It is searched from the end because phones append videos and further pictures after it.
    """
    frame = components = 0
    for marker, at in _segments(data):
        if marker in _FRAME_HEADERS:
            frame, components = marker, data[at + 9]
        if marker == _ADOBE and info.colour == "cmyk" and data[at + 4 : at + 9] == b"Adobe":
            info = replace(info, colour="cmyk-inverted")
        if marker == _START_OF_SCAN:
            ended = data.rfind(b"\xff\xd9", at) >= 0
            # A decoder reads one scan only when that has all components, and does not refine each other.
            single = frame in _SEQUENTIAL and data[at + 4] == components
            info = info if single else replace(info, scans=_scans(data, at))
            return info if ended else replace(info, damage="its end marker (EOI) is missing")
    return replace(info, damage="it has no pixel data")


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, offset of its 0xFF) for each segment, the first scan header last."""
    at = 2
    for _ in range(MAX_PARTS):
        prefix, marker = data[at], data[at + 1]
        if prefix != 0xFF:
            raise HeaderError("malformed", f"The JPEG has no marker at byte {at}, where one must be.")
        if marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        yield marker, at
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    raise too_many_parts("segments")


def _scans(data: bytes, first: int) -> int:
    """Scans from the first one on, to the end marker. A decoder goes over the whole picture for each.

    Two counts, since the quick one takes what was appended to the picture for scans: the exact one is bounded by the
    number of markers, however long the data between them is.
    """
    quick = data.count(b"\xff\xda", first)
    if quick <= _USUAL_SCANS:
        return quick
    at, found = first, 0
    for _ in range(MAX_PARTS):
        place = _IN_SCANS.search(data, at)
        if place is None or data[place.start() + 1] == _END_OF_IMAGE:
            return found
        marker, at = data[place.start() + 1], place.start() + 2
        found += marker == _START_OF_SCAN
        if marker not in _BARE:
            at += int.from_bytes(data[at : at + 2], "big")
    return max(found, MAX_PARTS)


def _info(bits: int, height: int, width: int, components: int) -> Info:
    if bits != 8 or components not in _COLOURS:
        detail = f"JPEGs with {components} components of {bits} bits are not taken; 1, 3 or 4 components of 8 bits are."
        raise HeaderError("unsupported-format", detail)
    return Info("image/jpeg", width, height, _COLOURS[components])
