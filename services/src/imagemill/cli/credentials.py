"""The token of each API, in a file of the user's own; one API's token is never sent to another."""

import json
import os
from pathlib import Path


def _file() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "imagemill" / "tokens.json"


def token_for(api: str) -> str | None:
    """What `IMAGEMILL_TOKEN` says, else what `imagemill login` has kept for this API."""
    return os.environ.get("IMAGEMILL_TOKEN") or _all().get(api.rstrip("/"))


def keep(api: str, token: str) -> Path:
    """Keep a token, readable by its user alone; tells where."""
    return _write(_all() | {api.rstrip("/"): token})


def forget(api: str) -> bool:
    """Forget an API's token; False when there was none."""
    known = _all()
    if known.pop(api.rstrip("/"), None) is None:
        return False
    _write(known)
    return True


def _all() -> dict[str, str]:
    try:
        found = json.loads(_file().read_text())
    except (OSError, ValueError):
        return {}
    return {str(api): str(token) for api, token in found.items()} if isinstance(found, dict) else {}


def _write(tokens: dict[str, str]) -> Path:
    path = _file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(tokens, file, indent=2)
    made.replace(path)
    return path
