"""An event that goes on: what is known of it so far."""

from dataclasses import dataclass, field, fields
from typing import Any

from imagemill.domain.events import Change, Event, People, Region
from imagemill.domain.motion_kinds import EventClass, Kind
from imagemill.domain.motion_settings import AlertWhen, MotionSettings
from imagemill.motion.annotate import annotated
from imagemill.motion.detector import Observation
from imagemill.motion.events import EndReason, EventChange, classify, event_id
from imagemill.motion.frames import Frame, UnreadableFrameError
from imagemill.motion.keeper import ANNOTATED, BEFORE, BEST, PREVIEW, Kept, Strip

# A step is worth telling when the best picture is a fifth better, and at most every five seconds.
BETTER = 1.2
UPDATE_SECONDS = 5.0


@dataclass
class OpenEvent:
    """Facts in wall time (`_at`) and in steady seconds (`_steady`), pictures apart so that the rest is JSON."""

    source: str
    kind: Kind
    started_at: float
    started_steady: float
    last_at: float
    last_steady: float
    frames: int = 0
    moving_frames: int = 0
    best_at: float = 0.0
    best_value: float = -1.0
    shown_value: float = -1.0
    area: float = 0.0
    zones: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    people: People | None = None
    event_class: EventClass = "detection"
    looked_steady: float = 0.0
    told_steady: float = 0.0
    told_value: float = -1.0
    told_best_at: float = 0.0
    told_people: bool = False
    told_zones: int = 0
    told_class: EventClass = "detection"

    @property
    def shows_people(self) -> bool:
        """Whether somebody was found in the frame that is shown."""
        return bool(self.people and self.people.boxes)

    def touch(self, frame: Frame, observation: Observation, steady: float, when: AlertWhen) -> bool:
        """Take in a frame that shows the event; True when it shows more of it than the one that is shown."""
        self.last_at, self.last_steady = frame.at, steady
        self.moving_frames += 1
        self.area = max(self.area, sum(region.area for region in observation.regions))
        self.zones = sorted({*self.zones, *(name for region in observation.regions for name in region.zones)})
        self.best_value = max(self.best_value, observation.value)
        self.judge(when)
        return observation.value > self.shown_value

    def show(self, frame: Frame, observation: Observation) -> None:
        """Make this the frame that stands for the event."""
        self.best_at, self.shown_value, self.regions = frame.at, observation.value, list(observation.regions)

    def judge(self, when: AlertWhen) -> None:
        """Raise the class when the settings' conditions hold; it never falls."""
        if self.event_class == "detection":
            seconds = self.last_steady - self.started_steady
            self.event_class = classify(self.kind, seconds, self.area, self.zones, self.people, when)

    def is_worth_telling(self, steady: float) -> bool:
        """Whether it changed enough since it was last told."""
        if self.event_class != self.told_class or self.shows_people != self.told_people:
            return True
        grown = self.best_value >= BETTER * self.told_value or len(self.zones) > self.told_zones
        return grown and self.best_value > self.told_value and steady - self.told_steady >= UPDATE_SECONDS

    def mark_told(self, steady: float) -> None:
        """Remember what was told, so that only changes are told again."""
        self.told_steady, self.told_value, self.told_best_at = steady, self.best_value, self.best_at
        self.told_people = self.shows_people
        self.told_zones, self.told_class = len(self.zones), self.event_class

    def as_event(self, end_reason: EndReason | None = None) -> Event:
        """What others see."""
        return Event(
            id=event_id(self.source, self.started_at),
            source=self.source,
            kind=self.kind,
            event_class=self.event_class,
            started_at=self.started_at,
            last_at=self.last_at,
            seconds=round(self.last_at - self.started_at, 3),
            ended_at=self.last_at if end_reason else None,
            end_reason=end_reason,
            frames=self.frames,
            moving_frames=self.moving_frames,
            best_at=self.best_at,
            score=round(max((region.score for region in self.regions), default=float(self.kind != "motion")), 4),
            area=round(self.area, 5),
            zones=tuple(self.zones),
            regions=tuple(region.rounded() for region in self.regions),
            people=self.people,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON form for a snapshot."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["regions"] = [region.as_json() for region in self.regions]
        return values | {"people": self.people.as_json() if self.people else None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "OpenEvent":
        """What `as_dict` wrote."""
        regions = [Region.parse(region) for region in values["regions"]]
        people = People.parse(values["people"]) if values["people"] else None
        return cls(**(values | {"regions": regions, "people": people}))


def empty_kept(settings: MotionSettings, before: bytes | None) -> Kept:
    """Room for the pictures of a new event; the strip begins with the frame before it."""
    kept = Kept(Strip(settings.strip_frames), before=before)
    if before is not None:
        kept.strip.add(0.0, before)
    return kept


def told(change: Change, opened: OpenEvent, kept: Kept, settings: MotionSettings, end: EndReason | None) -> EventChange:
    """The step to publish; the strip is complete only at the end, the large pictures are sent when they changed."""
    draw(opened, kept, settings)
    files = kept.files() | kept.preview()
    if change == "update" and opened.best_at == opened.told_best_at:
        files = {}
    if change != "end":
        files = {name: data for name, data in files.items() if name in (BEFORE, BEST, ANNOTATED, PREVIEW)}
    return EventChange(change, opened.as_event(end), files)


def draw(opened: OpenEvent, kept: Kept, settings: MotionSettings) -> None:
    """The annotated version of the best frame, if it is not drawn yet."""
    if kept.best is None or kept.annotated is not None:
        return
    try:
        kept.annotated = annotated(kept.best, opened.regions, settings.zones, opened.people)
    except UnreadableFrameError:
        kept.annotated = None  # readable small but not in full: the clean bytes are all there is
