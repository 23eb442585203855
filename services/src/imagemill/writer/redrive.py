"""Re-drive: jobs whose message was lost are published again from the ledger, by one program at a time."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

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
from imagemill.wire.broker import Broker, BrokerUnavailable, Unroutable
from imagemill.wire.work import ClaimCheck, work_message

log = structlog.get_logger(__name__)

REDRIVEN = Counter("imagemill_redriven", "Jobs published again from the ledger")
OLDEST = Gauge(
    "imagemill_oldest_in_flight_seconds", "Age of the oldest job which is in flight for too long; 0 if none is"
)
_MAX_JOBS_PER_ROUND = 1000
_LATECOMER_SECONDS = 120


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

    `waiting`: messages ready in its pool's queue, None when that is not known. `frontier`: the newest job of the pool
    which has its outcome. A long queue is no loss: queues are first in, first out, so a job is lost only when its
    queue is empty, or when jobs accepted much later have been done. Each re-drive doubles the patience.
    """
    patience = after_seconds * 2 ** min(rounds.times.get(job.id, 0), 6)
    if now - rounds.last.get(job.id, made_at(job.id)) < patience:
        return False
    overtaken = bool(frontier) and made_at(frontier) - made_at(job.id) > after_seconds
    return waiting == 0 or overtaken


class Redrive:
    """Searches the ledger for lost jobs while this program holds the lease; call `turn` again and again."""

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
        frontier: Callable[[str], str],
    ) -> None:
        self._watermark = Watermark(couch)
        self._ledger, self._claims, self._broker, self._activity, self._lease = ledger, claims, broker, activity, lease
        self._after, self._waiting, self._frontier = after_seconds, waiting, frontier
        self._rounds = Rounds()

    def turn(self) -> None:
        """Search once, if it is this program's turn. Raises StoreUnavailable or Conflict."""
        if not (self._lease.hold() and self._broker.ready):
            return
        now = time.time()
        overdue = self._overdue(now)
        OLDEST.set(now - made_at(overdue[0]) if overdue else 0)
        self._rounds.forget_all_but(overdue)
        lost = self._lost(self._ledger.jobs(overdue), now)
        for job in lost:
            beat()
            if not (self._lease.held and self._broker.ready):
                return
            self._publish(job, now)

    def _overdue(self, now: float) -> list[str]:
        end = floor_at(now - self._after)
        before = self._watermark.read()
        in_flight = self._ledger.in_flight_ids(before, end, _MAX_JOBS_PER_ROUND)
        # Not quite up to the end: a job may reach the ledger a while after its id was made.
        raised = min(in_flight[0] if in_flight else end, floor_at(now - self._after - _LATECOMER_SECONDS))
        if raised > before:
            self._watermark.raise_to(raised)
        return in_flight

    def _lost(self, jobs: Mapping[str, Job], now: float) -> list[Job]:
        waiting = {recipe: self._waiting(recipe) for recipe in {job.recipe for job in jobs.values()}}
        return [
            job
            for job in jobs.values()
            if is_lost(job, waiting[job.recipe], self._frontier(job.recipe), now, self._after, self._rounds)
        ]

    def _publish(self, job: Job, now: float) -> None:
        times = self._rounds.times.get(job.id, 0) + 1
        try:
            self._broker.publish(work_message(job, None, self._claims, redriven=times))
        except (BrokerUnavailable, Unroutable) as error:
            # One that no queue takes must not keep those behind it from being published.
            log.warning("not published again yet", image=job.id, recipe=job.recipe, error=str(error))
            return
        self._rounds.note(job.id, now)
        REDRIVEN.inc()
        self._activity.note("redriven", job.id, batch=job.batch, times=times)
        log.warning("published again", image=job.id, recipe=job.recipe, times=times)
