"""Live news inside one API process: from its queue to open pages and to requests that wait."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from imagemill.concurrency.loop import Loop
from imagemill.domain.activity import Record
from imagemill.domain.images import Counts, Outcome
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.activity import records_of
from imagemill.wire.broker import Delivery
from imagemill.wire.events import TYPE as EVENT
from imagemill.wire.events import news_of
from imagemill.wire.work import announced

log = structlog.get_logger(__name__)

_EVENTS_PER_STREAM = 1000
_TOTALS_EVERY_SECONDS = 1.0
_RECENT_RECORDS = 200


@dataclass(frozen=True)
class StreamEvent:
    """A server-sent event."""

    kind: str
    data: dict[str, Any]


class TooManyStreams(Exception):
    """All places for open pages are taken."""


class Stream:
    """One listener's bounded queue. When it is full the listener is told to read everything anew."""

    def __init__(self, batch: str | None) -> None:
        self._batch = batch
        self._events: queue.Queue[StreamEvent | None] = queue.Queue(_EVENTS_PER_STREAM)
        self._overrun = threading.Event()

    def offer(self, event: StreamEvent) -> None:
        """Adds an event unless it concerns another batch, or there is no room."""
        if self._batch and event.data.get("batch", self._batch) != self._batch:
            return
        try:
            self._events.put_nowait(event)
        except queue.Full:
            self._overrun.set()

    def end(self) -> None:
        """No more events."""
        with self._events.mutex:
            self._events.queue.clear()
        self._events.put_nowait(None)

    def take(self, timeout_seconds: float) -> StreamEvent | None:
        """The next event; `lost` after an overrun, `ping` when there is none in time, None at the end."""
        if self._overrun.is_set() and self._events.empty():
            self._overrun.clear()
            return StreamEvent("lost", {"detail": "too many events at once; read the current state again"})
        try:
            return self._events.get(timeout=timeout_seconds)
        except queue.Empty:
            return StreamEvent("ping", {})


class Hub:
    """Distributes outcomes, activity and replies."""

    def __init__(self, max_streams: int, totals: Callable[[], Counts]) -> None:
        self._max_streams, self._totals = max_streams, totals
        self._handlers: dict[str, Callable[[Delivery], None]] = {}
        self._notice: Callable[[Record], None] = lambda _: None
        self._streams: set[Stream] = set()
        self._recent: deque[Record] = deque(maxlen=_RECENT_RECORDS)
        self._waiting: dict[str, Future[tuple[Outcome, bytes | None]]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._last: Counts | None = None
        self._loop = Loop("totals", self._tell_totals, every_seconds=_TOTALS_EVERY_SECONDS, passing=StoreUnavailable)

    def also(self, kind: str, handler: Callable[[Delivery], None], notice: Callable[[Record], None]) -> None:
        """Messages of one more type, and activity records, for somebody else in this process; both must be quick."""
        self._handlers[kind], self._notice = handler, notice

    def start(self) -> None:
        """Begin to send the totals when they change."""
        self._loop.start()

    def close(self, timeout_seconds: float = 0) -> bool:
        """End every stream."""
        self._closing.set()
        with self._lock:
            for stream in self._streams:
                stream.end()
        return self._loop.close(timeout_seconds)

    @contextmanager
    def stream(self, batch: str | None) -> Iterator[Stream]:
        """A listener; raises TooManyStreams."""
        stream = Stream(batch)
        with self._lock:
            if len(self._streams) >= self._max_streams or self._closing.is_set():
                raise TooManyStreams
            self._streams.add(stream)
        try:
            yield stream
        finally:
            with self._lock:
                self._streams.discard(stream)

    @contextmanager
    def waiting_for(self, image: str) -> Iterator["Future[tuple[Outcome, bytes | None]]"]:
        """A future of an image's outcome, with its bytes when they came along."""
        future: Future[tuple[Outcome, bytes | None]] = Future()
        with self._lock:
            self._waiting[image] = future
        try:
            yield future
        finally:
            with self._lock:
                self._waiting.pop(image, None)

    def receive(self, delivery: Delivery) -> None:
        """A message of the process's own queue (in the connection's thread)."""
        try:
            self._receive(delivery)
        except ValueError as error:
            log.error("unreadable news dropped", type=delivery.properties.type, error=str(error))

    def _receive(self, delivery: Delivery) -> None:
        kind = delivery.properties.type
        if kind == "reply":
            self._answer(announced(str(delivery.headers.get("outcome", "")).encode()), delivery.body)
        elif kind == "outcome":
            outcome = announced(delivery.body)
            self._answer(outcome, None)
            self._offer(StreamEvent("outcome", outcome.model_dump(mode="json")))
        elif kind == EVENT:
            news = news_of(delivery)
            self._offer(StreamEvent("camera-event", {"change": news.change, "event": dict(news.event)}))
        elif kind in self._handlers:
            self._handlers[kind](delivery)
            return
        elif kind == "activity":
            for record in records_of(delivery.body):
                self._notice(record)
                self._remember(record)
                self._offer(StreamEvent("activity", record))
        self._changed.set()

    def _answer(self, outcome: Outcome, data: bytes | None) -> None:
        with self._lock:
            future = self._waiting.pop(outcome.id, None)
        if future is not None:
            future.set_result((outcome, data))

    def recent(self) -> list[Record]:
        """Activity that was heard since this process began, newest first; the last few."""
        with self._lock:
            return list(self._recent)[::-1]

    def _remember(self, record: Record) -> None:
        # How many frames cameras have sent comes all the time, and would push out everything else.
        if record.get("kind") != "camera-counts":
            with self._lock:
                self._recent.append(record)

    def _offer(self, event: StreamEvent) -> None:
        with self._lock:
            for stream in self._streams:
                stream.offer(event)

    def _tell_totals(self) -> None:
        if not self._changed.is_set():
            return
        self._changed.clear()
        if self._streams:
            counts = self._totals()
            if counts != self._last:
                self._offer(StreamEvent("totals", shape(None, counts)))
            self._last = counts


def shape(batch: str | None, counts: Counts) -> dict[str, Any]:
    """Counts as the API tells them."""
    named = {} if batch is None else {"id": batch}
    return named | {
        "offered": counts.offered,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "stored": counts.stored,
        "duplicates": counts.duplicates,
        "failed": counts.failed,
        "in_flight": counts.in_flight,
    }
