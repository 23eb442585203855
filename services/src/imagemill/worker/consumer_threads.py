"""The worker's threads: deliveries come in, results go out, and only a confirmed result settles its delivery."""

import queue
import threading
import time
from concurrent.futures import Future
from functools import partial

import structlog

from imagemill.concurrency.loop import Loop, close_all, each
from imagemill.concurrency.retry import pause_seconds
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, Delivery, Unroutable
from imagemill.wire.work import ClaimCheck, reply_message, result_message
from imagemill.worker.recipe_runner import BUSY, Finished, RecipeRunner, read_item

log = structlog.get_logger(__name__)

# About a quarter of an hour; after that somebody else shall try.
_PUBLISH_ATTEMPTS = 100


class ConsumerThreads:
    """A bounded inbox (the prefetch bounds it) and threads which empty it."""

    def __init__(
        self, runner: RecipeRunner, claims: ClaimCheck, broker: Broker, activity: Activity, threads: int
    ) -> None:
        self._runner, self._claims, self._broker, self._activity = runner, claims, broker, activity
        self._inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._started: dict[int, float] = {}
        self._loops = [Loop(f"work-{n}", each(self._inbox, self._take)) for n in range(threads)]
        self._unsettled = 0
        self._settled = threading.Condition()

    def start(self) -> None:
        """Begin to work."""
        for loop in self._loops:
            loop.start()

    def put(self, delivery: Delivery) -> None:
        """Take a delivery in (in the connection's thread)."""
        self._inbox.put(delivery)

    @property
    def longest_work_seconds(self) -> float:
        """How long the oldest work takes already that only the end of this process could end."""
        return time.monotonic() - min(self._started.values(), default=time.monotonic())

    def close(self, timeout_seconds: float) -> bool:
        """Requeue what was not started, wait for what was; False when that takes too long."""
        self._stopping.set()
        while True:
            try:
                self._inbox.get_nowait().requeue()
            except queue.Empty:
                break
        deadline = time.monotonic() + timeout_seconds
        ended = close_all(self._loops, timeout_seconds)
        with self._settled:
            remaining = max(0.0, deadline - time.monotonic())
            all_settled = self._settled.wait_for(lambda: self._unsettled == 0, remaining)
        return ended and all_settled

    # --- in the work threads ----------------------------------------------------------------------

    def _take(self, delivery: Delivery) -> None:
        if self._stopping.is_set():
            delivery.requeue()
        elif not delivery.channel_closed:
            self._work(delivery)

    def _work(self, delivery: Delivery) -> None:
        if not delivery.failed_deliveries:  # else it is worked on in a child process, which has a time limit itself
            self._started[threading.get_ident()] = time.monotonic()
        BUSY.inc()
        try:
            self._finish(delivery)
        except StoreUnavailable as error:
            log.warning("original not fetched, requeued", error=str(error))
            self._stopping.wait(pause_seconds(3))
            delivery.requeue()
        except Exception:
            # Counted by the broker: the delivery limit ends what fails for ever.
            log.exception("work failed, requeued", message_id=delivery.properties.message_id)
            delivery.requeue()
        finally:
            BUSY.dec()
            self._started.pop(threading.get_ident(), None)

    def _finish(self, delivery: Delivery) -> None:
        item = read_item(delivery)
        if item is None:
            delivery.ack()
            return
        self._activity.note("taken", item.job.id, attempt=item.attempt, batch=item.job.batch)
        finished = self._runner.work_on(delivery, item)
        self._activity.note("done", item.job.id, attempt=item.attempt, batch=item.job.batch)
        self._reply(finished)
        with self._settled:
            self._unsettled += 1
        self._hand_over(delivery, finished, attempt=1)

    def _reply(self, finished: Finished) -> None:
        if finished.item.reply_to and self._broker.ready:
            reply = reply_message(finished.item.reply_to, finished.outcome, finished.data)
            if reply is not None:
                self._broker.submit(reply)

    # --- handing over: the thread goes on with the next picture while the broker confirms this one ---

    def _hand_over(self, delivery: Delivery, finished: Finished, attempt: int) -> None:
        try:
            message = result_message(finished.item.job, finished.outcome, finished.data, self._claims)
            future = self._broker.submit(message)
        except Exception as error:
            self._retry(delivery, finished, attempt, error)
        else:
            future.add_done_callback(partial(self._on_confirm, delivery, finished, attempt))

    def _on_confirm(self, delivery: Delivery, finished: Finished, attempt: int, future: "Future[None]") -> None:
        error = future.exception()
        if error is None:
            delivery.ack()
            self._count_settled()
        else:
            self._retry(delivery, finished, attempt, error)

    def _retry(self, delivery: Delivery, finished: Finished, attempt: int, error: BaseException) -> None:
        if (
            delivery.channel_closed
            or self._stopping.is_set()
            or attempt >= _PUBLISH_ATTEMPTS
            or isinstance(error, Unroutable)
        ):
            log.warning("result not handed over, picture requeued", image=finished.item.job.id, error=str(error))
            delivery.requeue()
            self._count_settled()
            return
        timer = threading.Timer(pause_seconds(attempt), self._hand_over, (delivery, finished, attempt + 1))
        timer.daemon = True
        timer.start()

    def _count_settled(self) -> None:
        with self._settled:
            self._unsettled -= 1
            self._settled.notify_all()
