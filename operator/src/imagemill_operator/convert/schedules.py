"""KEDA's cron triggers: a minimum from one time until another, as a pool's schedules are."""

from collections.abc import Iterable
from typing import Any

from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.model import Notes, Refused
from imagemill_operator.cron import problem_of

MOST_SCHEDULES = 16


def schedules_of(spec: Fields, most_replicas: int, notes: Notes) -> dict[str, list[dict[str, Any]]]:
    """Return the schedules of a pool; a trigger that cannot be meant is left out and noted."""
    triggers = [trigger for trigger in spec.objects("triggers") if trigger.text("type") == "cron"]
    found = [schedule for trigger in triggers if (schedule := _schedule(trigger, most_replicas, notes)) is not None]
    if len(found) > MOST_SCHEDULES:
        notes.lost(f"There are {len(found)} cron triggers: a pool has at most {MOST_SCHEDULES} schedules.")
    return {"schedules": found[:MOST_SCHEDULES]} if found else {}


def _schedule(trigger: Fields, most_replicas: int, notes: Notes) -> dict[str, Any] | None:
    """Take every time as KEDA does, whose ``?`` is a ``*``."""
    metadata = trigger.object("metadata")
    start, end = (_expression(metadata.text(name)) for name in ("start", "end"))
    timezone = metadata.text("timezone", "UTC")
    problem = _problem((start, end), timezone)
    if problem is not None:
        notes.lost(f"{metadata.path} is left out: {problem}.")
        return None
    replicas = _replicas(metadata, most_replicas, notes)
    return {"start": start, "end": end, "timezone": timezone, "minReplicas": replicas}


def _expression(text: str) -> str:
    return " ".join("*" if field == "?" else field for field in text.split())


def _problem(expressions: Iterable[str], timezone: str) -> str | None:
    start, end = expressions
    if start == end:
        return f"start and end are both {start!r}, which KEDA refuses too"
    problems = (problem_of(expression, timezone) for expression in (start, end))
    return next((problem for problem in problems if problem is not None), None)


def _replicas(metadata: Fields, most_replicas: int, notes: Notes) -> int:
    replicas = metadata.count("desiredReplicas", 0)
    if replicas < 1:
        raise Refused(f"{metadata.path}.desiredReplicas is {replicas}: a schedule needs at least one replica.")
    if replicas > most_replicas:
        notes.add(f"{metadata.path}.desiredReplicas is {replicas}: the maximum bounds it, {most_replicas}.")
    return min(replicas, most_replicas)
