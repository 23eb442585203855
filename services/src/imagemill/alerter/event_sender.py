"""Sends deliveries that are due. Each receiver has a turn and requests of its own, so that none waits for another.

What is sent is recorded afterwards: an alerter that dies in between sends the same event, with the same id, again.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from prometheus_client import Counter, Gauge

from imagemill.alerter.channels import Channels
from imagemill.alerter.post import SendResult, send_event
from imagemill.alerting.channels import hide
from imagemill.alerting.outbox import ReceiverHealth, attempted, expired
from imagemill.alerting.records import MOST_ANSWER_CHARACTERS
from imagemill.concurrency.retry import Stopped, until
from imagemill.domain.deliveries import DeliveryAttempt, EventDelivery
from imagemill.store.couch import StoreUnavailable
from imagemill.store.deliveries import DeliveryStore, StoredDelivery

log = structlog.get_logger(__name__)

DELIVERIES = Counter("imagemill_webhook_attempts", "Attempts to tell a receiver of an outcome", ["receiver", "result"])
OPEN = Gauge("imagemill_webhook_deliveries", "Deliveries of outcomes that are not delivered", ["receiver", "state"])
# More receivers than this take turns; more requests to one of them at a time would be a burden to it.
_MOST_RECEIVERS_AT_ONCE = 64
_REQUESTS_AT_ONCE = 4
_ROUND = 32
_REMEMBERED = 8 * _ROUND
_SEARCH_SECONDS = 5.0
_MEASURE_SECONDS = 15.0


class EventSender:
    """Threads that send. `turn` is called again and again; it never waits for a receiver."""

    def __init__(self, deliveries: DeliveryStore, channels: Channels, may_send: Callable[[], bool]) -> None:
        self._deliveries, self._channels, self._may_send = deliveries, channels, may_send
        self._pool = ThreadPoolExecutor(_MOST_RECEIVERS_AT_ONCE, thread_name_prefix="receiver")
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._health: dict[str, ReceiverHealth] = {}
        self._stopping = threading.Event()
        self._searched_at = self._measured_at = float("-inf")

    def close(self) -> None:
        """Begin nothing more, and wait for what is being sent and for its record."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def forget(self) -> None:
        """Another alerter sends now, and measures."""
        OPEN.clear()

    def turn(self, is_new: bool) -> None:
        """See who has something waiting, and serve those that nobody serves yet. Raises StoreUnavailable."""
        if self._stopping.is_set() or (not is_new and time.monotonic() - self._searched_at < _SEARCH_SECONDS):
            return
        self._searched_at = time.monotonic()
        waiting = self._deliveries.waiting()
        self._measure(waiting)
        now = time.time()
        for receiver in waiting:
            with self._lock:
                if receiver in self._busy or self._health.get(receiver, ReceiverHealth()).rests_until > now:
                    continue
                self._busy.add(receiver)
            try:
                self._pool.submit(self._serve, receiver)
            except RuntimeError:
                return  # it was closed at this moment

    def _measure(self, waiting: dict[str, int]) -> None:
        if time.monotonic() - self._measured_at < _MEASURE_SECONDS:
            return
        self._measured_at, failed = time.monotonic(), self._deliveries.failed()
        OPEN.clear()
        for receiver in {*waiting, *failed, *self._channels.receivers()}:
            OPEN.labels(receiver, "waiting").set(waiting.get(receiver, 0))
            OPEN.labels(receiver, "failed").set(failed.get(receiver, 0))

    # --- one receiver -----------------------------------------------------------------------------

    def _serve(self, receiver: str) -> None:
        """Rounds, while something is due and taken."""
        try:
            with ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix=f"to {receiver}") as requests:
                recorded: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)
                while self._may_go_on() and self._round(receiver, requests, recorded):
                    pass
        except (StoreUnavailable, Stopped) as error:
            log.warning("deliveries wait for CouchDB", receiver=receiver, error=str(error))
        except Exception as error:
            log.error("deliveries went wrong", receiver=receiver, error=type(error).__name__)
        finally:
            with self._lock:
                self._busy.discard(receiver)

    def _may_go_on(self) -> bool:
        return not self._stopping.is_set() and self._may_send()

    def _round(self, receiver: str, requests: ThreadPoolExecutor, recorded: deque[tuple[str, str]]) -> bool:
        """Send what is due, and record it; False when there is nothing to go on with for now.

        What was `recorded` already is due no more: a node of a cluster may show it as it was a moment ago.
        """
        health, now = self._health.get(receiver, ReceiverHealth()), time.time()
        due = [
            one for one in self._deliveries.due(receiver, now, _ROUND)
            if (one.delivery.id, one.revision) not in recorded
        ]  # fmt: skip
        # What waited because nobody sent is tried first: only of a receiver that takes nothing it is given up.
        old = [(one, expired(one.delivery, now)) for one in due] if health.is_suspected else []
        over = [StoredDelivery(gone, one.revision) for one, gone in old if gone]
        fresh = [one for one, gone in old if not gone] if health.is_suspected else due
        sent = list(requests.map(self._send, fresh[:1] if health.is_suspected else fresh))
        self._record(over, "expired")
        self._record(sent)
        recorded.extend((one.delivery.id, one.revision) for one in (*over, *sent))
        if sent:
            attempts = [one.delivery.attempts[-1] for one in sent]
            health = health.after(attempts, time.time(), random.random())  # noqa: S311 - jitter
            self._health[receiver] = health
        return bool(due) and not (sent and health.is_suspected)

    def _send(self, stored: StoredDelivery) -> StoredDelivery:
        delivery = stored.delivery
        channel = self._channels.get(delivery.receiver)
        if channel is None:
            result = SendResult(False, f"there is no channel {delivery.receiver!r} in the channels file")
        else:
            result = send_event(channel, delivery.event)
        answer = hide(result.text, self._channels.secrets())[:MOST_ANSWER_CHARACTERS]
        attempt = DeliveryAttempt(
            at=time.time(), ok=result.ok, status=result.status, retry_after_seconds=result.retry_after_seconds,
            answer=answer,
        )  # fmt: skip
        return StoredDelivery(attempted(delivery, attempt, random.random()), stored.revision)  # noqa: S311 - jitter

    def _record(self, changed: Sequence[StoredDelivery], how: str = "") -> None:
        """However long CouchDB takes; at the program's end it counts as not sent, and is sent again."""
        if not changed:
            return
        until(
            lambda: self._deliveries.change(changed), self._stopping, on=StoreUnavailable,
            what="what was sent waits to be recorded",
        )  # fmt: skip
        for delivery in (one.delivery for one in changed):
            _tell(delivery, how or _result(delivery))


def _result(delivery: EventDelivery) -> str:
    return {"waiting": "failed", "delivered": "delivered", "failed": "given_up"}[delivery.state]


def _tell(delivery: EventDelivery, result: str) -> None:
    DELIVERIES.labels(delivery.receiver, result).inc()
    if result in ("given_up", "expired"):
        log.error("a receiver was not told", delivery=delivery.id, reason=delivery.reason)
