"""Who may come in to a run on this machine: everybody on it, or, on any other address, whoever has a token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagemill.domain.access import new_token
from imagemill.local.process import private_file
from imagemill.settings import Settings

_FILE = "admin-token"


@dataclass(frozen=True)
class Door:
    """What the API is told, what the command line needs, and what the person at the console is told."""

    note: str
    api: Mapping[str, str] = field(default_factory=dict, repr=False)
    client: Mapping[str, str] = field(default_factory=dict, repr=False)


def door_of(settings: Settings, home: Path) -> Door:
    """The door of a run; makes an admin's token the first time that one is needed."""
    if not settings.needs_login:
        return Door("It listens on this machine only and needs no login: whoever uses it may do everything.")
    if settings.admin_token is not None:
        return Door("A login is needed; the admin's token is IMAGEMILL_ADMIN_TOKEN.")
    path = home / _FILE
    if path.exists():
        text, note = path.read_text().strip(), f"A login is needed; the admin's token is in {path}"
    else:
        _, text = new_token()
        private_file(path, text + "\n")
        note = f"A login is needed. The admin's token, shown this once and kept in {path}:\n    {text}"
    return Door(note, {"IMAGEMILL_ADMIN_TOKEN": text}, {"IMAGEMILL_TOKEN": text})
