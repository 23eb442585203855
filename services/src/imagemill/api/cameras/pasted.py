"""Addresses as cameras print them, with user and password: taken apart, so that the secret is kept elsewhere."""

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from imagemill.cameras.destinations import origin_of, parse_destination

_SCHEMES = ("rtsp", "rtsps", "http", "https")


@dataclass(frozen=True)
class Pasted:
    """The address without its user and password, and the entry that may be sent there and nowhere else."""

    address: str
    entry: dict[str, Any] = field(repr=False)


def taken_apart(address: str) -> Pasted | None:
    """Take a user and password out of an address; None when there is none in it, or it is no camera's.

    >>> taken_apart("rtsp://ann:p%40ss@10.0.0.5:8554/live").address
    'rtsp://10.0.0.5:8554/live'
    """
    try:
        parts = urlsplit(address.strip())
        has_port = parts.port is not None or parts.port is None  # raises ValueError for one that cannot be
    except ValueError:
        return None
    user_part, at, rest = parts.netloc.rpartition("@")
    if not (has_port and at and parts.hostname and parts.scheme.lower() in _SCHEMES):
        return None
    bare = parts._replace(netloc=rest).geturl()
    origin = origin_of(bare)
    if not _is_destination(origin):
        return None
    user, _, password = user_part.partition(":")
    return Pasted(bare, {"user": unquote(user), "password": unquote(password), "hosts": [origin]})


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that no entry has: `yard`, else `yard-2`, `yard-3`, …"""
    names = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)


def _is_destination(origin: str) -> bool:
    try:
        destination = parse_destination(origin)
    except ValueError:
        return False
    # A pattern would take other hosts than the one that was written.
    return not set("*?[]") & set(destination.host)
