"""Server-sent events. Pure."""

import json
from collections.abc import Iterable, Iterator
from typing import Any


def events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and data of each event; comments and what is not JSON are passed over."""
    kind, data = "message", ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data" and line:
            data = f"{data}\n{value}" if data else value
        elif not line:
            decoded = _object(data)
            if decoded is not None:
                yield kind, decoded
            kind, data = "message", ""


def _object(text: str) -> dict[str, Any] | None:
    try:
        decoded = json.loads(text) if text else None
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None
