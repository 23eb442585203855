"""Tells that a camera is away, or back: an event like those of the analyzer, kept and then announced."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import structlog

from imagemill.camera.offline import Away, offline_event
from imagemill.domain.events import Change
from imagemill.store.events import EventStore
from imagemill.wire.broker import Broker, BrokerUnavailable, Unroutable
from imagemill.wire.events import EventNews, event_message

log = structlog.get_logger(__name__)
# Short: the round which tells must go on beating.
_PATIENCE_SECONDS = 1.0
_MOST_AT_ONCE = 20


class OfflineEventPublisher:
    """Keeps and announces events. A change that is told twice is the same event again."""

    def __init__(self, broker: Broker, events: EventStore) -> None:
        self._broker, self._events = broker, events

    def tell(self, changes: Mapping[str, Away], now: float) -> frozenset[str]:
        """What changed, by camera; those whose change is told now. May raise StoreUnavailable.

        When many go at once, as behind a switch that dies, the others are told in the rounds after.
        """
        if not self._broker.ready:
            return frozenset()
        sent = {camera: self._sent(changes[camera], now) for camera in sorted(changes)[:_MOST_AT_ONCE]}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        return frozenset(camera for camera, future in sent.items() if _is_confirmed(future, deadline))

    def _sent(self, away: Away, now: float) -> "Future[None]":
        event = offline_event(away, now)
        change: Change = "end" if away.end_reason else "new"
        self._events.write(event, {})
        try:
            return self._broker.submit(event_message(EventNews(change, event)))
        except BrokerUnavailable as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed


def _is_confirmed(future: "Future[None]", deadline: float) -> bool:
    try:
        future.result(timeout=max(0.0, deadline - time.monotonic()))
    except (BrokerUnavailable, Unroutable, FutureTimeout) as error:
        log.warning("a camera's event is told later", error=repr(error))
        return False
    return True
