"""The worker's threads: deliveries come in, results go out, and only a confirmed result settles its delivery."""

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

import structlog

from imagemill.concurrency.loop import Loop, close_all, each
from imagemill.concurrency.retry import Stopped, pause_seconds
from imagemill.domain.ids import uuid7
from imagemill.process.stores import Stores
from imagemill.store.attempts import Attempts
from imagemill.store.couch import StoreUnavailable
from imagemill.store.purges import PurgeWatch
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, BrokerUnavailable, Delivery, Unroutable
from imagemill.wire.work import ClaimCheck, WorkItem, reply_message, result_message
from imagemill.worker.holding import hold, original_of
from imagemill.worker.isolation import Crashed, NotStarted
from imagemill.worker.recipe_runner import BUSY, Finished, RecipeRunner, read_item

log = structlog.get_logger(__name__)

# Pauses before somebody else tries what failed here for an unknown reason: from about a second on.
_UNFORESEEN_FIRST_PAUSE = 3
# Storing a large result takes about as long as making it.
_STORES_PER_THREAD = 2
_PASSING = (StoreUnavailable, BrokerUnavailable, Unroutable)


class ConsumerThreads:
    """A bounded inbox (the prefetch bounds it) and threads which empty it.

    A picture fails for its workers' sake only by our own count of attempts that ended their process: `crash_limit`.
    """

    def __init__(
        self,
        runner: RecipeRunner,
        claims: ClaimCheck,
        stores: Stores,
        broker: Broker,
        activity: Activity,
        threads: int,
        crash_limit: int,
        purges: PurgeWatch,
    ) -> None:
        self._runner, self._claims, self._broker, self._activity = runner, claims, broker, activity
        self._ledger, self._attempts, self._crash_limit = stores.ledger, Attempts(stores.couch), crash_limit
        self._purges = purges
        self._inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._started: dict[int, float] = {}
        self._outbox: queue.SimpleQueue[tuple[Delivery, Finished]] = queue.SimpleQueue()
        self._loops = [Loop(f"work-{n}", each(self._inbox, self._take)) for n in range(threads)]
        storing = each(self._outbox, lambda result: self._hand_over(*result, attempt=1))
        self._storing = [Loop(f"store-{n}", storing) for n in range(_STORES_PER_THREAD * threads)]
        self._unsettled = 0
        self._settled = threading.Condition()

    def start(self) -> None:
        """Begin to work."""
        for loop in (*self._loops, *self._storing):
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
        return close_all(self._storing, max(0.0, deadline - time.monotonic())) and ended and all_settled

    # --- in the work threads ----------------------------------------------------------------------

    def _take(self, delivery: Delivery) -> None:
        if self._stopping.is_set():
            delivery.requeue()
        elif not delivery.channel_closed:
            item = read_item(delivery)
            if item is None:
                delivery.ack()
            else:
                self._work(delivery, item)

    def _work(self, delivery: Delivery, item: WorkItem) -> None:
        try:
            finished = None if self._has_outcome(delivery, item) else self._finished(delivery, item)
        except Stopped as left:
            log.info("requeued", image=item.job.id, left=str(left))
            delivery.requeue()
        except NotStarted as error:
            # The machine's fault, not the picture's: no attempt at it was made.
            log.error("requeued", image=item.job.id, error=str(error))
            self._stopping.wait(pause_seconds(_UNFORESEEN_FIRST_PAUSE))
            delivery.requeue()
        except Exception as error:
            log.exception("work failed for an unforeseen reason", image=item.job.id)
            self._after_unforeseen(delivery, item, error)
        else:
            if finished is None:
                delivery.ack()
            else:
                self._reply(finished)
                self._settle(delivery, finished)

    def _has_outcome(self, delivery: Delivery, item: WorkItem) -> bool:
        # What was published again may have been done by its first message.
        return item.redriven > 0 and bool(hold(delivery, self._stopping, lambda: self._ledger.outcomes([item.job.id])))

    def _finished(self, delivery: Delivery, item: WorkItem) -> Finished:
        taken, recipe = self._runner.taken(item), item.job.recipe
        facts = {"attempt": item.attempt, "batch": item.job.batch, "recipe": recipe}
        self._activity.note("taken", item.job.id, name=item.job.name, **facts)
        try:
            original = original_of(delivery, self._stopping, self._claims)
        except LookupError as error:
            finished = self._runner.failed(item, taken, "original-missing", str(error))
        else:
            with self._busy(item):
                finished = self._runner.work_on(item, original, taken, partial(self._begin, delivery, item))
        self._activity.note("done", item.job.id, **facts)
        return finished

    @contextmanager
    def _busy(self, item: WorkItem) -> Iterator[None]:
        if not self._runner.has_time_limit(item):
            self._started[threading.get_ident()] = time.monotonic()
        BUSY.inc()
        try:
            yield
        finally:
            BUSY.dec()
            self._started.pop(threading.get_ident(), None)

    def _begin(self, delivery: Delivery, item: WorkItem) -> None:
        before = self._count_attempt(delivery, item)
        if before >= self._crash_limit:
            raise Crashed(f"{before} attempts at the picture ended with the end of their worker; see the workers' logs")

    def _count_attempt(self, delivery: Delivery, item: WorkItem) -> int:
        attempt_id = uuid7()
        return hold(delivery, self._stopping, lambda: self._attempts.begin(item.job.id, attempt_id))

    def _after_unforeseen(self, delivery: Delivery, item: WorkItem, error: Exception) -> None:
        try:
            before = self._count_attempt(delivery, item)
        except Stopped:
            delivery.requeue()
            return
        if before >= self._crash_limit:
            reason = f"{before} attempts at the picture failed, the last one with {error!r}; see the workers' logs"
            self._settle(delivery, self._runner.failed(item, self._runner.taken(item), "crashed", reason))
        else:
            self._stopping.wait(pause_seconds(before + _UNFORESEEN_FIRST_PAUSE))
            delivery.requeue()

    def _reply(self, finished: Finished) -> None:
        if finished.item.reply_to and self._broker.ready:
            reply = reply_message(finished.item.reply_to, finished.outcome, finished.data)
            if reply is not None:
                with contextlib.suppress(BrokerUnavailable):  # whoever waits is answered when the outcome is announced
                    self._broker.submit(reply)

    # --- handing over: the thread goes on with the next picture while this one is stored and confirmed ---

    def _settle(self, delivery: Delivery, finished: Finished) -> None:
        with self._settled:
            self._unsettled += 1
        if self._claims.is_inline(finished.data):
            self._hand_over(delivery, finished, attempt=1)
        else:
            self._outbox.put((delivery, finished))

    def _hand_over(self, delivery: Delivery, finished: Finished, attempt: int) -> None:
        stored_at = self._purges.now()
        try:
            message = result_message(
                finished.item.job, finished.outcome, finished.data, self._claims, finished.previews
            )
            if finished.outcome.result and not self._claims.is_inline(finished.data):
                # Until the outcome is in the ledger the eraser waits for the job, but does not know of these bytes.
                # For what the writer stores, it asks itself.
                self._purges.check([finished.outcome.result.sha256], stored_at)
            future = self._broker.submit(message)
        except _PASSING as error:
            self._retry(delivery, finished, attempt, error)
        except Exception as error:
            log.exception("result not handed over for an unforeseen reason", image=finished.item.job.id)
            self._after_unforeseen(delivery, finished.item, error)
            self._count_settled()
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
        log.warning("result not handed over yet", image=finished.item.job.id, error=str(error))
        if delivery.channel_closed or self._stopping.is_set():
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
