"""From looks to events: at most one is open per source, so events never overlap."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from imagemill.domain.events import People
from imagemill.domain.motion_kinds import Kind
from imagemill.domain.motion_settings import MotionSettings
from imagemill.motion.detector import Observation
from imagemill.motion.events import EndReason, EventChange
from imagemill.motion.frames import Frame, Picture, UnreadableFrameError, full_color
from imagemill.motion.keeper import Kept
from imagemill.motion.opened import OpenEvent, empty_kept, told
from imagemill.motion.people import among

FindPeople = Callable[[Picture], People]

# A scene change is over when the new view has stood still this long; motion in it is motion again.
SCENE_QUIET_SECONDS = 5.0
# People are looked for no more often: it takes a good part of a second.
LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Moment:
    """One frame, what it showed, and when in steady seconds."""

    frame: Frame
    observation: Observation
    frozen: bool
    steady: float

    @property
    def shows(self) -> Kind | None:
        """The kind of event this frame belongs to."""
        if self.frozen:
            return "frozen"
        if self.observation.verdict == "scene":
            return "scene"
        return "motion" if self.observation.verdict == "motion" else None


class EventMachine:
    """The open event of a source, or the few last frames that may become one."""

    def __init__(self, source: str, settings: MotionSettings, find_people: FindPeople | None = None) -> None:
        self.source = source
        self.settings = settings
        self.find_people = find_people if settings.people else None
        self.opened: OpenEvent | None = None
        self.kept: Kept | None = None
        self.cool_until = float("-inf")
        self.left: bytes | None = None
        self.window: deque[Moment] = deque(maxlen=settings.of_frames)

    @property
    def pending(self) -> tuple[Moment, ...]:
        """The last frames while motion is in them that is not an event yet."""
        return tuple(self.window) if any(seen.shows == "motion" for seen in self.window) else ()

    def step(self, moment: Moment) -> list[EventChange]:
        """Take the next frame."""
        changes: list[EventChange] = []
        if self.opened:
            changes += self._go_on(self.opened, moment)
        elif len(self.window) == self.window.maxlen:
            self._leave(self.window[0])
        if self.opened:
            self._remember(moment)
        elif not any(step.event.end_reason == "longest" for step in changes):  # that frame belongs to what ended
            self.window.append(moment)
            changes += self._begin(moment)
        return changes

    def end(self, reason: EndReason, steady: float) -> list[EventChange]:
        """End the open event, if there is one."""
        if self.opened is None or self.kept is None:
            return []
        change = told("end", self.opened, self.kept, self.settings, reason)
        if self.opened.kind == "motion":
            self.cool_until = steady + self.settings.cool_down_seconds
        self.opened = self.kept = None
        self.window.clear()
        return [change]

    def _go_on(self, opened: OpenEvent, moment: Moment) -> list[EventChange]:
        opened.frames += 1
        if moment.shows == opened.kind:
            return self._more(opened, moment)
        if moment.shows in ("scene", "frozen") and moment.shows in self.settings.kinds:
            return self.end("scene" if moment.shows == "scene" else "frozen", moment.steady)
        if opened.kind == "frozen":
            return self.end("moving", moment.steady)
        return self._maybe_quiet(opened, moment)

    def _maybe_quiet(self, opened: OpenEvent, moment: Moment) -> list[EventChange]:
        if opened.kind == "scene" and moment.observation.verdict == "glitch":
            opened.last_at, opened.last_steady = moment.frame.at, moment.steady
        quiet = SCENE_QUIET_SECONDS if opened.kind == "scene" else self.settings.quiet_seconds
        if moment.steady - opened.last_steady >= quiet:
            return self.end("quiet", moment.steady)
        return []

    def _more(self, opened: OpenEvent, moment: Moment) -> list[EventChange]:
        is_better = opened.touch(moment.frame, moment.observation, moment.steady, self.settings.alert_when)
        self._choose(opened, moment, is_better)
        if opened.kind == "motion" and moment.steady - opened.started_steady >= self.settings.longest_seconds:
            return self.end("longest", moment.steady)
        if opened.is_worth_telling(moment.steady):
            return [self._tell("update", opened, moment.steady)]
        return []

    def _remember(self, moment: Moment) -> None:
        if self.kept:
            self.kept.strip.add(moment.frame.at, moment.frame.data)
        self._leave(moment)

    def _leave(self, moment: Moment) -> None:
        """Keep the frame as what may be the one before the next event."""
        if moment.observation.verdict != "glitch":
            self.left = moment.frame.data

    def _begin(self, moment: Moment) -> list[EventChange]:
        kind = moment.shows
        if kind is None or kind not in self.settings.kinds:
            return []
        if kind == "motion":
            return self._begin_motion(moment)
        shown = [*self._unconfirmed(), moment] if kind == "scene" else [moment]
        return self._open(kind, shown, moment)

    def _unconfirmed(self) -> list[Moment]:
        """The frame that first showed the scene, which the one after it has confirmed."""
        return [seen for seen in list(self.window)[-2:-1] if seen.observation.verdict == "glitch"]

    def _begin_motion(self, moment: Moment) -> list[EventChange]:
        moving = [seen for seen in self.window if seen.shows == "motion"]
        if len(moving) < self.settings.moving_frames or moment.steady < self.cool_until:
            return []
        return self._open("motion", moving, moment)

    def _open(self, kind: Kind, shown: list[Moment], moment: Moment) -> list[EventChange]:
        first = shown[0]
        self.kept = empty_kept(self.settings, self._before(first))
        opened = OpenEvent(self.source, kind, first.frame.at, first.steady, first.frame.at, first.steady)
        for seen in self.window:
            if seen.steady >= first.steady:
                opened.frames += 1
                self.kept.strip.add(seen.frame.at, seen.frame.data)
        for seen in shown:
            opened.touch(seen.frame, seen.observation, seen.steady, self.settings.alert_when)
        best = max(shown, key=lambda seen: seen.observation.value)
        self._show(opened, best)
        self._look_for_people(opened, best)
        self.opened, self.left = opened, moment.frame.data
        self.window.clear()
        return [self._tell("new", opened, moment.steady)]

    def _before(self, first: Moment) -> bytes | None:
        """The last frame before the first one that shows the event, glitches left out."""
        earlier = [m.frame.data for m in self.window if m.steady < first.steady and m.observation.verdict != "glitch"]
        return earlier[-1] if earlier else self.left

    def _tell(self, change: str, opened: OpenEvent, steady: float) -> EventChange:
        if self.kept is None:
            self.kept = empty_kept(self.settings, None)
        step = told("new" if change == "new" else "update", opened, self.kept, self.settings, None)
        opened.mark_told(steady)
        return step

    def _choose(self, opened: OpenEvent, moment: Moment, is_better: bool) -> None:
        """Show the best frame; once somebody is found, only a better one in which somebody is found too."""
        is_time = moment.steady - opened.looked_steady >= LOOK_SECONDS
        is_useful = is_better or not opened.shows_people
        found = is_time and is_useful and self._look_for_people(opened, moment)
        if found or (is_better and not opened.shows_people):
            self._show(opened, moment)

    def _show(self, opened: OpenEvent, moment: Moment) -> None:
        opened.show(moment.frame, moment.observation)
        if self.kept:
            self.kept.replace_best(moment.frame)

    def _look_for_people(self, opened: OpenEvent, moment: Moment) -> bool:
        """Whether somebody is found in what moves; what stands still and looks like a person is none."""
        if self.find_people is None or opened.kind != "motion":
            return False
        opened.looked_steady = moment.steady
        try:
            people = among(self.find_people(full_color(moment.frame.data)), moment.observation.regions)
        except UnreadableFrameError:
            return False
        if people.boxes or not opened.shows_people:
            opened.people = people
        opened.judge(self.settings.alert_when)
        return bool(people.boxes)
