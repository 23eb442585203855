"""Deliveries of the alerter's queue, one after the other: what happened is judged in the order in which it happened."""

import queue
import threading

import structlog

from imagemill.alerter.channel_test import run_channel_test
from imagemill.alerter.channels import Channels
from imagemill.alerter.sender import NotificationSender
from imagemill.alerter.service import AlertService
from imagemill.concurrency.loop import Loop, each
from imagemill.concurrency.retry import Stopped, until
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.broker import Delivery
from imagemill.wire.channel_tests import parse_request
from imagemill.wire.events import news_of

log = structlog.get_logger(__name__)


class Intake:
    """A thread; `put` is bounded by the prefetch."""

    def __init__(
        self,
        service: AlertService,
        book: AlertStore,
        channels: Channels,
        sender: NotificationSender,
        stopping: threading.Event,
    ) -> None:
        self._service, self._book, self._channels, self._sender = service, book, channels, sender
        self._stopping = stopping
        self._inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._loop = Loop("intake", each(self._inbox, self._take), heals=False)
        self.start, self.close = self._loop.start, self._loop.close

    def put(self, delivery: Delivery) -> None:
        """Take a message in."""
        self._inbox.put(delivery)

    def _take(self, delivery: Delivery) -> None:
        if not delivery.channel_closed:
            self._until_handled(delivery)

    def _until_handled(self, delivery: Delivery) -> None:
        try:
            until(
                lambda: self._handle(delivery), self._stopping, on=StoreUnavailable, what="an event waits for CouchDB"
            )
        except Stopped:
            return  # unacknowledged: the broker keeps it
        except (ValueError, KeyError, TypeError) as error:
            log.error("not an event, dropped", type=delivery.properties.type, error=repr(error))
        delivery.ack()

    def _handle(self, delivery: Delivery) -> None:
        request = parse_request(delivery)
        if request is not None:
            run_channel_test(request, self._book, self._channels)
        elif self._service.consider(news_of(delivery)) is not None:
            self._sender.nudge()
