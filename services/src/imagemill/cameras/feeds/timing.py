"""When a frame is wanted, how long to wait before a feed is opened again, and what state it is in. Pure."""

from dataclasses import dataclass
from typing import Literal

FeedState = Literal["live", "stalled", "offline"]

# Back-off: a camera that reboots is back after about a minute; one that is gone costs one attempt a minute.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_DOUBLINGS = 10
# A connection that has delivered for this long was a good one: the next failure is the first again.
GOOD_AFTER_SECONDS = 30.0


def reconnect_pause_seconds(attempt: int, chance: float) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1); `chance` from 0 to 1 is the jitter.

    Half of the doubled pause is certain, half is chance, lest fifty cameras behind one switch return together.
    """
    doubled: float = FIRST_PAUSE_SECONDS * 2 ** min(max(attempt, 1) - 1, MOST_DOUBLINGS)
    return min(LONGEST_PAUSE_SECONDS, doubled) * (0.5 + 0.5 * chance)


class FrameGate:
    """Lets one frame per interval through, by the stream's own clock, without drift."""

    def __init__(self, interval_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self._last: float | None = None
        self._due = 0.0

    def is_due(self, position_seconds: float) -> bool:
        """Whether the frame at this position of the stream is the next one wanted."""
        slack = 0.02 * self.interval_seconds  # positions are rounded to milliseconds or to a clock of 90 kHz
        if self._last is None or position_seconds < self._last - self.interval_seconds:
            self._due = position_seconds  # the first frame, or the stream began again
        self._last = position_seconds
        if position_seconds < self._due - slack:
            return False
        self._due += self.interval_seconds
        if position_seconds >= self._due:
            self._due = position_seconds + self.interval_seconds  # a gap: what is missing is not made up for
        return True


class StreamClock:
    """A position that only grows: the stream's, or, for streams that do not tell it, the arrival's."""

    def __init__(self) -> None:
        self._told = 0.0
        self._same = 0
        self._began: float | None = None

    def position(self, told_seconds: float, arrival_seconds: float) -> float:
        """`told_seconds` is what the stream says, `arrival_seconds` a clock of this machine."""
        if self._began is None:
            self._began = arrival_seconds
        self._same = self._same + 1 if told_seconds == self._told else 0
        self._told = told_seconds
        # A stream that has told the same position three times in a row does not tell it.
        return arrival_seconds - self._began if self._same >= 3 or told_seconds < 0 else told_seconds


@dataclass(frozen=True)
class FeedFacts:
    """What is known of a feed; times in seconds of one clock."""

    connected: bool
    last_frame_at: float | None
    stall_seconds: float
    interval_seconds: float
    ended: bool = False


def feed_state(facts: FeedFacts, now: float) -> FeedState:
    """`live` while frames come, `stalled` when none has come for too long or it is opened again, else `offline`."""
    patience = max(facts.stall_seconds, 3 * facts.interval_seconds)
    recent = facts.last_frame_at is not None and now - facts.last_frame_at <= patience
    if facts.connected:
        return "live" if recent else "stalled"
    return "stalled" if recent and not facts.ended else "offline"
