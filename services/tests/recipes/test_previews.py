"""Previews: never above their size, whatever the picture is; and no picture fails for their sake."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import pictures
from imagemill.domain.previews import MAX_BYTES, is_light
from imagemill.recipes import load, previews

RECIPES = load()
SIDE = 320
_NOISE = np.random.default_rng(7)


def noise(*shape: int, dtype: type = np.uint8) -> NDArray[np.generic]:
    return _NOISE.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def photo(width: int = 1920, height: int = 1080) -> NDArray[np.uint8]:
    coarse = cv2.resize(noise(34, 60, 3), (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return np.clip(coarse + _NOISE.integers(-12, 12, coarse.shape), 0, 255).astype(np.uint8)


def jpeg(pixels: NDArray[np.generic]) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def png(pixels: NDArray[np.generic]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    assert len(data) <= MAX_BYTES
    image = Image.open(io.BytesIO(data))
    assert image.format == "WEBP"
    image.load()
    return image


@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        (noise(1080, 1920, 3), (320, 180)),
        (noise(1080, 1920), (320, 180)),
        (noise(1000, 1000, 4), (320, 320)),
        (noise(900, 900, 3, dtype=np.uint16), (320, 320)),
        (noise(900, 900, 4, dtype=np.uint16), (320, 320)),
        (noise(1, 1, 3), (1, 1)),
        (noise(65000, 1, 3), (1, 320)),
        (noise(1, 65000), (320, 1)),
        (noise(2, 3, 4), (3, 2)),
        (noise(33, 65000, 4), (320, 1)),
    ],
    ids=lambda value: "x".join(map(str, value if isinstance(value, tuple) else (*value.shape, value.dtype))),
)
def test_a_preview_is_small_whatever_it_shows(pixels: NDArray[np.generic], size: tuple[int, int]) -> None:
    assert opened(previews.webp(pixels, SIDE)).size == size


def test_noise_of_a_large_preview_is_made_smaller_until_it_fits() -> None:
    image = opened(previews.webp(noise(1100, 1100, 3), 1024))
    assert 320 <= image.width < 1024


def test_what_is_transparent_is_on_white_and_its_hidden_colours_do_not_shine_through() -> None:
    pixels = np.zeros((400, 400, 4), np.uint8)
    pixels[:, :, 2] = 255  # red, and visible on the left alone
    pixels[:, :200, 3] = 255
    shown = opened(previews.webp(pixels, 100)).convert("RGB")
    assert shown.getpixel((25, 50))[0] > 200 > 60 > shown.getpixel((25, 50))[1]
    assert min(shown.getpixel((75, 50))) > 240


def test_sixteen_bits_keep_their_brightness() -> None:
    white, middle = np.full((500, 500), 65535, np.uint16), np.full((500, 500), 32768, np.uint16)
    assert opened(previews.webp(white, SIDE)).convert("L").getpixel((9, 9)) > 250
    assert abs(opened(previews.webp(middle, SIDE)).convert("L").getpixel((9, 9)) - 128) < 4


@pytest.mark.parametrize("encode", [jpeg, png])
def test_the_original_keeps_its_colours_under_a_recipe_that_decodes_grey(encode: object) -> None:
    pixels = photo()
    pixels[:, :, 0] = 0
    made = RECIPES["gray"].apply(encode(pixels), SIDE)  # type: ignore[operator]
    before = np.asarray(opened(made.preview_of_original).convert("RGB"))
    after = np.asarray(opened(made.preview).convert("RGB"))
    assert before[..., 0].mean() > 90 > 50 > before[..., 2].mean()
    assert abs(after[..., 0].mean() - after[..., 2].mean()) < 3
    assert before.shape[:2] == after.shape[:2] == (180, 320)


def test_the_original_of_a_recipe_that_decodes_it_smaller_is_as_large_as_others() -> None:
    made = RECIPES["thumbnail"].apply(jpeg(photo(8000, 4500)), SIDE)
    assert opened(made.preview_of_original).size == (320, 180)
    assert made.preview is None  # the result itself is lighter
    assert is_light(made.content_type, len(made.data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_preview_of_an_original_stands_upright_and_has_no_metadata(orientation: int) -> None:
    data = pictures.exif_gps_jpeg(orientation, 1600, 900) + bytes(MAX_BYTES)
    image = opened(RECIPES["gray"].apply(data, SIDE).preview_of_original)
    assert image.size == ((320, 180) if orientation < 5 else (180, 320))
    assert not image.getexif()


def test_light_pictures_are_their_own_preview() -> None:
    made = RECIPES["gray"].apply(pictures.png(60, 40), SIDE)
    assert (made.preview, made.preview_of_original) == (None, None)


def test_a_light_picture_that_browsers_do_not_show_has_one() -> None:
    made = RECIPES["gray"].apply(pictures.tiff(), SIDE)
    assert opened(made.preview_of_original).size == (64, 48)


def test_results_are_the_same_with_and_without_previews() -> None:
    data = jpeg(photo())
    for name, recipe in RECIPES.items():
        if name != "denoise":
            assert recipe.apply(data).data == recipe.apply(data, SIDE).data
    assert RECIPES["gray"].apply(data).preview_of_original is None


def test_a_preview_that_cannot_be_made_fails_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise cv2.error("no memory")

    monkeypatch.setattr(previews, "webp", broken)
    made = RECIPES["compress"].apply(jpeg(photo()), SIDE)
    assert made.data
    assert (made.preview, made.preview_of_original) == (None, None)
