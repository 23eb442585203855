"""Recipes applied to pictures, seen from outside."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import pictures
from imagemill.admission import headers
from imagemill.recipes import ImageError, Picture, Recipe, load, single_threaded, sizes
from imagemill.recipes import encoders as encoders_module

RECIPES = load()


def recipe(tmp_path: Path, steps: str) -> Recipe:
    (tmp_path / "recipes.yaml").write_text(f"mine: {{steps: [{steps}]}}")
    return load(tmp_path / "recipes.yaml")["mine"]


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    assert (image.get_format_mimetype(), image.size) == (picture.content_type, (picture.width, picture.height))
    image.load()
    return image


def pixels_of(picture: Picture) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("content_type", pictures.one_of_each())
def test_every_recipe_takes_every_format(name: str, content_type: str) -> None:
    picture = RECIPES[name].apply(pictures.one_of_each()[content_type])
    assert (picture.width, picture.height) == (64, 48)
    assert picture.content_type == RECIPES[name].content_type
    opened(picture).close()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    "data",
    [
        pictures.rgba_png(),
        pictures.png16(),
        pictures.png16(channels=4),
        pictures.palette_png(transparency=0),
        pictures.cmyk_jpeg(),
        pictures.encoded(pictures.rgba().convert("LA"), "PNG"),
        pictures.png(1, 1),
        pictures.png(1, 300),
    ],
)
def test_every_recipe_takes_every_kind_of_pixel(name: str, data: bytes) -> None:
    picture = RECIPES[name].apply(data)
    opened(picture).close()


def test_gray_is_a_grey_png_of_the_same_size() -> None:
    data = pictures.photo_jpeg(320, 240)
    image = opened(RECIPES["gray"].apply(data))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (320, 240))
    expected = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2GRAY)
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 2


def test_compress_makes_fewer_bytes() -> None:
    data = pictures.photo_jpeg(quality=90)
    assert len(RECIPES["compress"].apply(data).data) < len(data) / 2


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_thumbnail_fits_into_its_box_and_stands_upright(orientation: int) -> None:
    picture = RECIPES["thumbnail"].apply(pictures.exif_gps_jpeg(orientation, 1600, 900))
    assert (picture.width, picture.height) == ((144, 256) if orientation == 6 else (256, 144))


def test_a_small_picture_is_never_enlarged() -> None:
    picture = RECIPES["thumbnail"].apply(pictures.png(20, 10))
    assert (picture.width, picture.height) == (20, 10)


def test_denoise_takes_noise_away_and_leaves_edges() -> None:
    random = np.random.default_rng(1)
    noisy = np.clip(pictures.quadrants(160, 120)[..., ::-1] + random.normal(0, 8, (120, 160, 3)), 0, 255)
    result = pixels_of(RECIPES["denoise"].apply(cv2.imencode(".png", noisy.astype(np.uint8))[1].tobytes()))
    assert result[10:50, 10:70].std(axis=(0, 1)).max() < 3
    assert int(result[30, 60, 2]) - int(result[30, 100, 2]) > 200


def test_edges_are_white_on_black() -> None:
    pixels = pixels_of(RECIPES["edges"].apply(pictures.png()))
    assert (pixels.shape, set(np.unique(pixels))) == ((48, 64), {0, 255})
    assert pixels[:, 28:36].any()
    assert not pixels[2:20, 2:28].any()


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_metadata_of_the_original_is_left(name: str, format: str) -> None:
    image = Image.fromarray(pictures.quadrants())
    known = pictures.everything_known()
    data = pictures.encoded(image, format, **{k: v for k, v in known.items() if (k, format) != ("comment", "PNG")})
    assert pictures.GPS_MARK in data
    result = RECIPES[name].apply(data).data
    with Image.open(io.BytesIO(result)) as opened_result:
        assert not opened_result.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment", "XML:com.adobe.xmp"} & set(opened_result.info)
    for mark in (pictures.GPS_MARK, b"Exif", b"EXIF", b"eXIf", b"http://ns.adobe", b"xmpmeta", b"ICC_PROFILE", b"iCCP"):
        assert mark not in result


def test_transparency_is_kept_by_png_and_webp_and_white_in_jpeg(tmp_path: Path) -> None:
    data = pictures.rgba_png()
    for steps in ("png", "gray, png", "webp", "{fit: {width: 32}}, png", "{blur: {sigma: 1}}, png"):
        pixels = pixels_of(recipe(tmp_path, steps).apply(data))
        assert pixels[2, 2, 3] == 255
        assert pixels[2, -2, 3] == 0
    flat = pixels_of(RECIPES["compress"].apply(data))
    assert flat.shape == (48, 64, 3)
    assert flat[10, 50].min() > 250
    assert flat[10, 10, 2] > 240


def test_half_transparency_is_half_white_in_jpeg() -> None:
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 128))
    assert abs(int(pixels_of(RECIPES["compress"].apply(pictures.encoded(image, "PNG")))[20, 20, 0]) - 127) <= 2


def test_invisible_colours_do_not_shine_through_when_shrinking(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:, ::2] = (0, 0, 255, 255)  # red, opaque; between them green, invisible
    pixels[:, 1::2] = (0, 255, 0, 0)
    picture = recipe(tmp_path, "{fit: {width: 20, height: 20}}, png").apply(cv2.imencode(".png", pixels)[1].tobytes())
    assert pixels_of(picture)[10, 10].tolist() == [0, 0, 255, 128]


def test_png_keeps_sixteen_bits_and_jpeg_scales_them(tmp_path: Path) -> None:
    data = pictures.png16()
    deep = pixels_of(RECIPES["gray"].apply(data))
    assert (deep.dtype, int(deep.min()), int(deep.max())) == (np.uint16, 0, 65535)
    assert len(np.unique(deep)) == 64 * 48
    shallow = pixels_of(recipe(tmp_path, "{jpeg: {quality: 100}}").apply(data))
    assert np.abs(shallow.astype(float) - deep / 257).max() < 3


def test_webp_without_loss_is_exact(tmp_path: Path) -> None:
    pixels = pixels_of(recipe(tmp_path, "{webp: {lossless: true}}").apply(pictures.png()))
    assert np.array_equal(pixels[..., ::-1], pictures.quadrants())


def test_fill_covers_the_box_and_cuts_the_middle_out(tmp_path: Path) -> None:
    fill = recipe(tmp_path, "{fill: {width: 40, height: 40}}, png")
    picture = fill.apply(pictures.photo_jpeg(640, 480))
    assert (picture.width, picture.height) == (40, 40)
    quarters = pixels_of(fill.apply(pictures.png(640, 480)))
    assert quarters[5, 5].tolist() == [0, 0, 255]
    assert quarters[35, 35].tolist() == [255, 255, 255]


def test_rotate_turns_clockwise(tmp_path: Path) -> None:
    pixels = pixels_of(recipe(tmp_path, "{rotate: {degrees: 90}}, png").apply(pictures.png()))
    assert pixels.shape == (64, 48, 3)
    assert pixels[5, 40].tolist() == [0, 0, 255]


def test_sharpen_raises_contrast_at_edges(tmp_path: Path) -> None:
    soft = cv2.imencode(".png", cv2.GaussianBlur(pictures.quadrants(), (0, 0), 3))[1].tobytes()
    before, after = (pixels_of(recipe(tmp_path, s).apply(soft)) for s in ("png", "{sharpen: {amount: 2}}, png"))
    assert cv2.Laplacian(after, cv2.CV_64F).var() > cv2.Laplacian(before, cv2.CV_64F).var()


def test_png_compression_makes_fewer_bytes(tmp_path: Path) -> None:
    data = pictures.photo_jpeg()
    sizes_of = [len(recipe(tmp_path, f"{{png: {{compression: {level}}}}}").apply(data).data) for level in (0, 9)]
    assert sizes_of[1] < sizes_of[0]


def test_what_a_format_cannot_hold_is_said() -> None:
    with pytest.raises(ImageError, match="at most 16,383") as caught:
        RECIPES["webp"].apply(pictures.png(17_000, 2))
    assert caught.value.code == "unencodable"


def test_an_encoder_that_fails_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders_module.cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(ImageError) as caught:
        RECIPES["compress"].apply(pictures.png())
    assert caught.value.code == "unencodable"


def test_an_image_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ImageError("truncated", "It ends early.")))
    assert (error.code, error.detail, str(error)) == ("truncated", "It ends early.", "truncated: It ends early.")


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = pictures.photo_jpeg()
    for each in RECIPES.values():
        assert each.apply(data) == each.apply(data)


def test_single_threaded_leaves_one_thread() -> None:
    before = cv2.getNumThreads()
    try:
        single_threaded()
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


@settings(max_examples=150)
@given(st.sampled_from([*pictures.one_of_each().values(), pictures.rgba_png(), pictures.cmyk_jpeg()]), st.data())
def test_damaged_pictures_raise_nothing_but_image_errors(sample: bytes, draw: st.DataObject) -> None:
    data = bytearray(sample)
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    if _claims_too_much(bytes(data)):
        return
    for name in ("gray", "thumbnail", "webp"):
        try:
            RECIPES[name].apply(bytes(data))
        except ImageError as error:
            assert error.code  # noqa: PT017 - either outcome is right


def _claims_too_much(data: bytes) -> bool:
    """The door refuses these; here they would only cost memory."""
    try:
        info = headers.read(data)
    except headers.HeaderError:
        return False
    return info.width * info.height > 10_000_000


side = st.integers(1, 20_000)


@given(st.tuples(side, side), st.tuples(side, side))
def test_sizes_keep_their_promises(size: sizes.Size, box: sizes.Size) -> None:
    fitted, covered = sizes.inside(size, box), sizes.covering(size, box)
    assert all(1 <= f <= min(s, b) for f, s, b in zip(fitted, size, box, strict=True))
    assert all(min(s, b) <= c <= s for c, s, b in zip(covered, size, box, strict=True))
    by = sizes.reduction(size, fitted)
    assert all(-(-s // by) >= f for s, f in zip(size, fitted, strict=True))
