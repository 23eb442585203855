"""Re-drive: jobs whose message was lost are published again from the ledger, by one program at a time."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import structlog
from prometheus_client import Counter, Gauge

from imagemill.concurrency.heartbeat import beat
from imagemill.domain.ids import floor_at, made_at
from imagemill.domain.images import Job
from imagemill.store.couch import Couch
from imagemill.store.leases import Lease
from imagemill.store.ledger import Ledger
from imagemill.store.watermark import Watermark
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, Unroutable
from imagemill.wire.work import ClaimCheck, work_message
from imagemill.writer.held import Held

log = structlog.get_logger(__name__)

REDRIVEN = Counter("imagemill_redriven", "Jobs published again from the ledger")
OLDEST = Gauge(
    "imagemill_oldest_in_flight_seconds", "Age of the oldest job which is in flight for too long; 0 if none is"
)
OVERDUE = Gauge("imagemill_overdue_jobs", "Jobs which are in flight for too long, counted one by one")
# A job's id may be as old as the key that its client sent, and the commit takes a while.
_LATECOMER_SECONDS = 400
_BEGINNING = floor_at(0)
_SWEEP_PAGES = 20
_SWEEP_EVERY_SECONDS = 86_400


@dataclass
class Rounds:
    """What re-drive remembers from round to round; a restart forgets it and loses nothing but some patience."""

    last: dict[str, float] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def note(self, job_id: str, now: float) -> None:
        """Count a re-drive of the job."""
        self.last[job_id] = now
        self.times[job_id] = self.times.get(job_id, 0) + 1

    def forget_all_but(self, in_flight: Iterable[str]) -> None:
        """Keep memory to what is in flight."""
        kept = set(in_flight)
        self.last = {job_id: at for job_id, at in self.last.items() if job_id in kept}
        self.times = {job_id: count for job_id, count in self.times.items() if job_id in kept}


def is_lost(job: Job, waiting: int | None, frontier: str, now: float, after_seconds: float, rounds: Rounds) -> bool:
    """Is a job which is in flight for longer than `after_seconds` lost to the broker?

    `waiting`: messages ready in its pool's queue, None when that is not known. `frontier`: the newest job of the pool,
    its priority and its owner which has its outcome. A long queue is no loss: queues are first in, first out, so a job
    is lost only when its queue is empty, or when jobs accepted much later have been done. Each re-drive doubles the
    patience.
    """
    patience = after_seconds * 2 ** min(rounds.times.get(job.id, 0), 6)
    if now - rounds.last.get(job.id, made_at(job.id)) < patience:
        return False
    overtaken = bool(frontier) and made_at(frontier) - made_at(job.id) > after_seconds
    return waiting == 0 or overtaken


class Redrive:
    """Searches the ledger for lost jobs while this program holds the lease; call `turn` again and again.

    A turn goes from the watermark on through everything that is in flight for too long. Beside that it reads a few
    pages of what lies before the watermark, the whole of it once a day: a job may come there whose clock was slow, or
    which one node of a cluster did not show when the watermark was raised.
    """

    def __init__(
        self,
        couch: Couch,
        ledger: Ledger,
        claims: ClaimCheck,
        broker: Broker,
        activity: Activity,
        lease: Lease,
        after_seconds: float,
        waiting: Callable[[str], int | None],
        frontier: Callable[[Job], str],
        queue_of: Callable[[str], str],
        held: Held,
    ) -> None:
        self._queue_of, self._held = queue_of, held
        self._watermark = Watermark(couch)
        self._ledger, self._claims, self._broker, self._activity, self._lease = ledger, claims, broker, activity, lease
        self._after, self._waiting, self._frontier = after_seconds, waiting, frontier
        self._rounds = Rounds()
        self._swept: str | None = _BEGINNING
        self._next_sweep_at = 0.0

    def turn(self) -> None:
        """Search once, if it is this program's turn. Raises StoreUnavailable or Conflict."""
        if not (self._lease.hold() and self._broker.ready):
            return
        now = time.time()
        end, before = floor_at(now - self._after), self._watermark.read()
        self._held.refresh()
        lengths: dict[str, int | None] = {}
        oldest, overdue = "", 0
        known: set[str] = set()
        for page in chain(self._sweep(before, now), self._pages(before, end)):
            oldest = min(oldest or page[0], page[0])
            overdue += len(page)
            self._republish_lost(page, lengths, now)
            known |= self._rounds.last.keys() & set(page)
            if not self._may_go_on():
                return
        OLDEST.set(now - made_at(oldest) if oldest else 0)
        OVERDUE.set(overdue)
        self._rounds.forget_all_but(known)
        # Not quite up to the end: a job may reach the ledger a while after its id was made.
        raised = min(oldest or end, floor_at(now - self._after - _LATECOMER_SECONDS))
        if raised > before:
            self._watermark.raise_to(raised)

    def _may_go_on(self) -> bool:
        beat()
        return self._lease.held and self._lease.hold() and self._broker.ready

    def _pages(self, start: str, end: str) -> Iterator[list[str]]:
        following: str | None = start
        while following is not None:
            page, following = self._ledger.in_flight_page(following, end)
            beat()
            if page:
                yield page

    def _sweep(self, before: str, now: float) -> Iterator[list[str]]:
        """The next few pages of what lies before the watermark."""
        if self._swept is None and now >= self._next_sweep_at:
            self._swept = _BEGINNING
        for _ in range(_SWEEP_PAGES):
            if self._swept is None:
                return
            page, following = self._ledger.in_flight_page(self._swept, before)
            beat()
            if page:
                log.warning("jobs were in flight before the watermark", count=len(page), first=page[0])
                yield page
            # Only now: of a page that could not be dealt with the sweep goes on with the same one.
            self._swept = following
            if following is None:
                self._next_sweep_at = now + _SWEEP_EVERY_SECONDS

    def _republish_lost(self, page: list[str], lengths: dict[str, int | None], now: float) -> None:
        """Publish again what is lost of a page; `lengths` are those of the queues as this turn found them."""
        lost = []
        for job in self._ledger.jobs(page).values():
            if job.recipe not in lengths:
                lengths[job.recipe] = self._waiting(job.recipe)
            if self._held.is_held(job):
                continue
            looks_lost = is_lost(job, lengths[job.recipe], self._frontier(job), now, self._after, self._rounds)
            if looks_lost and self._held.may_publish(job):
                lost.append(job)
        self._publish(lost, now)

    def _publish(self, jobs: list[Job], now: float) -> None:
        times = [self._rounds.times.get(job.id, 0) + 1 for job in jobs]
        messages = [
            work_message(job, None, self._claims, redriven=number) for job, number in zip(jobs, times, strict=True)
        ]
        errors = self._broker.publish_all(messages)
        for job, message, number, error in zip(jobs, messages, times, errors, strict=True):
            if isinstance(error, Unroutable):
                # Its recipe is not in the settings any more; it goes straight to the queue of its pool.
                straight = replace(message, key=self._queue_of(job.recipe))
                (error,) = self._broker.publish_all([straight])
            if error is not None:
                # One that no queue takes must not keep those behind it from being published.
                log.warning("not published again yet", image=job.id, recipe=job.recipe, error=str(error))
                continue
            self._rounds.note(job.id, now)
            REDRIVEN.inc()
            self._activity.note("redriven", job.id, batch=job.batch, times=number)
            log.warning("published again", image=job.id, recipe=job.recipe, times=number)
