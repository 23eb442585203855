"""The verdict at the door: whether a picture is taken in, decided from its header alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from imagemill.admission import headers

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1 << 20
_TAKEN = "JPEG, PNG, WebP, GIF, BMP and TIFF"
_OWN_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_STATUS = {"not-an-image": 415, "unsupported-format": 415, "truncated": 422, "malformed": 422}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True)
class Limits:
    """What is too much: bytes of the file, pixels of the picture, frames (1: no animations, no pages), scans."""

    max_bytes: int = 32 * _MIB
    max_pixels: int = 100_000_000
    max_frames: int = 1
    max_scans: int = 100


@dataclass(frozen=True)
class Header:
    """What was accepted. Width and height are the stored ones: an EXIF orientation is not yet applied."""

    content_type: str
    width: int
    height: int
    frames: int
    bytes: int


class Rejected(Exception):
    """Not taken in: an HTTP status, a stable code for programs and a sentence for the sender."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def validate(data: bytes, limits: Limits, size_bytes: int | None = None) -> Header:
    """Judge a picture by its content; decodes no pixel and raises nothing but Rejected, whatever the bytes are.

    `size_bytes` is that of the file, when `data` is not all of it.
    """
    _check_bytes(len(data) if size_bytes is None else size_bytes, limits)
    try:
        info = headers.read(data, limits.max_frames)
    except headers.HeaderError as error:
        raise _refusal(error, data) from None
    _check_info(info, limits)
    return Header(info.content_type, info.width, info.height, info.frames, len(data))


def _check_bytes(size_bytes: int, limits: Limits) -> None:
    if not size_bytes:
        raise Rejected(400, "empty", "The file is empty (0 bytes). Was it read before it was completely written?")
    if size_bytes > limits.max_bytes:
        detail = f"The file has {size_bytes:,} bytes; at most {limits.max_bytes:,} are accepted."
        raise Rejected(413, "too-large", detail)


def _check_info(info: headers.Info, limits: Limits) -> None:
    pixels = info.width * info.height
    if pixels > limits.max_pixels:
        detail = f"The picture has {info.width:,} × {info.height:,} pixels; at most {limits.max_pixels:,} are accepted."
        raise Rejected(413, "too-many-pixels", detail)
    if info.frames > limits.max_frames:
        has = (
            f"more than {limits.max_frames} frames or pages" if limits.max_frames > 1 else "more than one frame or page"
        )
        detail = f"The picture has {has}. Send each as a picture of its own."
        raise Rejected(422, "animated", detail)
    if info.scans > limits.max_scans:
        detail = (
            f"The picture is drawn in more than {limits.max_scans} scans; no camera writes that many. Save it again."
        )
        raise Rejected(422, "too-many-scans", detail)
    if info.damage:
        detail = f"The picture is not complete: {info.damage}. Was its transfer interrupted?"
        raise Rejected(422, "truncated", detail)


def _refusal(error: headers.HeaderError, data: bytes) -> Rejected:
    other = foreign_format(data) if error.code == "not-an-image" else None
    if other:
        detail = f"The file is a picture in the format {other}; accepted are {_TAKEN}."
        return Rejected(415, "unsupported-format", detail)
    detail = error.detail
    if error.code == "not-an-image":
        detail = f"The file is not a picture, whatever its name says; accepted are {_TAKEN}."
    return Rejected(_STATUS[error.code], error.code, detail)


def foreign_format(data: bytes) -> str | None:
    """The name of a picture format that is not taken, if the first bytes are of one."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIC"
    if data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<svg", b"<?xml")) and b"<svg" in data[:4096]:
        return "SVG"
    prefix = data[:16]
    return next((name for name, announces in _pillows_formats().items() if _accepts(announces, prefix)), None)


@cache
def _pillows_formats() -> dict[str, Callable[[bytes], bool | str]]:
    """Pillow's own tests of first bytes. Formats without such a test would claim any text for themselves."""
    from PIL import Image  # here, since loading all of its formats takes a while and few callers send such files

    Image.init()
    return {name: accept for name, (_, accept) in Image.OPEN.items() if accept and name not in _OWN_FORMATS}


def _accepts(announces: Callable[[bytes], bool | str], prefix: bytes) -> bool:
    try:
        return announces(prefix) is True
    except (IndexError, TypeError, ValueError, SyntaxError, struct.error):
        return False
