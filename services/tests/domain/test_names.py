"""File names as a person sees them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.domain.errors import Invalid
from imagemill.domain.names import display_name, path_name, portable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\cat.png", "cat.png"),
        ("/a/b\\c.gif", "c.gif"),
        ("Ku\u0308he.jpg", "K\u00fche.jpg"),
        ("\u732b\u306e\u5199\u771f.jpg", "\u732b\u306e\u5199\u771f.jpg"),
        ("gpj.\u202eexe.jpg", "gpj.exe.jpg"),
        ("a\0b\x1b[31m.png", "ab[31m.png"),
        ("two\nlines\tand   blanks .jpg", "two lines and blanks .jpg"),
        ("\ud800lone.jpg", "lone.jpg"),
        ("\ufeffbom.jpg", "bom.jpg"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467.png", "\U0001f468\u200d\U0001f469\u200d\U0001f467.png"),
        (".jpg", ".jpg"),
    ],
)
def test_a_name_is_shown_clean(raw: str, shown: str) -> None:
    assert display_name(raw) == shown


@pytest.mark.parametrize("raw", [None, "", "   ", "..", ".", "../..", "a/", "\u202e\u200b", "\u200d", "..\\"])
def test_a_name_of_nothing_is_unnamed(raw: str | None) -> None:
    assert display_name(raw) == "unnamed"


def test_a_long_name_keeps_its_extension() -> None:
    assert display_name("x" * 500 + ".jpeg") == "x" * 195 + ".jpeg"


def test_a_long_extension_is_none() -> None:
    assert display_name("a." + "x" * 500) == "a." + "x" * 198


def test_a_long_name_is_not_cut_between_a_letter_and_its_marks() -> None:
    assert display_name("q\u0323" * 300 + ".png") == "q\u0323" * 98 + ".png"


def test_a_name_of_marks_alone_is_cut_too() -> None:
    assert len(display_name("\u0323" * 5000)) <= 200


@given(st.text(max_size=400))
def test_what_is_shown_is_safe_and_stays_the_same(raw: str) -> None:
    shown = display_name(raw)
    assert 0 < len(shown) <= 200
    assert not set(shown) & set("/\\\0\n\u202e\u2066")
    assert unicodedata.is_normalized("NFC", shown)
    assert shown.encode("utf-8")
    assert display_name(shown) == shown


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("trip/day 2/IMG_1.jpg", "trip/day 2/IMG_1.jpg"),
        ("trip\\IMG_1.jpg", "trip/IMG_1.jpg"),
        ("./trip/./IMG_1.jpg", "trip/IMG_1.jpg"),
        ("trip\u202e/a\0b.png", "trip/ab.png"),
        ("trip/..hidden.jpg", "trip/..hidden.jpg"),
    ],
)
def test_a_path_is_kept_clean(raw: str, kept: str) -> None:
    assert path_name(raw) == kept


@pytest.mark.parametrize(
    "raw",
    [
        "/etc/passwd",
        "\\\\server\\a.jpg",
        "C:\\a.jpg",
        "../a.jpg",
        "a/../b.jpg",
        "a/ .. /b.jpg",
        "a/..",
        "a/",
        "",
        "x/" * 200 + "a.jpg",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(raw: str) -> None:
    with pytest.raises(Invalid, match="path"):
        path_name(raw)


@given(st.text(alphabet="ab./\\ :\0\u202e\u0308", max_size=40))
def test_a_kept_path_stays_below_its_folder(raw: str) -> None:
    try:
        kept = path_name(raw)
    except Invalid:
        return
    assert not {"", ".", ".."} & set(kept.split("/"))
    assert path_name(kept) == kept


@given(st.text(max_size=60))
def test_a_portable_name_is_taken_by_every_file_system_and_stays_the_same(raw: str) -> None:
    try:
        name = portable(path_name(raw))
    except Invalid:
        return
    for part in name.split("/"):
        assert part.strip()
        assert not part.endswith((".", " "))
        assert not set('<>:"|?*\\') & set(part)
        assert part.partition(".")[0].strip().lower() not in ("con", "nul", "aux", "prn", "com1", "lpt9")
    assert portable(name) == name


@pytest.mark.parametrize("device", ["CON", "nul.jpg", "Com1 .png", "trip/lpt9.tar.gz"])
def test_no_portable_name_is_that_of_a_device(device: str) -> None:
    folder, slash, base = device.rpartition("/")
    assert portable(device) == f"{folder}{slash}_{base}"
