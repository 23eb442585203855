"""Durations and moments as people write them: `90s`, `5m`, `2h`, `3d`, `2026-11-20`."""

from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> float:
    """A duration; a plain number is seconds."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    if not (number.isascii() and number.isdigit()):
        raise typer.BadParameter(f"{text!r} is no duration; write it like 90s, 5m, 2h or 3d.")
    return float(int(number) * _UNITS[unit])


def duration_text(seconds: float) -> str:
    """As `seconds_of` reads it, in the largest unit that divides it."""
    unit = next((name for name in "dhm" if seconds and seconds % _UNITS[name] == 0), "s")
    return f"{seconds / _UNITS[unit]:g}{unit}"


def moment_of(text: str) -> datetime:
    """So long ago, or a date; without a zone it is UTC."""
    if text[-1:] in _UNITS and text[:-1].isascii() and text[:-1].isdigit():
        return datetime.now(UTC) - timedelta(seconds=seconds_of(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write it like 2h, 3d or 2026-11-20.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
