"""One source in memory: its analyzer, the revision of its state, and the frames which that state does not hold yet."""

from dataclasses import dataclass, field

from imagemill.motion import EventChange, Frame, SourceAnalyzer
from imagemill.wire.broker import Delivery

# The state of a quiet source is only its background, which any frame of the next minute can replace.
QUIET_SAVE_SECONDS = 60.0
# Frames kept unacknowledged for one source; above it the state is saved sooner.
MOST_HELD = 16


@dataclass
class Tracked:
    """Frames of an event, or of what may become one, are acknowledged only when a saved state holds them: a kill
    brings them again, and the same frames make the same event with the same id. Frames of a quiet source are
    acknowledged at once.
    """

    analyzer: SourceAnalyzer
    revision: str | None
    saved_at: float
    held: list[Delivery] = field(default_factory=list)
    was_busy: bool = False
    # A frame was seen which the saved state does not know.
    is_new: bool = False

    @property
    def is_busy(self) -> bool:
        """Is an event open, or may one begin?"""
        return self.analyzer.machine.opened is not None or self.analyzer.pending

    def see(self, frame: Frame, delivery: Delivery) -> list[EventChange]:
        """The next frame."""
        self.held.append(delivery)
        self.was_busy, self.is_new = self.is_busy, True
        return self.analyzer.see(frame)

    def must_save(self, changed: bool, now: float, every_seconds: float) -> bool:
        """Before anything of it is acknowledged?"""
        age = now - self.saved_at
        if not self.is_new:
            return changed
        if changed or (self.is_busy and not self.was_busy) or self.revision is None:
            return True
        if self.is_busy:
            return age >= every_seconds or len(self.held) >= MOST_HELD
        return age >= QUIET_SAVE_SECONDS

    def acknowledge(self) -> None:
        """All frames which were seen."""
        for delivery in self.held:
            delivery.ack()
        self.held.clear()

    def requeue(self) -> None:
        """Somebody else holds the source."""
        for delivery in self.held:
            delivery.requeue()
        self.held.clear()
