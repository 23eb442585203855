"""What people read when they are told: a title and a few lines that say what, where, when, and where to look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from imagemill.alerting.words import duration
from imagemill.domain.events import Event
from imagemill.domain.rules import zone_of

WHAT = {
    "motion": "Motion",
    "scene": "The scene has changed",
    "frozen": "The picture is frozen",
    "offline": "The camera sends no pictures",
}


@dataclass(frozen=True)
class Message:
    """For chats, mail and push alike: plain text."""

    title: str
    text: str


def message(number: int, event: Event, timezone: str, base_url: str, camera_name: str = "") -> Message:
    """The message of an alert. `base_url` is the page's address; the link ends in `/alerts/<number>`."""
    camera = camera_name or event.source
    lines = [f"{describe(event)}, {_when(event, timezone)}."]
    if event.people:
        lines.append(f"{event.people.sentence}.")
    lines.append(alert_url(base_url, number))
    return Message(f"Alert {number}: {_what(event)} ({camera})", "\n".join(lines))


def describe(event: Event) -> str:
    """One line about an event, without its time."""
    what = _what(event)
    if event.kind != "motion":
        return what
    where = f" in {_listed(event.zones)}" if event.zones else ""
    return f"{what}{where}, score {event.score or 0:.2f}"


def _what(event: Event) -> str:
    """Motion in which the people detector found somebody is told as that."""
    found = len(event.people.boxes) if event.people else 0
    if event.kind == "motion" and found:
        return "Person" if found == 1 else f"{found} people"
    return WHAT.get(event.kind, event.kind)


def alert_url(base_url: str, number: int) -> str:
    """The stable address of an alert's page."""
    return f"{base_url.rstrip('/')}/alerts/{number}"


def _when(event: Event, timezone: str) -> str:
    began = datetime.fromtimestamp(event.started_at, zone_of(timezone))
    since = f"since {began:%Y-%m-%d %H:%M:%S %Z}"
    if event.ended_at is None:
        return since
    lasted = max(1.0, event.ended_at - event.started_at)
    return f"{began:%Y-%m-%d %H:%M:%S %Z}, for {duration(lasted)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
