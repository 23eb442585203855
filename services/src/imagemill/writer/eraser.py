"""The bytes of erased pictures go, once nobody needs them: a duty of one program at a time.

A turn takes a round one step further, and never waits itself. Everything it knows is in the documents of the round, so
another program can go on with it; that one begins to wait anew, since it did not see when the round was announced.
"""

import time
from collections.abc import Callable, Iterable, Sequence

import structlog
from prometheus_client import Counter, Gauge

from imagemill.concurrency.heartbeat import beat
from imagemill.domain.ids import floor_at, made_at, uuid7
from imagemill.domain.images import Image
from imagemill.domain.purging import PurgePlan, PurgeRound, PurgeTimes
from imagemill.store.blobs import Blobs
from imagemill.store.couch import Couch
from imagemill.store.erasures import Erasures
from imagemill.store.leases import Lease
from imagemill.store.ledger import Ledger
from imagemill.store.purges import Purges
from imagemill.store.watermark import Watermark
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)

PURGED = Counter("imagemill_purged_blobs", "Originals and results whose bytes were removed, because they were erased")
WAITING = Gauge("imagemill_purge_waiting_seconds", "How long bytes of erased pictures wait already for their next step")
_AT_ONCE = 2_000
# So many waits long jobs in flight, and nodes that are away, are waited for.
_PATIENCE = 3
_AT_END = "\ufff0"


def plan_of(images: Iterable[Image]) -> PurgePlan:
    """Which bytes the pictures let go."""
    erasures, previews, names = [], [], set[str]()
    for image in images:
        erasures.append(image.job.id)
        original, result = image.job.original.sha256, image.outcome.result if image.outcome else None
        names.add(original)
        if result:
            names.add(result.sha256)
            previews.append((result.sha256, original))
    return PurgePlan(erasures=erasures, names=sorted(names), previews=previews)


class Eraser:
    """Call `turn` again and again. `is_whole`: do all nodes of CouchDB see each other, and blobs stay in place?"""

    def __init__(
        self, couch: Couch, ledger: Ledger, blobs: Blobs, lease: Lease, activity: Activity, times: PurgeTimes,
        is_whole: Callable[[], bool], clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._ledger, self._blobs, self._lease, self._activity = ledger, blobs, lease, activity
        self._erasures, self._purges, self._watermark = Erasures(couch), Purges(couch), Watermark(couch)
        self._times, self._is_whole, self._clock = times, is_whole, clock
        self._step, self._step_seen, self._step_began = "", 0.0, 0.0
        self._newest, self._not_before = "", float("-inf")
        self._waits_since: float | None = None
        self._has_index = False

    def turn(self) -> None:
        """Take a step, if it is time. Raises StoreUnavailable or Conflict."""
        step, self._step = self._step, ""
        going = self._purges.current()
        self._step = step
        ids = [] if going else self._erasures.due(time.time(), _AT_ONCE)
        if not (going or ids):
            self._rest()
            self._make_index()
        elif not self._lease.hold():
            self._step = ""
            self._rest()
        else:
            self._note_waiting()
            self._go_on(going) if going else self._begin(ids)

    def _go_on(self, going: PurgeRound) -> None:
        if self._has_waited(going):
            self._end(going) if going.are_gone else self._purge(going)
        elif not (going.is_removing or going.are_gone) and self._is_overdue():
            self._give_way(going)

    def _begin(self, ids: Sequence[str]) -> None:
        # What is announced nobody can store: not before all are there, and the round will end.
        if self._clock() >= self._not_before and self._is_whole():
            # It may take long, and what is announced nobody can store meanwhile.
            self._erasures.refresh_index()
            self._announce(ids)

    def _make_index(self) -> None:
        """Build the index as soon as anything is erased, and not only when its bytes are due."""
        if self._has_index or not (self._erasures.are_any() and self._lease.hold()):
            return
        self._erasures.refresh_index()
        self._purges.note_index()
        self._has_index = True

    def _rest(self) -> None:
        self._waits_since = None
        WAITING.set(0)

    def _note_waiting(self) -> None:
        if self._waits_since is None:
            self._waits_since = self._clock()
        WAITING.set(self._clock() - self._waits_since)

    def _announce(self, ids: Sequence[str]) -> None:
        self._step = ""
        if pinned := self._erasures.pins(ids):
            self._erasures.drop(pinned)
        taken = [erasure.id for erasure in self._erasures.advance(set(ids) - pinned.keys(), "purging")]
        if taken:
            plan = plan_of(self._ledger.images(taken))
            self._purges.announce(PurgeRound(id=uuid7(), announced_at=time.time()), plan)
            log.info("bytes of erased pictures are about to go", pictures=len(taken), blobs=len(plan.names))

    def _has_waited(self, going: PurgeRound) -> bool:
        """Did this program see the step for as long as programs may not know of it, with all nodes there meanwhile?"""
        before, self._step = self._step, ""  # who does not answer makes the wait begin anew, as who is away does
        is_whole, step, now = self._is_whole(), f"{going.id} {going.are_gone}", self._clock()
        if step != before:
            self._step_seen = now
        if step != before or not is_whole:
            self._step_began, self._newest = now, ""
        self._step = step
        return now - self._step_began > self._times.settle

    def _is_overdue(self) -> bool:
        return self._clock() - self._step_seen > _PATIENCE * self._times.settle

    def _purge(self, going: PurgeRound) -> None:
        plan = self._purges.plan(going.id)
        if plan is None:
            return
        # Once some of the bytes are gone nobody new can refer to the others: all know of them.
        if not going.is_removing:
            if self._is_somebody_at_work():
                if self._is_overdue():
                    self._give_way(going)
                return
            self._purges.note_removing(going)
        gone: set[str] = set()
        for names in self._erasures.unneeded(plan.names):
            if not self._may_go_on():
                return
            if names:
                self._erasures.forget_results(names)
            for name in names:
                if not self._may_go_on():
                    return
                self._blobs.remove(name)
                gone.add(name)
        for result, original in plan.previews:
            if original in gone and result not in gone and self._may_go_on():
                self._blobs.forget_preview(result, original)
        if not self._may_go_on():
            return
        self._purges.note_gone(going)
        self._waits_since = None
        PURGED.inc(len(gone))
        log.info("bytes of erased pictures are gone", blobs=len(gone), needed=len(plan.names) - len(gone))

    def _is_somebody_at_work(self) -> bool:
        """Is a job in flight that may have a result of which the ledger does not know yet?

        Only those count that were accepted before everybody knew of the round; all of them are in the ledger by now.
        """
        self._newest = self._newest or next(iter(self._ledger.newest_ids(1)), "")
        if not self._newest:
            return False
        start = floor_at(max(0.0, made_at(self._watermark.read()) - self._times.clocks))
        following: str | None = start
        while following is not None:
            page, following = self._ledger.in_flight_page(following, self._newest + _AT_END)
            beat()
            if page:
                log.info("erasing waits for jobs in flight", first=page[0])
                return True
        return False

    def _give_way(self, going: PurgeRound) -> None:
        """End a round in vain: who is in flight may have the same result, and wait for its end to hand that over."""
        log.info("erasing gives way, and is tried again later")
        self._purges.end(going)
        self._not_before = self._clock() + self._times.settle

    def _end(self, going: PurgeRound) -> None:
        plan = self._purges.plan(going.id)
        for erasure in self._erasures.advance(plan.erasures if plan else (), "purged"):
            self._activity.note("purged", erasure.id, batch=erasure.batch)
        self._purges.end(going)
        self._waits_since = None

    def _may_go_on(self) -> bool:
        beat()
        return self._lease.held or self._lease.hold()
