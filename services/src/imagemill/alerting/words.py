"""What is shown of rules and alerts, as a person says it."""

from typing import Any


def duration(seconds: float) -> str:
    """A length of time in its largest two units.

    >>> duration(5400)
    '1 h 30 min'
    """
    rest = max(0, round(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def rule_value(member: str, value: Any) -> str:
    """The value of a rule's member, given as in its JSON form.

    >>> rule_value("cool_down_seconds", 300.0), rule_value("channels", []), rule_value("at_most", None)
    ('5 min', 'nobody', 'no limit')
    """
    if member.endswith("_seconds"):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or ("nobody" if member == "channels" else "any")
    return "no limit" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
