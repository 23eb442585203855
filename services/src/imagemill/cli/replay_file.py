"""A replay of a video, or a folder of pictures: it has every frame, so it tells what would go and what come."""

from collections.abc import Iterator
from pathlib import Path

from imagemill.cameras.feeds import FeedError, FeedPolicy, from_address
from imagemill.cameras.feeds.replay import recorded_frames
from imagemill.cli.client import ApiError
from imagemill.cli.replay_words import Replayed, counted, facts_of, lines_of
from imagemill.domain.events import Event
from imagemill.motion import Frame, MotionSettings
from imagemill.motion.compare import compare, events_of_both


def of_file(path: Path, before: MotionSettings, after: MotionSettings, tried: str) -> Replayed:
    """Raises ApiError."""
    frames = 0

    def watched() -> Iterator[Frame]:
        nonlocal frames
        real = path.resolve()
        spec = from_address(str(real), frames_per_second=min(30.0, 1 / before.interval_seconds))
        for frame in counted(recorded_frames(spec, FeedPolicy(folders=(real.parent, real)), 0.0), path.name):
            frames += 1
            yield frame

    try:
        difference = compare(*events_of_both(watched(), before, after))
    except FeedError as error:
        raise ApiError(f"{path} cannot be replayed: {error}.") from error
    head = f"{path.name}: {frames:,} frames, {tried}; times are from its begin"
    members = difference.as_dict() | {"of": "file", "frames": frames, "tells_what_would_come": True}
    return Replayed([head, *lines_of(difference, _title)], members)


def _title(event: Event) -> str:
    minutes, seconds = divmod(round(event.started_at), 60)
    return f"{minutes:02}:{seconds:02} {facts_of(event)}"
