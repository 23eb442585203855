"""Tells the channels of alerts, and tries again. What is due is found in the book, so a restart forgets nothing.

Two alerters may do this at once: an attempt belongs to who creates its `begun` document. One that was cut off is
recorded as failed by whoever finds it, and the next attempt follows: a receiver may get an alert twice, but never not
at all.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from prometheus_client import Counter

from imagemill.alerter.channels import APPRISE, Channel, Channels
from imagemill.alerter.deliveries import DeliveryStatus, delivery_statuses
from imagemill.alerter.pictures import FAILED_WITH, MOST_ATTEMPTS_WITH, NONE_STORED, SET_SO, AlertImage, Pictures
from imagemill.alerter.post import SendResult, send
from imagemill.alerting.message import alert_url, message
from imagemill.alerting.records import sent_attempt
from imagemill.alerting.retries import Attempt, plan
from imagemill.alerting.webhook import alert_body
from imagemill.concurrency.heartbeat import beat
from imagemill.concurrency.loop import Loop
from imagemill.concurrency.retry import Stopped, until
from imagemill.domain.alerts import Alert, BegunAttempt
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)

SENDS = Counter("imagemill_alert_sends", "Attempts to tell a channel", ["channel", "result"])
# No message is tried for longer than the pauses of alerts.retries together, which is about five hours, or with
# receivers that ask for more time eight.
HORIZON_SECONDS = 12 * 3600.0
MOST_ALERTS = 2000
_SEARCH_SECONDS = 10.0
_TURN_SECONDS = 0.5
_THREADS = 8
_PAGE = 200


class NotificationSender:
    """A thread that looks for what is due, and a few that send."""

    def __init__(
        self, book: AlertStore, channels: Channels, pictures: Pictures, activity: Activity, by: str, page_url: str,
        timezone: str,
    ) -> None:  # fmt: skip
        self._book, self._channels, self._activity, self._by = book, channels, activity, by
        self._page_url, self._timezone, self._pictures = page_url, timezone, pictures
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="send")
        self._lock = threading.Lock()
        self._open: dict[int, Alert] = {}
        self._done: set[int] = set()
        self._due: dict[tuple[int, str], DeliveryStatus] = {}
        self._busy: set[tuple[int, str]] = set()
        self._stopping = threading.Event()
        self._searched_at = float("-inf")
        self._loop = Loop("sender", self._turn, every_seconds=_TURN_SECONDS, passing=StoreUnavailable)
        self.start = self._loop.start

    def close(self, timeout_seconds: float) -> bool:
        """End; what is being sent is finished and recorded."""
        self._stopping.set()
        ended = self._loop.close(timeout_seconds)
        self._pool.shutdown(wait=True, cancel_futures=True)
        return ended

    def nudge(self) -> None:
        """There is a new alert."""
        self._searched_at = float("-inf")
        self._loop.wake()

    # --- the thread that looks --------------------------------------------------------------------

    def _turn(self) -> None:
        if time.monotonic() - self._searched_at >= _SEARCH_SECONDS:
            self._searched_at = time.monotonic()
            self._search()
        now = time.time()
        for key, status in list(self._due.items()):
            if status.due_at is not None and status.due_at <= now and key not in self._busy:
                self._busy.add(key)
                self._pool.submit(self._work, status)

    def _search(self) -> None:
        """The alerts of the last hours whose messages are not all done with."""
        oldest, below = time.time() - HORIZON_SECONDS, None
        seen: set[int] = set()
        while len(seen) < MOST_ALERTS:
            page = self._book.newest(_PAGE, below)
            recent = [alert for alert in page.alerts if alert.at >= oldest]
            for alert in recent:
                beat()
                self._look_at(alert)
            seen.update(alert.number for alert in recent)
            below = page.next
            if below is None or len(recent) < len(page.alerts):
                break
        self._forget_all_but(seen)

    def _look_at(self, alert: Alert) -> None:
        number = alert.number
        if number in self._done:
            return
        found = delivery_statuses(alert, self._book.attempts(number)) if alert.channels else []
        with self._lock:
            self._open[number] = alert
            for status in found:
                self._keep(status)
            if all(status.due_at is None for status in found):
                self._done.add(number)
                self._open.pop(number, None)

    def _keep(self, status: DeliveryStatus) -> None:
        key = (status.number, status.channel)
        if status.due_at is None:
            self._due.pop(key, None)
        elif key not in self._busy:
            self._due[key] = status

    def _forget_all_but(self, numbers: set[int]) -> None:
        with self._lock:
            self._done &= numbers
            self._open = {number: alert for number, alert in self._open.items() if number in numbers}
            self._due = {key: status for key, status in self._due.items() if key[0] in numbers}

    # --- the threads that send --------------------------------------------------------------------

    def _work(self, status: DeliveryStatus) -> None:
        key = (status.number, status.channel)
        try:
            self._attempt(status)
        except (StoreUnavailable, Stopped) as error:
            log.warning("an attempt waits for CouchDB", number=status.number, error=str(error))
        except Exception as error:
            log.error("an attempt went wrong", number=status.number, channel=status.channel, error=type(error))
        finally:
            with self._lock:
                self._due.pop(key, None)
                self._busy.discard(key)
            self.nudge()

    def _attempt(self, status: DeliveryStatus) -> None:
        alert = self._open.get(status.number)
        if alert is None:
            return
        if status.interrupted:
            self._record(status, SendResult(False, "the alerter was stopped before the answer was known"))
            return
        begun = BegunAttempt(number=status.number, channel=status.channel, by=self._by, at=time.time())
        if self._book.begin(begun, status.next_attempt):
            self._record(status, self._send(status, alert))

    def _send(self, status: DeliveryStatus, alert: Alert) -> SendResult:
        channel = self._channels.get(status.channel)
        if channel is None:
            return SendResult(False, f"there is no channel {status.channel!r} in the channels file")
        text = message(alert.number, alert.raised_for, self._timezone, self._page_url)
        picture, why_none = self._picture(channel, status, alert.event)
        return send(channel, alert_body(alert, alert_url(self._page_url, alert.number)), text, picture, why_none)

    def _picture(self, channel: Channel, status: DeliveryStatus, event_id: str) -> tuple[AlertImage | None, str]:
        """What is attached, or why nothing is; a webhook's receiver fetches what it wants."""
        if channel.kind != APPRISE:
            return None, ""
        if not channel.pictures:
            return None, SET_SO
        if status.next_attempt > MOST_ATTEMPTS_WITH:
            return None, FAILED_WITH
        found = self._pictures.of(event_id)
        return found, "" if found else NONE_STORED

    def _record(self, status: DeliveryStatus, answer: SendResult) -> None:
        now = time.time()
        attempt = Attempt(now, answer.ok, answer.status, answer.retry_after_seconds)
        planned = plan([*status.attempts, attempt], now, random.random())  # noqa: S311 - jitter
        sent = sent_attempt(
            status.number, status.channel, attempt, planned, answer.text, self._channels.secrets(),
            attached=answer.attached,
        )  # fmt: skip
        # However long CouchDB takes; at the program's end the attempt counts as cut off.
        until(
            lambda: self._book.record(sent, status.next_attempt), self._stopping,
            on=StoreUnavailable, what="what was sent waits to be recorded",
        )  # fmt: skip
        SENDS.labels(status.channel, sent.result).inc()
        self._activity.note("told", None, number=str(status.number), channel=status.channel, result=sent.result)
        log.info("told" if answer.ok else "not told", number=status.number, channel=status.channel)
