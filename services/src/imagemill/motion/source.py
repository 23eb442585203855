"""The analyzer of one source: frames in, changes of events out, and a saved state to carry on from."""

from imagemill.domain.motion_settings import MotionSettings
from imagemill.motion.detector import Detector, Observation
from imagemill.motion.events import EventChange
from imagemill.motion.frames import Frame, Gray, UnreadableFrameError, small_gray
from imagemill.motion.frozen import FrozenWatch
from imagemill.motion.machine import EventMachine, FindPeople, Moment
from imagemill.motion.ordering import Ordering
from imagemill.motion.saved_state import VERSION, SavedState, load_events, load_pixels, save_events, save_pixels

# After this long without a frame the light may have changed; ten of the camera's intervals for those that are slow.
STALE_SECONDS = 120.0
STALE_INTERVALS = 10
# How much longer than the quiet time a silent feed is given before its event is ended without it.
SILENCE_SECONDS = 10.0


class SourceAnalyzer:
    """Stateful per source, without I/O. The order that survives a kill: publish the changes, save the state, ack."""

    def __init__(self, source: str, settings: MotionSettings, find_people: FindPeople | None = None) -> None:
        self.source = source
        self.settings = settings
        self.detector = Detector(settings)
        self.frozen = FrozenWatch(settings.frozen_seconds)
        self.ordering = Ordering()
        self.machine = EventMachine(source, settings, find_people)
        self.frames = 0
        self.unreadable = 0
        self.last_look: Observation | None = None

    def see(self, frame: Frame) -> list[EventChange]:
        """Take the next frame; late and unreadable ones are counted and change nothing else."""
        if self.ordering.is_late(frame):
            self.ordering.late += 1
            return []
        try:
            gray = small_gray(frame.data, self.settings.height)
        except UnreadableFrameError:
            self.unreadable += 1
            return []
        return self._see(frame, gray)

    def tick(self, now: float) -> list[EventChange]:
        """End the open event of a feed that fell silent.

        `now` is in seconds since the epoch. Call it only when no frame of the source waits in the queue: a frame that
        is merely late must not be taken for silence.
        """
        silent = now - self.ordering.at
        if self.machine.opened is None or silent < self.settings.quiet_seconds + SILENCE_SECONDS:
            return []
        return self.machine.end("silence", self.ordering.steady + silent)

    def reconfigure(self, settings: MotionSettings, find_people: FindPeople | None = None) -> list[EventChange]:
        """Go on with other settings; the background stays, an open event too unless its kind is not wanted any more."""
        kind = self.machine.opened.kind if self.machine.opened else None
        ended = self.machine.end("settings", self.ordering.steady) if kind and kind not in settings.kinds else []
        old, self.settings = self.detector, settings
        self.detector = Detector(settings)
        if old.background is not None and old.background.shape[0] == settings.height:
            self.detector.recalibrate(old.background)
            self.detector.previous = old.previous
        self.frozen.frozen_seconds = settings.frozen_seconds
        self._replace_machine(EventMachine(self.source, settings, find_people))
        return ended

    def counts(self) -> dict[str, int]:
        """Frames seen, late (dropped), missed (gaps in the sequence) and unreadable."""
        return {
            "frames": self.frames,
            "late": self.ordering.late,
            "missed": self.ordering.missed,
            "unreadable": self.unreadable,
        }

    @property
    def pending(self) -> bool:
        """Motion was seen that is not an event yet: a moment to save the state before frames are acknowledged."""
        return bool(self.machine.pending)

    def saved_state(self, pictures: bool = True) -> SavedState:
        """The state as JSON and files. Without `pictures` an event that is open ends without those it has so far."""
        events, files = save_events(self.machine, pictures)
        state = {
            "version": VERSION,
            "ordering": self.ordering.as_dict(),
            "frames": self.frames,
            "unreadable": self.unreadable,
            "same_seconds": self.frozen.same_seconds,
        }
        return SavedState(state | events, save_pixels(self.detector, self.frozen) | files)

    @classmethod
    def restore(
        cls, source: str, settings: MotionSettings, saved_state: SavedState, find_people: FindPeople | None = None
    ) -> "SourceAnalyzer":
        """Carry on from a saved state; one of another version begins anew, one of another height calibrates anew."""
        analyzer, state = cls(source, settings, find_people), saved_state.state
        if state.get("version") != VERSION:
            return analyzer
        analyzer.ordering = Ordering(**state["ordering"])
        analyzer.frames, analyzer.unreadable = state["frames"], state["unreadable"]
        load_pixels(analyzer.detector, analyzer.frozen, saved_state)
        load_events(analyzer.machine, saved_state)
        return analyzer

    def _see(self, frame: Frame, gray: Gray) -> list[EventChange]:
        elapsed = self.ordering.admit(frame, self.settings.interval_seconds) or 0.0
        changes = self._after_gap(elapsed)
        self.frames += 1
        frozen = self.frozen.see(gray, elapsed)
        self.last_look = self.detector.observation(gray, elapsed)
        return changes + self.machine.step(Moment(frame, self.last_look, frozen, self.ordering.steady))

    def _after_gap(self, elapsed: float) -> list[EventChange]:
        if elapsed < max(STALE_SECONDS, STALE_INTERVALS * self.settings.interval_seconds):
            return []
        self.detector.forget()
        self.frozen.resume(None, 0.0)
        return self.machine.end("gap", self.ordering.steady)

    def _replace_machine(self, machine: EventMachine) -> None:
        machine.opened, machine.kept = self.machine.opened, self.machine.kept
        machine.cool_until, machine.left = self.machine.cool_until, self.machine.left
        self.machine = machine
