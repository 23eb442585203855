"""Which frames are looked at: in order, each once. Also the seconds that never run backwards."""

from dataclasses import asdict, dataclass
from typing import Any

from imagemill.motion.frames import Frame

# A reader whose clock is set back by more than this carries on from there; less is the jitter of arrival times.
CLOCK_JITTER_SECONDS = 0.5


@dataclass
class Ordering:
    """Position of the last frame that was admitted, and counts of what was not.

    With a sequence, (generation, sequence) decides: two readers that overlap while a camera changes hands cannot be
    told apart by time. Without one (posted pictures) time decides. `steady` are seconds that only grow, for durations.
    """

    generation: int = -1
    sequence: int = -1
    at: float = float("-inf")
    steady: float = 0.0
    late: int = 0
    missed: int = 0

    def admit(self, frame: Frame, interval_seconds: float) -> float | None:
        """Seconds since the last frame (0 for the first), or None when the frame is late or a repetition."""
        if self.is_late(frame):
            self.late += 1
            return None
        elapsed = self._elapsed(frame.at, interval_seconds)
        self._count_missed(frame)
        self.at = frame.at
        self.steady += elapsed
        return elapsed

    def is_late(self, frame: Frame) -> bool:
        """Older than what was seen, or seen already."""
        if frame.sequence is None:
            return frame.at <= self.at
        return (frame.generation, frame.sequence) <= (self.generation, self.sequence)

    def _elapsed(self, at: float, interval_seconds: float) -> float:
        if self.at == float("-inf"):
            return 0.0
        passed = at - self.at
        if passed < -CLOCK_JITTER_SECONDS:
            return interval_seconds  # the clock was set back: the usual time has passed, as far as anyone knows
        return max(0.0, passed)

    def _count_missed(self, frame: Frame) -> None:
        if frame.sequence is None:
            return
        if frame.generation == self.generation:
            self.missed += frame.sequence - self.sequence - 1
        self.generation, self.sequence = frame.generation, frame.sequence

    def as_dict(self) -> dict[str, Any]:
        """JSON form; -inf is not JSON and is left out."""
        return {name: value for name, value in asdict(self).items() if value != float("-inf")}
