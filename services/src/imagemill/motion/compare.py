"""Runs the same frames through other settings and says which events would come and which would go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.domain.events import Event
from imagemill.domain.motion_settings import MotionSettings
from imagemill.motion.frames import Frame
from imagemill.motion.source import SourceAnalyzer

# An event that is one frame long has no duration; this much on both sides lets it overlap with itself.
SLACK_SECONDS = 1.5


@dataclass(frozen=True)
class Difference:
    """Events of one setting against another: in both (as pairs), only before, only after."""

    kept: tuple[tuple[Event, Event], ...]
    gone: tuple[Event, ...]
    come: tuple[Event, ...]

    @property
    def is_none(self) -> bool:
        """The same events, of the same class."""
        return not self.gone and not self.come and all(a.event_class == b.event_class for a, b in self.kept)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "kept": [[before.as_json(), after.as_json()] for before, after in self.kept],
            "gone": [event.as_json() for event in self.gone],
            "come": [event.as_json() for event in self.come],
        }


def events_of(frames: Iterable[Frame], settings: MotionSettings, source: str = "replay") -> list[Event]:
    """Every event the frames make under these settings; one that is open at the end is ended there."""
    analyzer = SourceAnalyzer(source, settings)
    changes = [change for frame in frames for change in analyzer.see(frame)]
    changes += analyzer.tick(float("inf"))
    return [change.event for change in changes if change.change == "end"]


def events_of_both(
    frames: Iterable[Frame], before: MotionSettings, after: MotionSettings
) -> tuple[list[Event], list[Event]]:
    """The events of both settings in one pass over the frames, which need not fit in memory."""
    analyzers = SourceAnalyzer("replay", before), SourceAnalyzer("replay", after)
    ended: tuple[list[Event], list[Event]] = ([], [])
    for frame in frames:
        for analyzer, events in zip(analyzers, ended, strict=True):
            events.extend(change.event for change in analyzer.see(frame) if change.change == "end")
    for analyzer, events in zip(analyzers, ended, strict=True):
        events.extend(change.event for change in analyzer.tick(float("inf")))
    return ended


def compare(before: Sequence[Event], after: Sequence[Event]) -> Difference:
    """Pair events of the same kind that overlap in time, the longest overlap first; what is left has gone or come."""
    pairs = sorted(
        ((overlap_seconds(a, b), i, j) for i, a in enumerate(before) for j, b in enumerate(after) if a.kind == b.kind),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    matched: dict[int, int] = {}
    for overlap, i, j in pairs:
        if overlap > 0 and i not in matched and j not in matched.values():
            matched[i] = j
    return Difference(
        kept=tuple((before[i], after[j]) for i, j in sorted(matched.items())),
        gone=tuple(event for i, event in enumerate(before) if i not in matched),
        come=tuple(event for j, event in enumerate(after) if j not in matched.values()),
    )


def overlap_seconds(a: Event, b: Event) -> float:
    """How long both go on; below zero when there is time between them."""
    return min(a.shown_until, b.shown_until) - max(a.started_at, b.started_at) + SLACK_SECONDS


def described(difference: Difference, began_at: float) -> list[str]:
    """Lines for a terminal; times are minutes and seconds since `began_at`."""
    lines = [f"- {_line(event, began_at)}: would not come any more" for event in difference.gone]
    lines += [f"+ {_line(event, began_at)}: would come" for event in difference.come]
    lines += [
        f"~ {_line(before, began_at)}: {before.event_class} would become {after.event_class}"
        for before, after in difference.kept
        if before.event_class != after.event_class
    ]
    return [*lines, f"{len(difference.kept)} kept, {len(difference.gone)} gone, {len(difference.come)} new"]


def _line(event: Event, began_at: float) -> str:
    minutes, seconds = divmod(round(event.started_at - began_at), 60)
    return f"{minutes:02}:{seconds:02} {event.kind} for {event.seconds or 0:.0f} s, score {event.score or 0:.2f}"
