"""One camera that is read: its feed, the numbers of its frames, and the newest of them."""

from collections.abc import Callable
from concurrent.futures import Future

from prometheus_client import Counter

from imagemill.cameras.feeds import Feed, FeedSpec, FeedStatus, Grab, grabs
from imagemill.cameras.feeds.grabs import Source
from imagemill.cameras.specs import policy_of, spec_of
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.wire.broker import Broker, BrokerUnavailable
from imagemill.wire.frames import SourceFrame, frame_message

FRAMES = Counter("imagemill_camera_frames", "Frames that were wanted from cameras, by what became of them", ["result"])


class Reading:
    """Memory: the newest frame, and one that the broker has not confirmed.

    Numbers count every frame that was wanted, so that whatever is lost on the way shows as a gap.
    """

    def __init__(self, camera: Camera, generation: int, feed: Feed) -> None:
        self.camera, self.generation, self._feed = camera, generation, feed
        self.newest: Grab | None = None
        self._sequence = 0
        self._dropped = 0
        self._outstanding: Future[None] | None = None

    @property
    def status(self) -> FeedStatus:
        """The feed's."""
        return self._feed.status()

    def send(self, broker: Broker, allowed: bool) -> None:
        """Takes the frame that waits and publishes it, unless it may not be or the one before is still under way."""
        grab = self._feed.next(0)
        if grab is None:
            return
        self.newest = grab
        self._count(self._feed.status().dropped)
        if not allowed or not self._sent(broker, grab):
            FRAMES.labels("dropped").inc()

    def renew(self, generation: int) -> None:
        """The camera was taken again: its frames are a new series."""
        self.generation = generation

    def close(self) -> None:
        """Nothing more is sent; the feed's thread ends when the network lets it."""
        self._feed.close(0)

    def _count(self, dropped: int) -> None:
        missed, self._dropped = dropped - self._dropped, dropped
        self._sequence += 1 + missed
        FRAMES.labels("overtaken").inc(missed)

    def _sent(self, broker: Broker, grab: Grab) -> bool:
        if self._outstanding is not None and not self._outstanding.done():
            return False
        frame = SourceFrame(self.camera.id, self._sequence, grab.at, grab.data, self.generation)
        try:
            self._outstanding = broker.submit(frame_message(frame))
        except BrokerUnavailable:
            return False
        self._outstanding.add_done_callback(_count_sent)
        return True


def open_reading(camera: Camera, generation: int, settings: Settings, on_frame: Callable[[], None]) -> Reading:
    """Begins to read. Secrets are looked up at every attempt, so that a changed password is used."""
    timing = FeedSpec(camera.id, "video", camera.frames_per_second)
    return Reading(camera, generation, Feed(timing, _source(camera, settings), on_frame=on_frame))


def _source(camera: Camera, settings: Settings) -> Source:
    policy = policy_of(settings)
    return lambda stop: grabs(spec_of(camera, settings), policy, stop)


def _count_sent(future: "Future[None]") -> None:
    FRAMES.labels("sent" if future.exception() is None else "dropped").inc()
