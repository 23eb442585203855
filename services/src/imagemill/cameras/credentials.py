"""Users and passwords of cameras: a file, by name. It is read when it is needed, so that a changed one is used."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from imagemill.cameras.feeds.policy import FeedRefusedError
from imagemill.cameras.feeds.spec import Credentials, FeedError

_MOST_BYTES = 1024 * 1024
_MEMBERS = {"user", "password", "query", "hosts"}


@dataclass(frozen=True)
class Secret:
    """An entry: a login, or what an address carries behind its `?`. `hosts` says where it may be sent; empty: anywhere.

    Without `hosts`, whoever may edit cameras could have it sent to a host of their own.
    """

    login: Credentials | None = None
    query: str = field(default="", repr=False)
    hosts: tuple[str, ...] = ()

    def check(self, name: str, address: str) -> None:
        """FeedRefusedError when it may not be sent to the address."""
        host = (urlsplit(address).hostname or "").lower()
        if self.hosts and not any(_is_for(host, pattern) for pattern in self.hosts):
            raise FeedRefusedError(f"the credentials {name!r} are not for {host}; they are for {', '.join(self.hosts)}")

    def address(self, address: str) -> str:
        """The address with what it carries; never to be shown."""
        return f"{address}{'&' if '?' in address else '?'}{self.query}" if self.query else address


def secret_of(file: Path | None, name: str) -> Secret:
    """An entry; FeedError says what is missing, without anything that is secret."""
    if file is None:
        raise FeedError(f"the camera names the credentials {name!r}, and no credentials file is set")
    entries = _entries(file)
    if name not in entries:
        raise FeedError(f"the credentials {name!r} are not in the credentials file")
    return _secret(name, entries[name])


def names_of(file: Path | None) -> list[str]:
    """The names of all entries, for people to choose from; empty when the file cannot be read."""
    try:
        return sorted(_entries(file)) if file else []
    except FeedError:
        return []


def _entries(file: Path) -> Mapping[str, Any]:
    try:
        with file.open("rb") as opened:
            read = yaml.safe_load(opened.read(_MOST_BYTES))
    except FileNotFoundError:
        raise FeedError("there is no credentials file yet: docs/cameras.md, Passwords, says how to write it") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        # The parser's own words would show a part of the file.
        raise FeedError("the credentials file cannot be read, or is neither YAML nor JSON") from None
    if not isinstance(read, dict):
        raise FeedError("the credentials file must be a map of names to entries with user and password")
    return {str(name): entry for name, entry in read.items()}


def _secret(name: str, entry: Any) -> Secret:
    if not isinstance(entry, dict) or not entry or not set(entry) <= _MEMBERS:
        raise FeedError(f"the credentials {name!r} must have user and password, or query, and may have hosts")
    login = Credentials(str(entry["user"]), str(entry.get("password", ""))) if "user" in entry else None
    return Secret(login, str(entry.get("query", "")), tuple(map(str, entry.get("hosts") or ())))


def _is_for(host: str, pattern: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return fnmatchcase(host, pattern.lower())
