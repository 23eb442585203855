"""One queue of frames and the sources in it, worked on by one thread: a source's frames are seen in order."""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import structlog

from imagemill.analyzer.cameras import CameraSettings
from imagemill.analyzer.counting import BROKEN, SECONDS, SOURCES, Counting
from imagemill.analyzer.people import find_people_for
from imagemill.analyzer.publisher import EventPublisher
from imagemill.analyzer.state import StateStore
from imagemill.analyzer.tracked import Tracked
from imagemill.concurrency.loop import Loop, each
from imagemill.concurrency.retry import Stopped, until
from imagemill.motion import EventChange, Frame, SourceAnalyzer
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Delivery
from imagemill.wire.frames import SourceFrame, frame_of

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

_IDLE_SECONDS = 1.0
# When frames of the last seconds come, nothing older waits in the queue: silence of one source is silence then.
_FRESH_SECONDS = 5.0
# A frame of another day has a wrong clock, and its event would be of a month that has no database.
_MOST_OFF_SECONDS = 86_400.0


class Partition:
    """`put` hands over (bounded by the prefetch); everything else happens in the thread."""

    def __init__(
        self, name: str, cameras: CameraSettings, states: StateStore, publisher: EventPublisher, activity: Activity,
        save_seconds: float, max_sources: int, stopping: threading.Event,
    ) -> None:  # fmt: skip
        self.name = name
        self._cameras, self._states, self._publisher, self._activity = cameras, states, publisher, activity
        self._save_seconds, self._max_sources, self._stopping = save_seconds, max_sources, stopping
        self._inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._sources: OrderedDict[str, Tracked] = OrderedDict()
        self._counting = Counting()
        self._last: Delivery | None = None
        self._last_at = 0.0
        self._checked_at = 0.0
        body = each(self._inbox, self._take, lambda: self._between(idle=True), _IDLE_SECONDS)
        self._loop = Loop(name, body, at_end=self._save_all, heals=False)
        self.start, self.close = self._loop.start, self._loop.close

    def put(self, delivery: Delivery) -> None:
        """Take a frame in."""
        self._inbox.put(delivery)

    # --- in the thread --------------------------------------------------------------------------------

    def _take(self, delivery: Delivery) -> None:
        self._notice_loss(delivery)
        if not delivery.channel_closed:
            with SECONDS.time():
                self._handle(delivery)
        self._between(idle=False)

    def _handle(self, delivery: Delivery) -> None:
        try:
            frame = _frame(delivery)
            self._see(frame.source, Frame(frame.at, frame.data, frame.sequence, frame.generation), delivery)
        except Stopped:
            raise
        except Exception as error:
            # Frames come from strangers: one that cannot be worked on must not end, and end again, all other cameras.
            log.error("a frame is dropped", queue=self.name, error=repr(error))
            BROKEN.inc()
            self._drop(delivery)

    def _between(self, idle: bool) -> None:
        now = time.time()
        if now - self._checked_at < _IDLE_SECONDS:
            return
        self._checked_at = now
        self._counting.tell(self._activity, time.monotonic())
        self._notice_loss(None)
        if idle or (self._inbox.empty() and now - self._last_at < _FRESH_SECONDS):
            for tracked in list(self._sources.values()):
                self._after(tracked, tracked.analyzer.tick(now))

    def _notice_loss(self, new: Delivery | None) -> None:
        """With the connection the queue went too: another analyzer may have it, so the state is read again."""
        if self._last is not None and self._last.channel_closed:
            for source in list(self._sources):
                self._forget(source)
        self._last = new or self._last
        if self._last is not None and self._last.channel_closed:
            self._last = None

    def _drop(self, delivery: Delivery) -> None:
        for tracked in self._sources.values():
            if delivery in tracked.held:
                tracked.held.remove(delivery)
        delivery.ack()

    def _see(self, source: str, frame: Frame, delivery: Delivery) -> None:
        self._last_at = frame.at
        tracked = self._tracked(source)
        changes = self._renewed(tracked)
        changes += tracked.see(frame, delivery)
        self._counting.note(source, tracked.analyzer.counts())
        self._after(tracked, changes)

    def _tracked(self, source: str) -> Tracked:
        tracked = self._sources.get(source)
        if tracked is None:
            while len(self._sources) >= self._max_sources:
                self._save(next(iter(self._sources.values())))
                self._forget(next(iter(self._sources)))
            tracked = self._load(source)
            self._sources[source] = tracked
            self._counting.begin(source, tracked.analyzer.counts())
            SOURCES.inc()
        self._sources.move_to_end(source)
        return tracked

    def _load(self, source: str) -> Tracked:
        settings = self._cameras.at_first(source)
        saved = self._until_stored(lambda: self._states.load(source))
        people = find_people_for(settings)
        if saved is None:
            return Tracked(SourceAnalyzer(source, settings, people), None, 0.0)
        analyzer = SourceAnalyzer.restore(source, settings, saved.state, people)
        return Tracked(analyzer, saved.revision, time.monotonic())

    def _renewed(self, tracked: Tracked) -> list[EventChange]:
        settings, analyzer = self._cameras.of(tracked.analyzer.source), tracked.analyzer
        if settings == analyzer.settings:
            return []
        return analyzer.reconfigure(settings, find_people_for(settings))

    def _after(self, tracked: Tracked, changes: list[EventChange]) -> None:
        """The order that survives a kill: tell, save, acknowledge."""
        for change in changes:
            self._publisher.tell(change)
        if tracked.must_save(bool(changes), time.monotonic(), self._save_seconds):
            self._save(tracked)
        elif not tracked.is_busy:
            tracked.acknowledge()

    def _save(self, tracked: Tracked) -> None:
        source = tracked.analyzer.source
        try:
            saved_state = tracked.analyzer.saved_state()
            tracked.revision = self._until_stored(lambda: self._states.save(source, saved_state, tracked.revision))
        except Conflict:
            log.warning("another analyzer has the source; its frames are given back", source=source)
            tracked.requeue()
            self._forget(source)
            return
        tracked.saved_at, tracked.is_new = time.monotonic(), False
        tracked.acknowledge()

    def _until_stored(self, attempt: Callable[[], Answer]) -> Answer:
        return until(attempt, self._stopping, on=StoreUnavailable, what="the state of a source waits for CouchDB")

    def _forget(self, source: str) -> None:
        if self._sources.pop(source, None) is not None:
            self._counting.forget(source)
            SOURCES.dec()

    def _save_all(self) -> None:
        for tracked in list(self._sources.values()):
            self._save(tracked)


def _frame(delivery: Delivery) -> SourceFrame:
    frame = frame_of(delivery)
    if not abs(time.time() - frame.at) < _MOST_OFF_SECONDS:
        raise ValueError(f"the time of a frame of {frame.source} is {frame.at}, more than a day from now")
    return frame
