"""A picture of which the decoder lost pixels is called damaged, and no other, whoever decodes beside it."""

import os
import threading

import pytest

from imagemill.recipes.complaints import ErrorStream, is_damage


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        ("Corrupt JPEG data: premature end of data segment\n", True),
        ("Corrupt JPEG data: bad Huffman code\n", True),
        ("Corrupt JPEG data: 12 extraneous bytes before marker 0xd9\n", False),
        ("Corrupt JPEG data: 150 extraneous bytes before marker 0xd9\n", True),
        ("Corrupt JPEG data: 2 extraneous bytes before marker 0xd3\n", True),
        ("[ERROR:0@5.3] global grfmt_tiff.cpp:116 TIFF_Error Using code not yet in table\n", True),
        ("[ WARN:0@5.9] global TIFF_Warning Unknown field with tag 700\n", False),
        ("libpng warning: iCCP: known incorrect sRGB profile\n", False),
        ("libpng warning: IDAT: incorrect data check\n", True),
        ("", False),
    ],
)
def test_only_words_about_lost_pixels_mean_damage(said: str, damaged: bool) -> None:
    assert is_damage(said) is damaged


def damaged_decoder() -> str:
    os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
    return "grey"


def test_what_a_decoder_says_is_heard_and_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    stream = ErrorStream()
    assert stream.listen(damaged_decoder) == ("grey", True)
    assert stream.listen(lambda: "fine") == ("fine", False)
    os.write(2, b"after it\n")
    assert capfd.readouterr().err == "Corrupt JPEG data: premature end of data segment\n" * 2 + "after it\n"


def test_a_sound_picture_beside_a_damaged_one_is_not_blamed(capfd: pytest.CaptureFixture[str]) -> None:
    stream, both, found = ErrorStream(), threading.Barrier(2, timeout=30), {}
    first = {"damaged": True, "sound": True}

    def decode(name: str) -> str:
        if first.pop(name, False):
            both.wait()
            if name == "damaged":
                damaged_decoder()
            both.wait()  # both are inside while it is said
        elif name == "damaged":
            damaged_decoder()
        return name

    def listen(name: str) -> None:
        found[name] = stream.listen(lambda: decode(name))[1]

    threads = [threading.Thread(target=listen, args=(name,)) for name in ("damaged", "sound")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {"damaged": True, "sound": False}
