"""What a request must look like to be heard: for us, not from another site's page, and with its form's token. Pure."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

_LOCAL_NAMES = frozenset({"localhost"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def allowed_names(page_url: str, given: Iterable[str]) -> frozenset[str]:
    """Host names by which this installation may be asked."""
    return _LOCAL_NAMES | {(urlsplit(page_url).hostname or "").lower()} | {name.lower() for name in given}


def is_allowed_host(host: str, names: frozenset[str]) -> bool:
    """May a request with this `Host` be answered? Names must be known; a rebinding attack cannot have an address.

    >>> is_allowed_host("evil.example", frozenset({"localhost"})), is_allowed_host("10.0.0.7:8080", frozenset())
    (False, True)
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in names or any(entry.startswith("*.") and name.endswith(entry[1:]) for entry in names):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_from_elsewhere(headers: Headers, host: str, origins: Iterable[str], scheme: str | None = None) -> bool:
    """Does another site's page send this? Programs send neither header; browsers send one of the two.

    With a `scheme` pages of our own have that one.
    """
    origin = headers.get("Origin")
    if origin is not None and origin in origins:
        return False
    if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return True
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return True
    return parts.netloc.lower() != host.lower() or (scheme is not None and parts.scheme != scheme)


def says_where_from(headers: Headers) -> bool:
    """Does it come from a browser that tells which site's page it is?"""
    return "Origin" in headers or "Sec-Fetch-Site" in headers


def form_token(secret: str) -> str:
    """The token of a session's forms, from what only the session knows."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def login_target(given: str) -> str:
    """Where to go after the login: a path of ours, whatever was asked for.

    >>> login_target("/pictures?batch=a"), login_target("//evil.example"), login_target("https://evil.example/")
    ('/pictures?batch=a', '/', '/')
    """
    ours = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    return given if ours else "/"
