"""Live news inside one API process: from its queue to open pages and to requests that wait."""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import structlog

from imagemill.api.live.at_work import AtWork
from imagemill.api.live.broadcaster import Broadcaster
from imagemill.api.live.counters import Counters
from imagemill.api.live.event_body import EventBody
from imagemill.api.live.listeners import Places, TooManyStreams
from imagemill.api.live.ring import Ring, sse
from imagemill.api.live.tally import heard_job, heard_outcome, is_unclear
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

_TOTALS_EVERY_SECONDS = 0.25
_RECENT_RECORDS = 200


class Hub:
    """Distributes outcomes, activity and replies."""

    def __init__(self, places: Places, counters: Counters, max_waiting: int) -> None:
        self._places, self._counters, self._max_waiting = places, counters, max_waiting
        self._ring = Ring()
        self._broadcaster = Broadcaster(self._ring)
        self._handlers: dict[str, Callable[[Delivery], None]] = {}
        self._notices: list[Callable[[Record], None]] = []
        self._doubts: list[Callable[[], None]] = [counters.doubt]
        self._first: Callable[[], bytes] = lambda: b""
        self._ended: Callable[[Outcome], None] = lambda _: None
        self._recent: deque[Record] = deque(maxlen=_RECENT_RECORDS)
        self._waiting: dict[str, Future[tuple[Outcome, bytes | None]]] = {}
        self._at_work = AtWork()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._told: Counts | None = None
        self._loop = Loop("totals", self._tell_totals, every_seconds=_TOTALS_EVERY_SECONDS, passing=StoreUnavailable)

    def also(self, kind: str, handler: Callable[[Delivery], None]) -> None:
        """Messages of one more type for somebody else in this process, who must be quick."""
        self._handlers[kind] = handler

    def notify(self, notice: Callable[[Record], None], doubt: Callable[[], None] = lambda: None) -> None:
        """Activity records for somebody else in this process, and that some were not heard; both must be quick."""
        self._notices.append(notice)
        self._doubts.append(doubt)

    def begin_with(self, first: Callable[[], bytes]) -> None:
        """What every stream begins with, besides the totals."""
        self._first = first

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell every open page."""
        self._ring.add(kind, data)

    def has_listeners(self) -> bool:
        """Is any page open?"""
        return len(self._places) > 0

    def follow(self, ended: Callable[[Outcome], None]) -> None:
        """Tell somebody else in this process of every outcome; they must be quick."""
        self._ended = ended

    def start(self) -> None:
        """Begin to serve pages, and to send them the totals when those change."""
        self._counters.start()
        self._broadcaster.start()
        self._loop.start()

    def connected(self) -> None:
        """The process's own queue is there, anew: what happened before was not heard."""
        for doubt in self._doubts:
            doubt()

    def close(self, timeout_seconds: float = 0) -> bool:
        """End every stream."""
        self._closing.set()
        ended = self._broadcaster.close(timeout_seconds)
        return self._loop.close(timeout_seconds) and ended

    def stream(
        self, batch: str | None, address: str, last_event_id: str | None, allowed: Callable[[], bool]
    ) -> EventBody:
        """The body of a stream for somebody at that address; raises TooManyStreams.

        It begins with the totals, goes on after `last_event_id` (with `lost` if that is not known any more), and ends
        within two seconds when `allowed`, which must answer from memory, says that its reader may not read any more.
        """
        if self._closing.is_set():
            raise TooManyStreams
        place = self._ring.place_of(last_event_id)
        missed = self._ring.lost() if place is None else b""
        listener = self._places.take(address, self._ring.head if place is None else place, batch, allowed)
        return EventBody(
            self._ring, self._broadcaster, listener, _retry() + self._totals_now() + self._first() + missed
        )

    def _totals_now(self) -> bytes:
        try:
            return sse("totals", shape(None, self._counters.now()))
        except StoreUnavailable:
            return b""  # they come when they change

    @contextmanager
    def waiting_for(self, image: str) -> Iterator["Future[tuple[Outcome, bytes | None]] | None"]:
        """A future of an image's outcome, with its bytes when they came along; None when too many wait already.

        Whoever waits keeps a thread: some must be left for the others.
        """
        future: Future[tuple[Outcome, bytes | None]] = Future()
        with self._lock:
            is_room = len(self._waiting) < self._max_waiting
            if is_room:
                self._waiting[image] = future
        try:
            yield future if is_room else None
        finally:
            with self._lock:
                if self._waiting.get(image) is future:
                    del self._waiting[image]

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
            self._ended(outcome)
            self._counters.hear(heard_outcome(outcome))
            self._answer(outcome, None)
            self._ring.add("outcome", outcome.model_dump(mode="json"))
        elif kind == EVENT:
            news = news_of(delivery)
            self._ring.add("camera-event", {"change": news.change, "event": news.event.for_everybody()})
        elif kind in self._handlers:
            self._handlers[kind](delivery)
            return
        elif kind == "activity":
            for record in records_of(delivery.body):
                for notice in self._notices:
                    notice(record)
                self._count(record)
                self._remember(record)
                self._ring.add("activity", record)

    def _count(self, record: Record) -> None:
        if (job := heard_job(record)) is not None:
            self._counters.hear(job)
        elif is_unclear(record):
            self._counters.doubt()

    def _answer(self, outcome: Outcome, data: bytes | None) -> None:
        with self._lock:
            future = self._waiting.pop(outcome.id, None)
        if future is not None:
            future.set_result((outcome, data))

    def workers(self, pool_of: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
        """Who works on what now, by pool, as far as this process has heard."""
        with self._lock:
            return self._at_work.told(pool_of)

    def recent(self) -> list[Record]:
        """Activity that was heard since this process began, newest first; the last few."""
        with self._lock:
            return list(self._recent)[::-1]

    def _remember(self, record: Record) -> None:
        # How many frames cameras have sent comes all the time, and would push out everything else.
        if record.get("kind") != "camera-counts":
            with self._lock:
                self._recent.append(record)
                self._at_work.hear(record)

    def _tell_totals(self) -> None:
        listeners = len(self._places)
        self._counters.reconcile(watched=bool(listeners))
        counts = self._counters.known() if listeners else None
        if counts is not None and counts != self._told:
            self._ring.add("totals", shape(None, counts))
        self._told = counts


def _retry() -> bytes:
    # Not all at the same moment, when all have lost their connection at the same moment.
    return f"retry: {random.randint(2000, 6000)}\n\n".encode()  # noqa: S311 (no secret)


def shape(batch: str | None, counts: Counts) -> dict[str, Any]:
    """Counts as the API tells them."""
    named = {} if batch is None else {"id": batch}
    return named | {
        "offered": counts.offered,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "stored": counts.stored,
        "duplicates": counts.duplicates,
        "damaged": counts.damaged,
        "failed": counts.failed,
        "failed_open": counts.failed_open,
        "in_flight": counts.in_flight,
        "erased": counts.erased,
    }
