"""Runs a video file or a folder of pictures through the detector under two settings."""

import threading
from collections.abc import Iterator
from dataclasses import replace

from imagemill.cameras.feeds.feed import grabs
from imagemill.cameras.feeds.policy import FeedPolicy
from imagemill.cameras.feeds.spec import FeedSpec
from imagemill.motion import Frame, MotionSettings
from imagemill.motion.compare import Difference, compare, events_of_both


def recorded_frames(spec: FeedSpec, policy: FeedPolicy, began_at: float) -> Iterator[Frame]:
    """The frames of a file, once, as fast as they can be read; their times are `began_at` plus the position."""
    once = replace(spec, loop=False, paced=False)
    for sequence, grab in enumerate(grabs(once, policy, threading.Event(), began_at)):
        yield Frame(grab.at, grab.data, sequence)


def replay(
    spec: FeedSpec, policy: FeedPolicy, before: MotionSettings, after: MotionSettings, began_at: float = 0.0
) -> Difference:
    """Which events of a file would come and which would go under the settings `after`."""
    return compare(*events_of_both(recorded_frames(spec, policy, began_at), before, after))
