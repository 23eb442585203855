"""Steps of events, and what makes one an alert instead of a detection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from imagemill.domain.events import Change, Event, People
from imagemill.domain.motion_kinds import EventClass, Kind
from imagemill.domain.motion_settings import AlertWhen

# Why an event ended: it was quiet; another kind took over; the feed was silent or had a gap; it was too long; the
# picture moves again after it was frozen; the camera's settings do not want the kind any more.
EndReason = Literal["quiet", "scene", "frozen", "silence", "gap", "longest", "moving", "settings"]


@dataclass(frozen=True)
class EventChange:
    """One step of an event and the pictures that are new or better since the step before, by file name.

    A step that was published and is repeated after a restart has the same event id and may be stored again.
    """

    change: Change
    event: Event
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def event_id(source: str, started_at: float) -> str:
    """One source has one event at a time, so its first millisecond names it."""
    return f"{source}:{round(started_at * 1000)}"


def classify(
    kind: Kind, seconds: float, area: float, zones: Sequence[str], people: People | None, when: AlertWhen
) -> EventClass:
    """`alert` when everything holds that the settings ask for; a scene change or a frozen picture always is one."""
    if kind != "motion":
        return "alert"
    holds = (
        (not when.zones or bool(set(when.zones) & set(zones)))
        and area >= when.min_area
        and seconds >= when.min_seconds
        and (not when.people or bool(people and people.boxes))
    )
    return "alert" if holds else "detection"
