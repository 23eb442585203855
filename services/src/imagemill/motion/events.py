"""Events as others see them, and what makes one an alert instead of a detection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from imagemill.domain.motion_kinds import EventClass, Kind
from imagemill.domain.motion_settings import AlertWhen
from imagemill.motion.people import People
from imagemill.motion.regions import Region

Change = Literal["new", "update", "end"]
# Why an event ended: it was quiet; another kind took over; the feed was silent or had a gap; it was too long; the
# picture moves again after it was frozen; the camera's settings do not want the kind any more.
EndReason = Literal["quiet", "scene", "frozen", "silence", "gap", "longest", "moving", "settings"]


@dataclass(frozen=True)
class Event:
    """What happened at one source. Times are seconds since the epoch by the source's frames.

    The id follows from the source and the first frame, so the same frames give the same id however often they are
    seen. `last_at` is the last frame that showed it; `ended_at` is None until the event has ended.
    """

    id: str
    source: str
    kind: Kind
    event_class: EventClass
    started_at: float
    last_at: float
    ended_at: float | None
    end_reason: EndReason | None
    frames: int
    moving_frames: int
    best_at: float
    score: float
    area: float
    zones: tuple[str, ...]
    regions: tuple[Region, ...]
    people: People | None = None

    @property
    def seconds(self) -> float:
        """From the first to the last frame that showed it."""
        return self.last_at - self.started_at

    def as_dict(self) -> dict[str, Any]:
        """JSON form for documents and messages."""
        plain = ("id", "source", "kind", "started_at", "last_at", "ended_at", "end_reason", "frames", "moving_frames")
        return {name: getattr(self, name) for name in plain} | {
            "class": self.event_class,
            "seconds": round(self.seconds, 3),
            "best_at": self.best_at,
            "score": round(self.score, 4),
            "area": round(self.area, 5),
            "zones": list(self.zones),
            "regions": [region.as_dict() for region in self.regions],
            "people": people_as_dict(self.people),
        }


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


def people_as_dict(people: People | None) -> dict[str, Any] | None:
    """JSON form, with the sentence that says how slow it was."""
    if people is None:
        return None
    return {"boxes": [list(box) for box in people.boxes], "seconds": people.seconds, "sentence": people.sentence}
