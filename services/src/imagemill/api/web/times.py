"""Dates and times that people write into addresses and forms."""

from datetime import UTC, date, datetime, timedelta

from imagemill.domain.errors import Invalid


def seconds(name: str, text: str | None) -> float | None:
    """Unix time of a date or a moment, in UTC unless it says otherwise; `until` a date is until its end."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "bad-value", f"{name}={text} is no time; write it like 2026-11-20 or 2026-11-20T17:00Z.", name
        ) from None
    if name == "until" and len(text) == len("2026-11-20") and moment.date() < date.max:
        moment += timedelta(days=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
