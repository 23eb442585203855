"""Words and numbers for people. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
_KIBI = 1024


def equation(counts: Json) -> str:
    """`12,034 accepted = 11,990 stored + 4 failed (1 open) + 40 in flight; 37 rejected at the door`."""
    is_open = f" ({counts['failed_open']:,} open)" if counts.get("failed_open") else ""
    return (
        f"{counts['accepted']:,} accepted = {counts['stored']:,} stored + {counts['failed']:,} failed{is_open}"
        f" + {counts['in_flight']:,} in flight; {counts['rejected']:,} rejected at the door"
    )


def contradiction(counts: Json) -> str | None:
    """What does not add up, None when all does."""
    ended = counts["stored"] + counts["failed"] + counts["in_flight"]
    if counts["accepted"] != ended:
        return f"{counts['accepted']:,} were accepted, but stored, failed and in flight make {ended:,}."
    answered = counts["accepted"] + counts["rejected"]
    if counts["offered"] != answered:
        return f"{counts['offered']:,} were offered, but accepted and rejected make {answered:,}."
    return "A count is below zero." if min(value for value in counts.values() if isinstance(value, int)) < 0 else None


def size(count: float) -> str:
    """`275 kB`: bytes in a unit that a person reads."""
    for unit in ("bytes", "kB", "MB"):
        if count < (_KIBI if unit == "bytes" else 999.5):
            return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 99.5 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def seconds(value: float | None) -> str:
    """`6 s`, or `?` for what nobody knows."""
    return "?" if value is None else f"{value:,.1f} s" if value < 10 else f"{value:,.0f} s"


def plural(count: int, one: str, several: str | None = None) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def clean(text: object) -> str:
    """Text of strangers without characters that could command a terminal."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" else c for c in str(text))


def picture(info: Json | None) -> str:
    """`1,920 × 1,080 image/jpeg, 276 kB`."""
    if info is None:
        return "none"
    return f"{info['width']:,} × {info['height']:,} {info['content_type']}, {size(info['bytes'])}"


def saved(image: Json) -> str:
    """`49 % smaller` or `184 % larger` than the original; empty without a result."""
    result, before = image["result"], image["original"]["bytes"]
    if result is None or not before:
        return ""
    change = round(100 * (result["bytes"] - before) / before)
    return f"{abs(change)} % {'smaller' if change <= 0 else 'larger'}"


def milliseconds_between(earlier: str, later: str) -> int:
    """From one RFC 3339 time to another."""
    return round((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() * 1000)


def trace(steps: Sequence[Json]) -> list[tuple[str, str, str, str]]:
    """Step, time of day, milliseconds since the step before, who (and which attempt)."""
    lines = []
    for number, step in enumerate(steps):
        since = milliseconds_between(steps[number - 1]["at"], step["at"]) if number else 0
        attempt = f", attempt {step['attempt']}" if step["attempt"] > 1 else ""
        lines.append((step["step"], time_of_day(step["at"]), f"+{since:,} ms" if number else "", step["by"] + attempt))
    return lines


def time_of_day(at: str) -> str:
    """`09:15:02.213`, in UTC."""
    return at[11:].removesuffix("Z")


def took(steps: Sequence[Json]) -> str:
    """From the first to the last mark."""
    return (
        f"{milliseconds_between(steps[0]['at'], steps[-1]['at']):,} ms from {steps[0]['step']} to {steps[-1]['step']}"
    )
