"""Files of secrets that people keep as YAML: an entry is added, and what they wrote, with its comments, stays."""

import contextlib
import fcntl
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from imagemill.domain.errors import AlreadyExists, Invalid

_MOST_BYTES = 1024 * 1024
_MOST_ENTRIES = 1000
_OWNER_ONLY = 0o600


class SecretFile:
    """One such file; several processes may add to it. Nothing that it raises has a part of the file in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add an entry; raises AlreadyExists, or Invalid when the file cannot be written, or not safely.

        Entries are never changed: whoever may add one must not be able to send what another has written elsewhere.
        """
        try:
            with _locked(self.path.parent):
                self._add(name, entry)
        except OSError as error:
            raise _unwritable(f"{self.path} cannot be written: {error.strerror}") from None

    def _add(self, name: str, entry: Mapping[str, Any]) -> None:
        if self.path.is_symlink():
            raise _unwritable(f"{self.path} is a link to another file, which is written by somebody else")
        before = self._text()
        known = _entries(before)
        if known is None:
            raise _unwritable(f"{self.path} is no map of names to entries in YAML; put it right")
        if name in known:
            raise AlreadyExists("entry-exists", f"There is an entry {name!r} already; choose another name.")
        if len(known) >= _MOST_ENTRIES:
            raise _unwritable(f"{self.path} has {_MOST_ENTRIES} entries, as many as can be")
        # Letters that are no plain text are escaped: YAML's escapes, of which JSON's are not all.
        line = yaml.safe_dump({name: dict(entry)}, width=math.inf, sort_keys=False)
        after = before + ("" if not before or before.endswith("\n") else "\n") + line
        if len(after.encode()) > _MOST_BYTES or _entries(after) != {**known, name: dict(entry)}:
            raise _unwritable(f"nothing can be added at the end of {self.path} as it is; add the entry by hand")
        self._replace(after)

    def _text(self) -> str:
        try:
            with self.path.open("rb") as opened:
                return opened.read(_MOST_BYTES + 1).decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise _unwritable(f"{self.path} is no text") from None

    def _replace(self, text: str) -> None:
        """A reader sees the file before or after, and nobody else may read it."""
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(text.encode())
                opened.flush()
                os.fsync(opened.fileno())
            beside.replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One at a time writes in a folder; the lock goes with whoever holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _entries(text: str) -> dict[str, Any] | None:
    """What a reader makes of it; None when that is no map."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return None
    if found is None:
        return {}
    return {str(name): entry for name, entry in found.items()} if isinstance(found, dict) else None


def _unwritable(why: str) -> Invalid:
    return Invalid("unwritable-file", f"{why[0].upper()}{why[1:]}.")
