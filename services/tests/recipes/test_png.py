"""Our own way to write PNG: whatever pixels go in, every reader gets the same ones out."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import pictures
from imagemill.recipes import png

CHANNELS = st.sampled_from([None, 3, 4])
SIDES = st.integers(1, 70)


def drawn(height: int, width: int, channels: int | None, dtype: type, seed: int = 0) -> NDArray[np.integer]:
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def read_back(data: bytes) -> NDArray[np.integer]:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@given(SIDES, SIDES, CHANNELS, st.sampled_from([np.uint8, np.uint16]))
def test_pixels_come_back_as_they_were(height: int, width: int, channels: int | None, dtype: type) -> None:
    pixels = drawn(height, width, channels, dtype)
    found = read_back(png.encode(pixels))
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)


@given(SIDES, SIDES, CHANNELS, st.integers(1, 8))
def test_strips_leave_no_seam(height: int, width: int, channels: int | None, rows: int) -> None:
    pixels = drawn(height, width, channels, np.uint8)
    whole = png._STRIP_BYTES
    try:
        png._STRIP_BYTES = rows * pixels[0].nbytes
        assert np.array_equal(read_back(png.encode(pixels)), pixels)
    finally:
        png._STRIP_BYTES = whole


@pytest.mark.parametrize(
    "turned", [lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x.swapaxes(0, 1), lambda x: x[5:9, 3:]]
)
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_pixels_need_not_lie_in_a_row(turned, channels: int | None) -> None:  # type: ignore[no-untyped-def]
    pixels = turned(drawn(40, 30, channels, np.uint16))
    assert np.array_equal(read_back(png.encode(pixels)), pixels)


def test_another_reader_sees_the_same() -> None:
    pixels = drawn(300, 1500, 3, np.uint8)
    with Image.open(io.BytesIO(png.encode(pixels))) as image:
        image.verify()
    with Image.open(io.BytesIO(png.encode(pixels))) as image:
        assert (image.mode, image.size) == ("RGB", (1500, 300))
        assert np.array_equal(np.asarray(image)[..., ::-1], pixels)


def test_a_photo_and_a_drawing_are_hardly_larger_than_as_opencv_writes_them() -> None:
    photo = pictures.photo(640, 480, 1)
    drawing = np.full((480, 640, 3), 250, np.uint8)
    cv2.putText(drawing, "Imagemill", (20, 240), cv2.FONT_HERSHEY_SIMPLEX, 3, (30, 90, 10), 4)
    for pixels in (photo, cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), drawing):
        assert len(png.encode(pixels)) <= 1.15 * len(cv2.imencode(".png", pixels)[1])
