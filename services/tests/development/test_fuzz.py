"""Some seconds of what `make fuzz` does for as long as it is given, the same in every run; and what it found."""

import struct
import tracemalloc

import hypothesis
import pytest

import broken_pictures
from fuzz.targets import READERS, TARGETS, check_message, check_picture, delivery_of, judge
from imagemill.admission.validate import Limits, Rejected, validate
from imagemill.wire import camera_tests, channel_tests

MEBIBYTE = 1 << 20
# Half of them pass admission, and a decoder is asked.
PICTURES = 200
SOME = hypothesis.settings(max_examples=50)


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "pictures"])
def test_chance_finds_nothing(name: str) -> None:
    SOME(hypothesis.given(TARGETS[name].drawn)(TARGETS[name].check))()


def test_what_is_accepted_and_decoded_has_the_size_of_its_header() -> None:
    for made in broken_pictures.corpus(seed=1, count=PICTURES):
        try:
            check_picture(made.data)
        except Exception as error:
            error.add_note(made.how)
            raise


def tiff_of_two_widths(type_of_the_first: int = 3) -> bytes:
    """96 pixels wide by its first directory entry, and one by its second."""
    data = bytearray(broken_pictures.good()["grey tiff"])
    (at,) = struct.unpack_from("<I", data, 4)
    assert struct.unpack_from("<HHII", data, at + 2) == (256, 3, 1, 96)
    struct.pack_into("<HHII", data, at + 2, 256, type_of_the_first, 1, 96)
    struct.pack_into("<HHII", data, at + 2 + 12 * (data[at] - 1), 256, 3, 1, 1)
    return bytes(data)


def test_a_tiff_of_two_widths_has_the_one_that_is_decoded() -> None:
    assert validate(tiff_of_two_widths(), Limits()).width == 96
    check_picture(tiff_of_two_widths())


def test_a_width_of_another_type_is_not_replaced_by_a_second_one() -> None:
    # libtiff takes signed ones too.
    with pytest.raises(Rejected) as rejected:
        validate(tiff_of_two_widths(type_of_the_first=8), Limits())
    assert rejected.value.code == "malformed"


def test_headers_are_read_in_little_memory() -> None:
    limits, made = Limits(max_frames=1000), list(broken_pictures.corpus(seed=2, count=100))
    for picture in made:
        tracemalloc.start()
        try:
            judge(picture.data, limits)
            assert tracemalloc.get_traced_memory()[1] < 32 * MEBIBYTE + len(picture.data), picture.how
        finally:
            tracemalloc.stop()


def test_the_same_seed_makes_the_same_picture_and_seeds_differ() -> None:
    assert broken_pictures.broken(5) == broken_pictures.broken(5)
    assert len({broken_pictures.broken(seed).data for seed in range(200)}) > 150


# What readers of messages raised instead of ValueError, once each.
@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        pytest.param(b"", {"job": "{}", "redriven": [1]}, None, id="a list where a number must be"),
        pytest.param(b"", {"source": "gate"}, None, id="a frame without a time"),
        pytest.param(b"", {"source": "gate", "at": "1", "sequence": {}}, None, id="a frame with an odd number"),
        pytest.param(b"", {"camera": "gate", "at": "1", "width": None}, None, id="a snapshot without a width"),
        pytest.param(b"", {"camera": "gate", "at": "1", "width": float("inf")}, None, id="a width without end"),
        pytest.param(b"[" * 100_000, {}, None, id="JSON that is nested too deep"),
        pytest.param(b'{"event": {"id": 1, "source": 1, "kind": 1, "class": 1, "started_at": 1}, "change": "new", '
                     b'"pictures": null}', {}, None, id="an event whose pictures are no list"),
        pytest.param(b'{"event": {}, "change": []}', {}, channel_tests.TYPE, id="a change that is a list"),
        pytest.param(b"{}", {"test": "1", "kind": []}, camera_tests.TYPE, id="an answer of an unknown kind"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_read_is_a_value_error(body: bytes, headers: dict[str, object], kind: str) -> None:
    check_message(delivery_of(body, headers, kind, "api.1"))


def test_every_reader_refuses_an_empty_message() -> None:
    for name, read in READERS.items():
        if name != "channel test":  # of another type it is none, which is no error
            with pytest.raises(ValueError, match=r"\w"):
                read(delivery_of(b"", {}, None, None))
