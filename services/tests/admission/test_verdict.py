"""The verdict at the door."""

from __future__ import annotations

import io
import random
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import pictures
from imagemill.admission.validate import Header, Limits, Rejected, validate

LIMITS = Limits()


def refused(data: bytes, limits: Limits = LIMITS) -> tuple[int, str]:
    with pytest.raises(Rejected) as caught:
        validate(data, limits)
    assert caught.value.detail.endswith((".", "?"))
    assert str(caught.value) == caught.value.detail
    return caught.value.status, caught.value.code


@pytest.mark.parametrize("content_type", pictures.one_of_each())
def test_an_intact_picture_is_taken_with_its_header(content_type: str) -> None:
    data = pictures.one_of_each()[content_type]
    assert validate(data, LIMITS) == Header(content_type, 64, 48, 1, len(data))


@pytest.mark.parametrize(
    "data",
    [
        *(pictures.oriented("JPEG", orientation) for orientation in range(1, 9)),
        pictures.rgba_png(),
        pictures.png16(channels=3),
        pictures.palette_png(transparency=0),
        pictures.cmyk_jpeg(),
        pictures.cmyk_jpeg(inverted=False),
        pictures.photo_jpeg(1920, 1080),
        pictures.encoded(pictures.rgba(), "WEBP", lossless=True),
        pictures.encoded(pictures.rgba(), "WEBP", exif=pictures.exif(6)),
        pictures.encoded(pictures.palette(), "BMP"),
        pictures.encoded(pictures.rgba(), "TIFF", compression="tiff_lzw"),
        pictures.encoded(Image.fromarray(pictures.quadrants()), "JPEG", progressive=True),
        pictures.exif_gps_jpeg(),
    ],
)
def test_size_agrees_with_pillow(data: bytes) -> None:
    header = validate(data, LIMITS)
    with Image.open(io.BytesIO(data)) as image:
        assert (header.content_type, header.width, header.height) == (image.get_format_mimetype(), *_stored_size(image))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    return image.width, image.height


def test_an_empty_file_is_refused() -> None:
    assert refused(b"") == (400, "empty")


def test_too_many_bytes_are_refused_and_the_limit_itself_is_not() -> None:
    data = pictures.png()
    assert refused(data, Limits(max_bytes=len(data) - 1)) == (413, "too-large")
    assert validate(data, Limits(max_bytes=len(data))).bytes == len(data)


def test_an_enormous_picture_is_refused_by_its_header() -> None:
    assert refused(pictures.bomb_png_header()) == (413, "too-many-pixels")
    assert refused(pictures.bomb_png_header()[:40]) == (413, "too-many-pixels")


def test_the_pixel_limit_itself_is_allowed() -> None:
    assert validate(pictures.png(64, 48), Limits(max_pixels=64 * 48)).width == 64
    assert refused(pictures.png(64, 48), Limits(max_pixels=64 * 48 - 1)) == (413, "too-many-pixels")


def test_a_gif_frame_beyond_its_screen_counts_as_pixels() -> None:
    data = bytearray(pictures.gif())
    frame = data.index(b"\x2c\0\0\0\0")
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    assert refused(bytes(data)) == (413, "too-many-pixels")


@pytest.mark.parametrize(
    "data",
    [
        b"hello, this is holiday.jpg",
        b"\0" * 100,
        b"<html><body>404</body></html>",
        b"PK\x03\x04zip",
        b"BM, a text",
        b"\xff",
    ],
)
def test_what_is_not_a_picture_is_refused(data: bytes) -> None:
    assert refused(data) == (415, "not-an-image")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ICO", pictures.encoded(pictures.rgba(), "ICO")),
        ("PPM", pictures.encoded(Image.fromarray(pictures.quadrants()), "PPM")),
        ("JPEG2000", pictures.encoded(Image.fromarray(pictures.quadrants()), "JPEG2000")),
        ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("SVG", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
)
def test_a_picture_of_another_format_is_refused_by_name(name: str, data: bytes) -> None:
    with pytest.raises(Rejected, match=name) as caught:
        validate(data, LIMITS)
    assert (caught.value.status, caught.value.code) == (415, "unsupported-format")


def test_tiffs_of_32_bits_and_raw_files_are_refused() -> None:
    deep = Image.fromarray(pictures.quadrants()).convert("L").convert("F")
    assert refused(pictures.encoded(deep, "TIFF")) == (415, "unsupported-format")
    assert refused(pictures.tiff(tiffinfo={50706: b"\1\4\0\0"})) == (415, "unsupported-format")
    assert refused(b"II+\0" + bytes(20)) == (415, "unsupported-format")


@pytest.mark.parametrize("content_type", pictures.one_of_each())
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_picture_without_its_end_is_refused(content_type: str, share: float) -> None:
    data = pictures.one_of_each()[content_type]
    assert refused(data[: int(len(data) * share)]) == (422, "truncated")


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"])
def test_one_missing_byte_is_noticed(content_type: str) -> None:
    assert refused(pictures.one_of_each()[content_type][:-1]) == (422, "truncated")


def test_a_png_chunk_that_claims_more_than_there_is_is_noticed() -> None:
    # A decoder would reserve that much memory before it read on.
    data = bytearray(pictures.png())
    chunk = data.index(b"IDAT") - 4
    data[chunk : chunk + 4] = struct.pack(">I", 0x7FFFFFF0)
    assert refused(bytes(data)) == (422, "truncated")


def test_a_jpeg_that_ends_in_its_thumbnail_is_truncated() -> None:
    with_thumbnail = pictures.photo_jpeg(64, 48)
    segment = b"\xff\xe1" + struct.pack(">H", len(with_thumbnail) + 2) + with_thumbnail
    data = with_thumbnail[:2] + segment + with_thumbnail[2:]
    assert validate(data, LIMITS).width == 64
    assert refused(data[: len(data) // 2 + 300]) == (422, "truncated")


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"])
def test_what_phones_append_does_no_harm(content_type: str) -> None:
    data = pictures.one_of_each()[content_type] + b"ftypmp42" * 1000
    assert validate(data, LIMITS).content_type == content_type


def animations() -> dict[str, bytes]:
    first, second = (Image.fromarray(pictures.quadrants()).rotate(angle) for angle in (0, 180))
    return {
        "gif": pictures.gif_animated(),
        "webp": pictures.webp_animated(),
        "apng": pictures.encoded(first, "PNG", save_all=True, append_images=[second] * 2),
        "tiff": pictures.tiff(pages=3),
    }


@pytest.mark.parametrize("kind", ["gif", "webp", "apng", "tiff"])
def test_animations_and_pages_are_refused_unless_allowed(kind: str) -> None:
    data = animations()[kind]
    assert refused(data) == (422, "animated")
    assert refused(data, Limits(max_frames=2)) == (422, "animated")
    if kind != "gif":
        assert validate(data, Limits(max_frames=3)).frames == 3


def test_all_frames_of_an_allowed_gif_are_counted() -> None:
    data = pictures.gif_animated(frames=4)
    with Image.open(io.BytesIO(data)) as image:
        assert validate(data, Limits(max_frames=10)).frames == image.n_frames


def _endless_text_png() -> bytes:
    head, rest = pictures.png()[:33], pictures.png()[33:]
    return head + pictures.png_chunk(b"tEXt", b"a\0b") * 500_000 + rest


def _crumbled_gif() -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0, 0, 0)
    return screen + b"\x2c" + struct.pack("<4HB", 0, 0, 64, 48, 0) + b"\x08" + b"\1a" * 4_000_000 + b"\0;"


def _many_frames_gif() -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0, 0, 0)
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * 100_000 + b";"


def _circular_tiff() -> bytes:
    data = bytearray(pictures.tiff())
    start = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * entries, start)
    return bytes(data)


def _endless_list_tiff() -> bytes:
    data = bytearray(pictures.tiff())
    start = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<HHII", data, start + 2, 258, 1, 8_000_000, 8)
    return bytes(data) + bytes(8_000_000)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(_endless_text_png, id="a PNG with half a million text chunks"),
        pytest.param(_crumbled_gif, id="a GIF in blocks of one byte"),
        pytest.param(_many_frames_gif, id="a GIF of 100,000 frames"),
        pytest.param(_circular_tiff, id="a TIFF whose pages run in a circle"),
        pytest.param(_endless_list_tiff, id="a TIFF with eight million bit depths"),
        pytest.param(lambda: b"\xff\xd8" + b"\xff" * 8_000_000, id="a JPEG of fill bytes"),
        pytest.param(lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000_000, id="a JPEG of empty segments"),
        pytest.param(lambda: b"RIFF\0\0\0\x01WEBPVP8X\x0a\0\0\0\2" + bytes(1 << 24), id="a WebP of empty chunks"),
    ],
)
def test_hostile_structures_are_refused_in_little_time(hostile) -> None:
    data = hostile()
    for limits in (LIMITS, Limits(max_frames=1000)):
        started = time.process_time()
        refused(data, limits)
        # Reading all of it takes seconds; the limit is generous for slow machines.
        assert time.process_time() - started < 1


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Rejected):
        validate(data, LIMITS)


MAGICS = [
    data[:16] for data in (*pictures.one_of_each().values(), b"MM\0*\0\0\0\x08", b"BM" + bytes(12) + b"\x0c\0\0\0")
]


@given(st.sampled_from(MAGICS), st.binary(max_size=300))
def test_random_bytes_behind_a_real_beginning_never_raise_anything_else(magic: bytes, rest: bytes) -> None:
    _judge(magic + rest)


SAMPLES = [*pictures.one_of_each().values(), pictures.rgba_png(), *animations().values()]


@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
def test_damaged_pictures_never_raise_anything_else(sample: bytes, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(sample)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(min(len(data), dice.choice((16, 64, 400, len(data)))))
        data[at : at + dice.randint(1, 4)] = dice.randbytes(dice.randint(0, 5))
    _judge(bytes(data))


def _judge(data: bytes) -> None:
    for limits in (LIMITS, Limits(max_frames=5)):
        verdict = _verdict(data, limits)
        if isinstance(verdict, Header):
            assert 0 < verdict.width * verdict.height <= limits.max_pixels
            assert 1 <= verdict.frames <= limits.max_frames
        else:
            assert verdict.status in (400, 413, 415, 422)


def _verdict(data: bytes, limits: Limits) -> Header | Rejected:
    try:
        return validate(data, limits)
    except Rejected as refusal:
        return refusal
