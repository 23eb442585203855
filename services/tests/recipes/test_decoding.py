"""What comes out of a decoder is what a person sees: upright, right colours, transparency and depth kept."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

import pictures
from imagemill.recipes import ImageError, Step, load, parameters
from imagemill.recipes import decoding as module
from imagemill.recipes.decoding import DecodePlan, plan_for
from imagemill.recipes.decoding import decode as decoded_with_damage

COLOUR, GREY = DecodePlan(), DecodePlan(grey=True)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def decode(data: bytes, plan: DecodePlan) -> np.ndarray:
    """The pixels of an intact picture."""
    pixels, is_damaged = decoded_with_damage(data, plan)
    assert not is_damaged
    return pixels


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The middles of the four quarters, in RGB, rounded to full colours."""
    height, width = pixels.shape[:2]
    middles = [pixels[y, x] for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(int(round(value / 255) * 255) for value in np.atleast_1d(middle)[2::-1]) for middle in middles]


def upright(orientation: int) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """What the EXIF standard says should be seen: the size and the corners."""
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }[orientation]
    image = Image.fromarray(pictures.quadrants())
    pixels = np.asarray(image if turn is None else image.transpose(turn))[..., ::-1]
    return pixels.shape[:2], corners(pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_turned_upright_in_every_mode(format: str, orientation: int) -> None:
    data = pictures.oriented(format, orientation)
    shape, seen = upright(orientation)
    colour, grey = decode(data, COLOUR), decode(data, GREY)
    assert (colour.shape, corners(colour)) == ((*shape, 3), seen)
    assert grey.shape == shape
    expected = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(int)
    assert np.abs(grey - expected).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("grey", [False, True])
def test_every_orientation_is_turned_upright_in_a_reduced_jpeg(orientation: int, grey: bool) -> None:
    plan = DecodePlan(grey, lambda size: (size[0] // 2, size[1] // 2))
    pixels = decode(pictures.oriented("JPEG", orientation), plan)
    (height, width), seen = upright(orientation)
    assert pixels.shape[:2] == (height // 2, width // 2)
    assert grey or corners(pixels) == seen


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_every_orientation_is_turned_upright_with_transparency(format: str, orientation: int) -> None:
    image = pictures.rgba()
    options = {"tiffinfo": {0x0112: orientation}} if format == "TIFF" else {"exif": pictures.exif(orientation)}
    lossless = {"lossless": True, "exact": True} if format == "WEBP" else {}
    pixels = decode(pictures.encoded(image, format, **options, **lossless), COLOUR)
    shape, seen = upright(orientation)
    assert pixels.shape == (*shape, 4)
    visible = [tuple(colour) for colour in seen if colour in (RED, BLUE)]
    assert [corner for corner, alpha in zip(corners(pixels), _alphas(pixels), strict=True) if alpha] == visible


def _alphas(pixels: np.ndarray) -> list[int]:
    height, width = pixels.shape[:2]
    return [int(pixels[y, x, 3]) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]


@pytest.mark.parametrize("orientation", [1, 6])
def test_sixteen_bits_with_transparency_stay_upright_and_deep(orientation: int) -> None:
    plain = pictures.png16(64, 48, channels=4)
    with_exif = plain[:33] + pictures.png_chunk(b"eXIf", pictures.exif(orientation).tobytes()[6:]) + plain[33:]
    pixels = decode(with_exif, COLOUR)
    assert pixels.dtype == np.uint16
    assert pixels.shape == ((64, 48, 4) if orientation == 6 else (48, 64, 4))


@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize("orientation", [1, 6])
def test_cmyk_has_its_colours(inverted: bool, orientation: int) -> None:
    data = pictures.cmyk_jpeg(inverted=inverted, exif=pictures.exif(orientation))
    pixels = decode(data, COLOUR)
    shape, seen = upright(orientation)
    assert (pixels.shape[:2], corners(pixels)) == (shape, seen)


def test_cmyk_is_grey_when_grey_is_wanted() -> None:
    run = load()["gray"].apply
    results = [run(data).data for data in (pictures.cmyk_jpeg(), pictures.cmyk_jpeg(inverted=False))]
    for grey in (decode(result, COLOUR).astype(int) for result in results):
        assert np.abs(np.array([grey[12, 16], grey[12, 48], grey[36, 16]]) - (76, 150, 29)).max() <= 2


def test_ycck_as_photoshop_writes_it_looks_as_in_pillow() -> None:
    data = bytearray(pictures.cmyk_jpeg())
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data[adobe + 11] = 2
    pixels = decode(bytes(data), COLOUR).astype(int)
    with Image.open(io.BytesIO(bytes(data))) as image:
        expected = np.asarray(image.convert("RGB"))[..., ::-1].astype(int)
    assert np.abs(pixels - expected).mean() < 3


@pytest.mark.parametrize(
    "data",
    [
        pictures.palette_png(),
        pictures.gif(),
        pictures.encoded(pictures.palette(), "GIF", interlace=1),
        pictures.encoded(pictures.palette(), "BMP"),
        pictures.encoded(pictures.palette(), "TIFF"),
        pictures.bmp(),
        pictures.encoded(pictures.rgba(), "BMP"),
        pictures.tiff(compression="tiff_lzw"),
        pictures.encoded(Image.fromarray(pictures.quadrants()).convert("CMYK"), "TIFF"),
        pictures.encoded(Image.fromarray(pictures.quadrants()).convert("YCbCr"), "TIFF"),
        pictures.webp(),
        pictures.png(),
    ],
)
def test_palettes_and_other_kinds_have_their_colours(data: bytes) -> None:
    pixels = decode(data, COLOUR)
    assert (pixels.shape, corners(pixels)) == ((48, 64, 3), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_palettes_transparent_colour_is_transparent(format: str) -> None:
    data = pictures.encoded(pictures.palette(), format, transparency=0)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("RGBA"))
    pixels = decode(data, COLOUR)
    assert np.array_equal(pixels[..., 3], expected[..., 3])
    assert set(np.unique(pixels[..., 3])) == {0, 255}


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP"])
def test_grey_stays_one_channel(format: str) -> None:
    data = pictures.encoded(Image.fromarray(pictures.quadrants()).convert("L"), format)
    assert decode(data, COLOUR).shape == (48, 64)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_grey_with_alpha_keeps_its_alpha(format: str) -> None:
    pixels = decode(pictures.encoded(pictures.rgba().convert("LA"), format), GREY)
    assert pixels.shape == (48, 64, 4)
    assert _alphas(pixels) == [255, 0, 255, 0]


def test_a_grey_png_with_a_transparent_value_keeps_it() -> None:
    data = pictures.encoded(Image.fromarray(pictures.quadrants()).convert("L"), "PNG", transparency=255)
    assert _alphas(decode(data, COLOUR)) == [255, 255, 255, 0]


def test_a_half_transparent_tiff_keeps_its_colour() -> None:
    image = pictures.rgba()
    image.putalpha(128)
    assert decode(pictures.encoded(image, "TIFF"), COLOUR)[5, 5].tolist() == [0, 0, 255, 128]


@pytest.mark.parametrize("data", [pictures.gif_animated(), pictures.webp_animated()])
def test_of_an_animation_the_first_frame_is_taken(data: bytes) -> None:
    assert corners(decode(data, COLOUR))[0] == RED


def test_sixteen_bits_are_kept() -> None:
    grey = decode(pictures.png16(), COLOUR)
    assert (grey.dtype, int(grey.max())) == (np.uint16, 65535)
    assert decode(pictures.png16(channels=3), GREY).dtype == np.uint16


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_truncated_jpeg_is_an_error_and_not_half_a_picture(share: float) -> None:
    for name in ("gray", "compress", "thumbnail"):
        with pytest.raises(ImageError) as caught:
            load()[name].apply(pictures.truncated_jpeg(share))
        assert caught.value.code == "truncated"


@pytest.mark.parametrize("content_type", pictures.one_of_each())
def test_every_truncated_format_is_an_error(content_type: str) -> None:
    data = pictures.one_of_each()[content_type]
    for share in (0.05, 0.5, 0.9):
        with pytest.raises(ImageError):
            decode(data[: int(len(data) * share)], COLOUR)


def test_damaged_png_data_is_undecodable() -> None:
    data = bytearray(pictures.png(640, 480))
    middle = data.index(b"IDAT") + 20
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(ImageError) as caught:
        decode(bytes(data), COLOUR)
    assert caught.value.code == "undecodable"
    assert "PNG of 640 × 480 pixels" in caught.value.detail


def test_damaged_gif_data_is_undecodable() -> None:
    with pytest.raises(ImageError) as caught:
        decode(pictures.gif()[:-30] + bytes(29) + b";", COLOUR)
    assert caught.value.code in ("undecodable", "truncated")


def test_text_is_no_picture() -> None:
    with pytest.raises(ImageError) as caught:
        decode(b"hello", COLOUR)
    assert caught.value.code == "not-an-image"


def test_a_bomb_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageError) as caught:
        decode(pictures.bomb_png_header(), COLOUR)
    assert caught.value.code == "too-many-pixels"


def plan_of(*steps: parameters.Params) -> DecodePlan:
    return plan_for(Step(type(step).__name__.lower(), step) for step in steps)


def test_grey_is_decoded_only_when_the_recipe_begins_with_it() -> None:
    assert plan_of(parameters.Gray(), parameters.Png()).grey
    assert plan_of(parameters.Fit(), parameters.Gray(), parameters.Png()).grey
    assert not plan_of(parameters.Denoise(), parameters.Gray(), parameters.Png()).grey
    assert not plan_of(parameters.Jpeg()).grey


@pytest.mark.parametrize(
    ("size", "box", "decoded"),
    [
        ((1920, 1080), (256, 256), (480, 270)),
        ((1920, 1080), (240, 240), (240, 135)),
        ((1920, 1080), (1600, 1600), (1920, 1080)),
        ((1000, 2000), (256, 256), (250, 500)),
        ((1001, 999), (125, 125), (126, 125)),
        ((100, 100), (256, 256), (100, 100)),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_the_box_allows(size: tuple[int, int], box: tuple[int, int], decoded) -> None:
    data = pictures.encoded(Image.new("RGB", size), "JPEG")
    pixels = decode(data, plan_of(parameters.Fit(width=box[0], height=box[1])))
    assert (pixels.shape[1], pixels.shape[0]) == decoded


def test_a_box_that_is_not_square_counts_for_the_upright_picture() -> None:
    # Stored lying, seen standing: 500 × 2000 fits into 400 × 1600 at 4/5, so nothing may be reduced.
    data = pictures.encoded(Image.new("RGB", (2000, 500)), "JPEG", exif=pictures.exif(6))
    assert decode(data, plan_of(parameters.Fit(width=400, height=1600))).shape[:2] == (2000, 500)


def overwritten(data: bytes, with_bytes: bytes) -> bytes:
    """With other bytes in its middle."""
    middle = len(data) // 2
    return data[:middle] + with_bytes + data[middle + len(with_bytes) :]


@pytest.mark.parametrize("plan", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize(
    ("format", "options", "with_bytes"),
    [
        ("JPEG", {}, b"\xff\xc4" * 1000),
        ("JPEG", {}, b"\x55" * 400),
        ("TIFF", {"compression": "tiff_lzw"}, b"\xff" * 500),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, b"\x55" * 500),
    ],
)
def test_a_picture_of_which_pixels_were_lost_is_called_damaged(
    plan: DecodePlan, format: str, options: dict[str, str], with_bytes: bytes
) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    data = pictures.encoded(Image.fromarray(noise), format, **options)
    assert decoded_with_damage(data, plan)[1] is False
    assert decoded_with_damage(overwritten(data, with_bytes), plan)[1] is True


def test_bytes_too_many_at_the_end_of_a_jpeg_are_no_damage() -> None:
    data = pictures.photo_jpeg(seed=5)
    pixels, is_damaged = decoded_with_damage(data[:-2] + bytes(7) + data[-2:], COLOUR)
    assert (pixels.size > 0, is_damaged) == (True, False)
