"""File names as a person may see them; they are shown, never used to open anything."""

from __future__ import annotations

import re
import unicodedata

from imagemill.domain.errors import Invalid

MAX_LENGTH = 200
MAX_PATH_LENGTH = 400
UNNAMED = "unnamed"
ENDINGS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/bmp": "bmp",
    "image/tiff": "tiff",
}  # fmt: skip
_MAX_EXTENSION = 16
# Windows takes none of these characters in a name, no dot at its end, and these names for devices in every folder.
_UNPORTABLE = re.compile(r'[<>:"|?*\\/]')
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)", re.IGNORECASE)
_JOINERS = "\u200c\u200d"
"""Invisible, but spelling in Persian and in joined emoji; all other format characters can only deceive."""


def display_name(raw: str | None) -> str:
    """The base name in NFC, without control and direction characters, at most 200 characters with its extension."""
    base = re.split(r"[/\\]", raw or "")[-1]
    visible = "".join(_visible(character) for character in base)
    name = " ".join(unicodedata.normalize("NFC", visible).split()).strip(_JOINERS + " ")
    return _shortened(name) if name.strip(". ") else UNNAMED


def path_name(raw: str) -> str:
    """A relative path as a name: each part as `display_name` shows it, joined by `/`; raises Invalid.

    >>> path_name("trip 1\\\\./IMG_1.jpg")
    'trip 1/IMG_1.jpg'
    """
    parts = re.split(r"[/\\]", raw)
    if not parts[0] or re.match(r"[A-Za-z]:", raw) or ".." in (part.strip() for part in parts):
        sentence = f"The path {raw[:100]!r} must be relative, without '..', as in 'trip/IMG_1.jpg'."
        raise Invalid("bad-path", sentence, "path")
    name = "/".join(display_name(part) for part in parts if part.strip() != ".")
    if not parts[-1].strip(". ") or len(name) > MAX_PATH_LENGTH:
        sentence = f"The path {raw[:100]!r} must end in a file's name and have at most {MAX_PATH_LENGTH} characters."
        raise Invalid("bad-path", sentence, "path")
    return name


def folder_and_base(name: str) -> tuple[str, str]:
    """A name's folders with the `/` at their end, empty where there are none, and the file's name.

    >>> folder_and_base("trip 1/IMG_1.jpg")
    ('trip 1/', 'IMG_1.jpg')
    """
    folder, slash, base = name.rpartition("/")
    return folder + slash, base


def portable(name: str) -> str:
    """A name as every file system takes it, folder by folder: the one of a file that is unpacked anywhere.

    >>> portable('a: "x"./aux.jpg')
    'a_ _x__/_aux.jpg'
    """
    return "/".join(map(_portable_part, name.split("/")))


def _portable_part(part: str) -> str:
    plain = _UNPORTABLE.sub("_", part)
    plain = plain[:-1] + "_" if plain.endswith((".", " ")) else plain
    return f"_{plain}" if _DEVICE.match(plain) else plain


def result_stem(name: str, recipe: str) -> str:
    """The name of a result without its ending.

    >>> result_stem("kite.jpg", "gray")
    'kite-gray'
    """
    stem, dot, _ = name.rpartition(".")
    return f"{stem if stem and dot else name}-{recipe}"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r":
        return " "
    return "" if category in ("Cc", "Cf", "Cs") and character not in _JOINERS else character


def _shortened(name: str) -> str:
    if len(name) <= MAX_LENGTH:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    return _cut(stem, MAX_LENGTH - len(dot) - len(extension)) + dot + extension


def _cut(text: str, length: int) -> str:
    """At most `length` characters, never leaving a letter without the marks that belong to it."""
    while length > 1 and length < len(text) and (unicodedata.combining(text[length]) or text[length] in _JOINERS):
        length -= 1
    return text[:length].rstrip(_JOINERS + " ")
