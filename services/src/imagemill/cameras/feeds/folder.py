"""A folder of pictures as a feed: one picture per interval, in the order of their names."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from imagemill.admission import headers
from imagemill.cameras.feeds.grabs import Grab, Pace, Waiter
from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES, FeedError, FeedSpec

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
# Names are kept in memory while the folder is read.
MOST_PICTURES = 100_000


def folder_grabs(
    folder: Path, spec: FeedSpec, stop: Waiter, now: Callable[[], float] = time.time, began_at: float | None = None
) -> Iterator[Grab]:
    """The folder's pictures, listed anew each time it begins again; files that are no pictures are passed over."""
    start = now() if began_at is None else began_at
    position, pace = 0.0, Pace(stop, time.monotonic)
    while True:
        before = position
        for path in picture_paths(folder):
            data = picture_bytes(path)
            if data is None:
                continue
            if stop.is_set() or (spec.paced and pace.wait_for(position)):
                return
            yield Grab(now() if spec.paced else start + position, data, position)
            position += spec.interval_seconds
        if position == before:
            raise FeedError(f"{folder} has no pictures in it; known endings are {', '.join(sorted(SUFFIXES))}")
        if not spec.loop:
            return


def picture_paths(folder: Path) -> list[Path]:
    """Plain files with a picture's ending; links are left out, because they may lead out of the folder."""
    try:
        names = _picture_names(folder)
    except FileNotFoundError:
        raise FeedError(f"{folder} does not exist any more") from None
    except OSError as error:
        raise FeedError(f"{folder} cannot be read: {error.strerror}") from None
    if len(names) > MOST_PICTURES:
        raise FeedError(f"{folder} has {len(names):,} pictures; a feed takes at most {MOST_PICTURES:,}")
    return [folder / name for name in sorted(names)]


def _picture_names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file(follow_symlinks=False)
        ]


def picture_bytes(path: Path) -> bytes | None:
    """The file's bytes, or None when it has gone, is too large, or is no picture by its content."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_FRAME_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_FRAME_BYTES and headers.sniff(data) else None
