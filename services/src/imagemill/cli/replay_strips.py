"""A replay of stored events by their strips of small pictures: tells what would go, but not what would come."""

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from imagemill.cli import say
from imagemill.cli.client import Client, path_of
from imagemill.cli.replay_words import Replayed, changed, counted
from imagemill.motion import Event, Frame, MotionSettings
from imagemill.motion.compare import events_of
from imagemill.motion.events import classify

Json = dict[str, Any]
MOST_EVENTS = 1000
# The strip's first picture shows the place before: seen for so long, it becomes the background.
_STILL_FRAMES = 3


@dataclass(frozen=True)
class Stored:
    """A camera's events, newest first; `all_of_them` is False when there are more than are looked at."""

    events: list[Json]
    all_of_them: bool

    @property
    def motions(self) -> list[Json]:
        """Those which can be replayed, oldest first."""
        return [event for event in self.events[::-1] if event["kind"] == "motion" and event["ended_at"] is not None]


def stored_events(client: Client, camera: str, since: datetime) -> Stored:
    """A camera's events since then."""
    found = client.pages(path_of("camera-events"), "events", MOST_EVENTS + 1, camera=camera)
    events = list(takewhile(lambda event: datetime.fromisoformat(event["started_at"]) >= since, found))
    return Stored(events[:MOST_EVENTS], len(events) <= MOST_EVENTS)


def of_strips(
    client: Client, camera: str, stored: Stored, before: MotionSettings, after: MotionSettings, tried: str
) -> Replayed:
    """Event by event, oldest first."""
    motions = stored.motions
    lines, gone, other, kept, untold = [], [], [], 0, 0
    for event in counted(motions, "Replaying"):
        pictures = _strip(client, event)
        was, would_be = (_seen_as(pictures, settings) for settings in (before, after))
        if was is None:
            untold += 1
        elif would_be is None:
            gone.append(event)
            lines.append(f"- {_line(event)}: would not come any more")
        elif (old := _class(event, was, before)) != (new := _class(event, would_be, after)):
            other.append({**event, "would_be": new})
            lines.append(f"~ {_line(event)}: {changed(old, new)}")
        else:
            kept += 1
    members = {
        "of": "strips", "kept": kept, "gone": gone, "changed": other, "untold": untold, "tells_what_would_come": False,
    }  # fmt: skip
    sums = f"{kept} kept, {len(gone)} gone, {len(other)} of another class; which would come is not known"
    head = f"{camera}: {say.plural(len(motions), 'stored event')} of motion, {tried}"
    notes = [*_left_out(stored, untold), *_what_is_missing(camera)]
    return Replayed([head, *lines, sums, *notes], members)


def _left_out(stored: Stored, untold: int) -> list[str]:
    told = []
    others = len(stored.events) - len(stored.motions)
    if others:
        told.append(f"{say.plural(others, 'event')} of other kinds, or going on, left out.")
    if untold:
        told.append(f"{say.plural(untold, 'event')} whose few stored pictures do not tell it.")
    if not stored.all_of_them:
        told.append(f"Only the newest {MOST_EVENTS:,} events were looked at.")
    return told


def _what_is_missing(camera: str) -> list[str]:
    return [
        "Of a camera that is read only its events are stored, each with a strip of small pictures, so what would come"
        " cannot be found in them.",
        f"A video of the place tells it: imagemill replay --camera {camera} --file VIDEO --set …",
    ]


def _strip(client: Client, event: Json) -> list[bytes]:
    names = sorted(item["name"] for item in event["pictures"] if item["name"].startswith("strip-"))
    pictures = []
    for name in names:
        with client.stream(path_of("camera-events", event["id"], "pictures", name)) as answer:
            pictures.append(answer.content)
    return pictures


def _seen_as(pictures: list[bytes], settings: MotionSettings) -> Event | None:
    shown = [*pictures[:1] * _STILL_FRAMES, *pictures[1:]]
    frames = [Frame(number * settings.interval_seconds, data, number) for number, data in enumerate(shown)]
    return next((one for one in events_of(frames, settings) if one.kind == "motion"), None)


def _class(event: Json, seen: Event, settings: MotionSettings) -> str:
    """A strip is shorter than its event: how long that was is taken from what is stored."""
    return classify("motion", event["seconds"] or 0.0, seen.area or 0.0, seen.zones or (), None, settings.alert_when)


def _line(event: Json) -> str:
    number = f" (alert {event['alert']})" if event["alert"] else ""
    return f"{event['started_at'][:19].replace('T', ' ')} {event['description']}{number}"
