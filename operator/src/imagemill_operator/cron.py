"""Cron expressions: when one comes next, and what is wrong with one."""

import math
import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

MINUTE_SECONDS = 60
EXPRESSION = re.compile(r"[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}")
"""As in the CustomResourceDefinition."""


def next_time(expression: str, timezone: str, at_seconds: float) -> float:
    """Return the unix time at which an expression comes next after a moment, infinity when it never does."""
    return _next_time(expression, timezone, math.floor(at_seconds / MINUTE_SECONDS))


@lru_cache(maxsize=8192)
def _next_time(expression: str, timezone: str, minute: int) -> float:
    """Cron knows no seconds, so an answer holds for a minute: pools ask every other second."""
    moment = datetime.fromtimestamp(minute * MINUTE_SECONDS, ZoneInfo(timezone))
    found = next(CronSim(expression, moment), None)
    return math.inf if found is None else found.timestamp()


def problem_of(expression: str, timezone: str) -> str | None:
    """Say what is wrong with an expression or its time zone, None when nothing is."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{timezone!r} is no time zone: name one like Europe/Berlin"
    if not EXPRESSION.fullmatch(expression):
        return f"{expression!r} is no cron expression: it has five fields, minute hour day month weekday"
    try:
        CronSim(expression, datetime.fromtimestamp(0, zone))
    except CronSimError as problem:
        return f"{expression!r} is no cron expression ({problem})"
    return None
