"""Channel addresses are secrets: Apprise's URLs hold tokens where others have a host. What may be shown of them."""

from collections.abc import Iterable
from urllib.parse import SplitResult, unquote, urlsplit

HIDDEN = "***"
# Shorter parts of an address are words like `api` that would be hidden all over a text.
LEAST_PART = 6


def shown(url: str) -> str:
    """What may be shown of a channel's address: its scheme, and the host of a plain web address."""
    parts = _split(url)
    if not parts.scheme:
        return HIDDEN
    host = parts.hostname if parts.scheme in ("http", "https") and parts.hostname else HIDDEN
    rest = f"/{HIDDEN}" if host != HIDDEN and (parts.path.strip("/") or parts.query or "@" in parts.netloc) else ""
    return f"{parts.scheme}://{host}{rest}"


def hide(text: str, urls: Iterable[str]) -> str:
    """The text (an error of a library, an answer of a receiver) without the addresses and their parts."""
    for url in urls:
        text = text.replace(url, shown(url))
        for part in sorted(_parts(url), key=len, reverse=True):
            text = text.replace(part, HIDDEN)
    return text


def _parts(url: str) -> set[str]:
    parts = _split(url)
    plain_web = parts.scheme in ("http", "https")
    places = [parts.netloc.rpartition("@")[0] if plain_web else parts.netloc, parts.path, parts.query, parts.fragment]
    words = {word for place in places for word in _words(place)}
    return {form for word in words for form in (word, unquote(word)) if len(form) >= LEAST_PART}


def _split(url: str) -> SplitResult:
    """Its parts; what is no URL, such as one with a lone bracket, is a path: hidden as a whole and in words."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def _words(text: str) -> list[str]:
    for separator in ":@?&=;,":
        text = text.replace(separator, "/")
    return text.split("/")
