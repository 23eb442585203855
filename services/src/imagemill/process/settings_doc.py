"""`python -m imagemill.process.settings_doc`: prints docs/settings.md, or writes it to the file that is named."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from imagemill.settings import MEBIBYTE, Settings

_PREFIX = "IMAGEMILL_"
_COMMAND = "python -m imagemill.process.settings_doc docs/settings.md"
_HEAD = f"""# Settings

Every program reads its settings from the environment. What does not fit is refused at the start, with a sentence that
names the setting. Lists and maps are JSON, for instance `IMAGEMILL_POOLS={{"default": ["*"], "heavy": ["denoise"]}}`.
Addresses with passwords (secret) are never logged.

This file is made from the program by `{_COMMAND}`.

| Setting | Environment | Default | Bounds | What it is |
|---|---|---|---|---|
"""
_TAIL = """
The command line `imagemill` reads one variable: `IMAGEMILL_API`, the address of the API (`http://127.0.0.1:8080`).
"""
# pydantic keeps bounds as small objects, each with one of these attributes.
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "pattern": "`{}`"}


def text() -> str:
    """The whole of docs/settings.md."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items()) + _TAIL


def _row(name: str, field: FieldInfo) -> str:
    environment = ", ".join(f"`{variable}`" for variable in _variables(name, field))
    cells = (f"`{name}`", environment, _default(name, field), _bounds(field), field.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _variables(name: str, field: FieldInfo) -> list[str]:
    choices = getattr(field.validation_alias, "choices", None)
    return [choice for choice in choices if choice.isupper()] if choices else [_PREFIX + name.upper()]


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "host name and process id"
    value = field.default
    if isinstance(value, SecretStr):
        return f"{_without_password(value.get_secret_value())} (secret)"
    return "none" if value is None else _shown(name, value)


def _without_password(address: str) -> str:
    """An address whose user and password, if there are any, are left out."""
    scheme, _, rest = address.partition("://")
    return f"`{scheme}://{rest.rpartition('@')[2]}`"


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if name.endswith("_bytes") and value % MEBIBYTE == 0:
        return f"`{value}` ({value // MEBIBYTE:,} MiB)"
    if isinstance(value, int | float):
        return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    return f"`{json.dumps(value)}`" if isinstance(value, dict | list) else f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    found = [
        words.format(getattr(bound, name))
        for bound in field.metadata
        for name, words in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    return ", ".join(found)


def main(arguments: list[str]) -> None:
    """Writes or prints."""
    if arguments:
        Path(arguments[0]).write_text(text(), "utf-8")
    else:
        print(text(), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
