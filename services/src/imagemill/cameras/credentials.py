"""Users and passwords of cameras: a file, by name. It is read when it is needed, so that a changed one is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from imagemill.cameras.destinations import origin_of, parse_destination
from imagemill.cameras.feeds.policy import FeedRefusedError
from imagemill.cameras.feeds.spec import Credentials, FeedError

_MOST_BYTES = 1024 * 1024
_MEMBERS = {"user", "password", "query", "hosts"}
_MOST_NAMED = 5
_HOW = """write the addresses of their cameras beside each, for example `hosts: ["rtsp://10.0.0.5"]`"""


@dataclass(frozen=True)
class Secret:
    """An entry: a login, or what an address carries behind its `?`. `hosts` says where it may be sent."""

    login: Credentials | None = None
    query: str = field(default="", repr=False)
    hosts: tuple[str, ...] = ()

    def check(self, name: str, address: str, anywhere: bool = False) -> None:
        """FeedRefusedError when it may not be sent to the address; `anywhere`: one without `hosts` may go everywhere.

        Whoever may edit cameras could otherwise have it sent to a host of their own.
        """
        if not self.hosts and not anywhere:
            raise FeedRefusedError(f"the credentials {name!r} do not say where they may be sent; {_HOW}")
        if self.hosts and not any(parse_destination(pattern).takes(address) for pattern in self.hosts):
            raise FeedRefusedError(
                f"the credentials {name!r} are not for {origin_of(address)}; they are for {', '.join(self.hosts)}"
            )

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


def problem_of(file: Path | None, anywhere: bool) -> str | None:
    """Why nothing should be read with this file, as a sentence: entries that do not say where they may be sent.

    What else is wrong with it, or that it is not there yet, is said of the camera that needs it.
    """
    try:
        entries = _entries(file) if file else {}
    except FeedError:
        return None
    silent = [name for name, entry in sorted(entries.items()) if isinstance(entry, dict) and not entry.get("hosts")]
    if not silent or anywhere:
        return None
    named = ", ".join(map(repr, silent[:_MOST_NAMED])) + (" and others" if silent[_MOST_NAMED:] else "")
    return (
        f"the credentials {named} in {file} do not say where they may be sent; {_HOW} (docs/cameras.md, Passwords). "
        "With IMAGEMILL_CAMERA_CREDENTIALS_ANYWHERE=true whoever may edit cameras may have them sent anywhere."
    )


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
        raise FeedError(f"the credentials {name!r} must have user and password, or query, and hosts")
    login = Credentials(str(entry["user"]), str(entry.get("password", ""))) if "user" in entry else None
    return Secret(login, str(entry.get("query", "")), _hosts(name, entry.get("hosts") or ()))


def _hosts(name: str, given: Any) -> tuple[str, ...]:
    hosts = (given,) if isinstance(given, str) else tuple(map(str, given)) if isinstance(given, list | tuple) else None
    try:
        for pattern in hosts or ():
            parse_destination(pattern)
    except ValueError as error:
        raise FeedError(f"the hosts of the credentials {name!r} cannot be read: {error}") from None
    if hosts is None:
        raise FeedError(f"the hosts of the credentials {name!r} must be a list; {_HOW}")
    return hosts
