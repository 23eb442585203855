"""A frame as it travels, and its small grey form."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imagemill.admission import headers

Gray = NDArray[np.uint8]
Picture = NDArray[np.uint8]

# Pictures are hostile input: 50 million pixels are more than any camera sends and still decode in bounded memory.
MAX_PIXELS = 50_000_000

_GRAY_READ = {1: cv2.IMREAD_GRAYSCALE, 2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4}
_COLOR_READ = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


class UnreadableFrameError(ValueError):
    """A frame's bytes are no picture that can be looked at."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source, in the encoded form it came in.

    `at` is in seconds since the epoch by the reader's clock. `generation` grows with every reader that takes the
    camera over, `sequence` with every frame of one reader; pictures that were posted have no sequence.
    """

    at: float
    data: bytes
    sequence: int | None = None
    generation: int = 0

    def __repr__(self) -> str:
        """Without the picture's bytes, which nobody wants in a log."""
        return f"Frame(at={self.at}, {len(self.data)} bytes, sequence={self.sequence}, generation={self.generation})"


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height from the header alone; UnreadableFrameError when it is none or too large to decode."""
    try:
        info = headers.read(data)
    except headers.HeaderError as error:
        raise UnreadableFrameError(f"{len(data)} bytes are not a picture that can be read: {error.detail}") from None
    if info.width * info.height > MAX_PIXELS:
        size = f"{info.width} × {info.height}"
        raise UnreadableFrameError(f"the picture has {size} pixels; at most {MAX_PIXELS:,} are looked at")
    return info.width, info.height


def small_gray(data: bytes, height: int) -> Gray:
    """The picture in grey, `height` pixels high, decoded no larger than needed."""
    reduced = _decode(data, _GRAY_READ[_reduction(picture_size(data)[1], height)])
    return _shrink(reduced, height)


def small_color(data: bytes, height: int) -> Picture:
    """The picture in colour, at most `height` pixels high."""
    full_height = picture_size(data)[1]
    decoded = _decode(data, _COLOR_READ[_reduction(full_height, height)])
    return _shrink(decoded, min(height, full_height))


def full_color(data: bytes) -> Picture:
    """The whole picture in colour."""
    picture_size(data)
    return _decode(data, cv2.IMREAD_COLOR)


def as_jpeg(picture: Picture, quality: int) -> bytes:
    """The picture as JPEG bytes."""
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise UnreadableFrameError(f"a picture of the shape {picture.shape} cannot be written as JPEG")
    return encoded.tobytes()


def _reduction(full_height: int, height: int) -> int:
    # A JPEG decoder can leave out the finest detail at no cost; halves of at least the wanted height lose nothing.
    return next(factor for factor in (4, 2, 1) if full_height >= height * factor or factor == 1)


def _decode(data: bytes, flags: int) -> Picture:
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UnreadableFrameError(f"{len(data)} bytes could not be decoded: {error.err}") from None
    if decoded is None:
        raise UnreadableFrameError(f"{len(data)} bytes have a picture's header but could not be decoded")
    return np.asarray(decoded, np.uint8)


def _shrink(picture: Picture, height: int) -> Picture:
    full_height, full_width = picture.shape[:2]
    if full_height == height:
        return picture
    width = max(1, round(full_width * height / full_height))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
