"""How many scans a JPEG has: exact where it matters, quick where it does not."""

import io
import random
import time

import pytest
from PIL import Image

import hostile_pictures
import pictures
from imagemill.admission import headers
from imagemill.admission.headers.info import MAX_PARTS
from imagemill.admission.validate import Limits, Rejected, validate

# libjpeg's own: 10 for three components, 18 for four.
USUAL = range(1, 19)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("quality", [5, 75, 100])
def test_what_pillow_and_libjpeg_write_and_read_is_taken(progressive: bool, mode: str, quality: int) -> None:
    image = Image.fromarray(pictures.photo(333, 217, quality)).convert(mode)
    for options in ({}, {"restart_marker_rows": 1}, {"optimize": True}):
        data = pictures.encoded(image, "JPEG", progressive=progressive, quality=quality, **options)
        scans = headers.read(data).scans
        assert scans in USUAL
        assert progressive or scans == 1
        assert validate(data, Limits()).width == 333
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            assert ("progressive" in opened.info) is progressive


@pytest.mark.parametrize("extra", [0, 1, 89, 90, 500])
def test_scans_are_counted_one_by_one(extra: int) -> None:
    data = hostile_pictures.scans_jpeg(extra)
    assert headers.read(data).scans == 10 + extra
    if extra <= 90:
        assert validate(data, Limits()).frames == 1
    else:
        with pytest.raises(Rejected, match="more than 100 scans") as refused:
            validate(data, Limits())
        assert (refused.value.status, refused.value.code) == (422, "too-many-scans")


def test_a_component_at_a_time_counts_too() -> None:
    assert headers.read(hostile_pictures.components_jpeg(300)).scans == 300


def test_what_looks_like_scans_in_texts_and_behind_the_end_does_not_count() -> None:
    image = Image.fromarray(pictures.photo())
    data = pictures.encoded(image, "JPEG", progressive=True, comment=b"\xff\xda" * 5000)
    assert headers.read(data).scans == 10
    middle = data.rindex(b"\xff\xda")
    within = data[:middle] + b"\xff\xfe\x10\x02" + b"\xff\xda" * 0x800 + data[middle:]
    assert headers.read(within + b"\xff\xda" * 5000).scans == 10
    Image.open(io.BytesIO(within)).load()


@pytest.mark.parametrize(
    "filling",
    [b"\xff\xda\x00\x02", b"\xff\xfe\x00\x02", b"\xff", b"\x00", b"\xff\x00", b"\xff\xd0", b"\xff\xda\x00\x00"],
)
def test_counting_is_quick_whatever_stands_there(filling: bytes) -> None:
    data = hostile_pictures.scans_jpeg(20)[:-2] + filling * ((8 << 20) // len(filling)) + b"\xff\xd9"
    began = time.process_time()
    assert headers.read(data).scans <= MAX_PARTS
    assert time.process_time() - began < 1


def test_damaged_scans_are_counted_without_an_error() -> None:
    chance, data = random.Random(5), hostile_pictures.scans_jpeg(40)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(5):
            damaged[chance.randrange(600, len(data))] = chance.choice((0xFF, 0xDA, 0xD9, 0x00))
        assert 0 <= headers.read(bytes(damaged)).scans <= MAX_PARTS
