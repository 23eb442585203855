"""Group commit: requests that arrive together share one bulk write to the ledger and one window of confirms."""

import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field

import structlog

from imagemill.api.images.dispatch import Dispatcher
from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.concurrency.retry import pause_seconds
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Image, Job, KnownResult, Outcome, Rejection, TraceStep
from imagemill.store.couch import NotApplied, StoreUnavailable, Unsettled
from imagemill.store.ledger import Ledger
from imagemill.store.purges import PurgeWatch
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, BrokerUnavailable, Refused
from imagemill.wire.work import ClaimCheck, outcome_message, work_message

log = structlog.get_logger(__name__)

_OVERLAPPING_GROUPS = 2
_FULL_SECONDS = 5.0
_ANSWER_TIMEOUT_SECONDS = 90


@dataclass(frozen=True)
class NewJob:
    """A job with what its message needs: its bytes (None: the worker fetches them) and who waits for the result.

    `seen_at`: since then the original is known to be stored, by the clock of `PurgeWatch`.
    `is_new`: the original was not stored before, so no result of it can be known.
    """

    job: Job
    data: bytes | None
    seen_at: float
    reply_to: str | None = None
    is_new: bool = False


@dataclass(frozen=True)
class Committed:
    """Jobs which are in the ledger now. `duplicates`: ids of those whose result was known before.

    `repeated`: those which an earlier request with the same key had made, by id and as they are.
    """

    duplicates: frozenset[str]
    repeated: Mapping[str, Image]

    def has_outcome(self, job_id: str) -> bool:
        """Is there nothing left to do for the job?"""
        found = self.repeated.get(job_id)
        return job_id in self.duplicates or bool(found and found.outcome)

    def batch_of(self, jobs: Sequence[Job]) -> str | None:
        """The batch of jobs which are all repeats of one batch: the first request named it."""
        batches = {self.repeated[job.id].job.batch if job.id in self.repeated else None for job in jobs}
        return batches.pop() if len(batches) == 1 else None


@dataclass(frozen=True)
class CommitEntry:
    """What one request brings. The future has what was committed, or why nothing was accepted."""

    jobs: Sequence[NewJob]
    rejections: Sequence[Rejection]
    committed: "Future[Committed]" = field(default_factory=Future)


class GroupCommit:
    """Ledger first, then the broker.

    Once the ledger has a job it is accepted: should the broker fail right then, re-drive publishes it later. Taking
    it back could not be done without a moment in which the counts are wrong. Where an owner has their share of the
    queue already, what is accepted is held by the dispatcher until its turn.
    """

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        claims: ClaimCheck,
        activity: Activity,
        dispatcher: Dispatcher,
        by: str,
        bounds: Bounds,
        settling_seconds: float,
        purges: PurgeWatch,
    ) -> None:
        self._ledger, self._broker, self._claims, self._activity, self._by = ledger, broker, claims, activity, by
        self._dispatcher, self._settling, self._purges = dispatcher, settling_seconds, purges
        self._full_until = 0.0
        self._grouper: Grouper[CommitEntry] = Grouper(self._handle, bounds, _OVERLAPPING_GROUPS, name="commit")

    def start(self) -> None:
        """Begin to commit."""
        self._grouper.start()

    def close(self, timeout_seconds: float) -> bool:
        """Commit what is there; False when that takes too long."""
        return self._grouper.close(timeout_seconds)

    def check_open(self) -> None:
        """Raises BrokerUnavailable while nothing could be published: nothing is stored then either."""
        if not self._broker.ready:
            raise BrokerUnavailable("the broker is not connected")
        if time.monotonic() < self._full_until:
            raise Refused("the work queue is full")

    def commit(self, jobs: Sequence[NewJob], rejections: Sequence[Rejection]) -> Committed:
        """Accept. Raises StoreUnavailable or BrokerUnavailable; Unsettled when it is not known whether it was done."""
        entry = CommitEntry(jobs, rejections)
        self._grouper.put(entry)
        try:
            return entry.committed.result(timeout=_ANSWER_TIMEOUT_SECONDS)
        except FutureTimeout as error:
            raise Unsettled("the ledger did not answer in time") from error

    def _handle(self, group: list[CommitEntry]) -> None:
        try:
            group = self._with_lasting_bytes(group)
            committed = self._write(group)
        except (StoreUnavailable, BrokerUnavailable) as error:
            for entry in group:
                entry.committed.set_exception(error)
            return
        except Exception as error:
            log.exception("group commit failed")
            for entry in group:
                entry.committed.set_exception(error)
            return
        self._publish([new for entry in group for new in entry.jobs], committed)
        for entry in group:
            entry.committed.set_result(committed)

    def _with_lasting_bytes(self, group: list[CommitEntry]) -> list[CommitEntry]:
        """Those whose originals are not being erased; the others are told. Raises StoreUnavailable."""
        self._purges.being_purged(())
        lasting = []
        for entry in group:
            try:
                if entry.jobs:
                    names = [new.job.original.sha256 for new in entry.jobs]
                    self._purges.check(names, min(new.seen_at for new in entry.jobs))
            except StoreUnavailable as error:
                entry.committed.set_exception(error)
            else:
                lasting.append(entry)
        return lasting

    def _lasting_results(self, keys: set[str]) -> dict[str, KnownResult]:
        """Known results by key; not those of which the bytes are being erased, which are made anew."""
        known = self._ledger.known_results(keys)
        gone = self._purges.being_purged(item.result.sha256 for item in known.values()) if known else ()
        return {key: item for key, item in known.items() if item.result.sha256 not in gone}

    def _write(self, group: list[CommitEntry]) -> Committed:
        news = [new for entry in group for new in entry.jobs]
        jobs = [new.job for new in news]
        rejections = [rejection for entry in group for rejection in entry.rejections]
        if jobs:
            self.check_open()
        known = self._lasting_results({new.job.result_key for new in news if not new.is_new})
        # Of a repeat the result may be its own.
        first = {job.id: known[job.result_key] for job in jobs if job.result_key in known}
        outcomes = [
            duplicate_outcome(job, first[job.id], self._by)
            for job in jobs
            if job.id in first and first[job.id].job != job.id
        ]
        ours = {job.id: job for job in jobs}
        there = self._accept(jobs, outcomes, rejections)
        repeated = {image.job.id: image for image in there if image.job != ours[image.job.id]}
        for job in jobs:
            if job.id not in repeated:
                self._activity.note("accepted", job.id, batch=job.batch, name=job.name, recipe=job.recipe)
        for rejection in rejections:
            self._activity.note("rejected", batch=rejection.batch, name=rejection.name, code=rejection.code)
        self._tell(outcomes)
        done = {image.job.id for image in repeated.values() if image.outcome and image.outcome.duplicate}
        return Committed(frozenset(outcome.id for outcome in outcomes if outcome.id not in repeated) | done, repeated)

    def _accept(self, jobs: list[Job], outcomes: list[Outcome], rejections: list[Rejection]) -> list[Image]:
        """Write until it is known that all is there: to write it again changes nothing."""
        deadline = time.monotonic() + self._settling
        for attempt in itertools.count(1):
            try:
                return self._ledger.accept(jobs, outcomes, rejections)
            except NotApplied:
                if attempt == 1:
                    raise
                failure = "CouchDB went away"
            except StoreUnavailable as error:
                failure = str(error)
            if time.monotonic() > deadline:
                raise Unsettled(f"it is not known what the ledger has taken: {failure}")
            log.warning("the ledger's answer is not known; written again", error=failure)
            time.sleep(pause_seconds(attempt))
        raise AssertionError("unreachable")

    def _tell(self, outcomes: list[Outcome]) -> None:
        self._broker.publish_all(outcome_message(outcome) for outcome in outcomes)

    def _publish(self, jobs: list[NewJob], committed: Committed) -> None:
        unfinished = [new for new in jobs if not committed.has_outcome(new.job.id)]
        wanted = [new for new in unfinished if self._dispatcher.take(new.job)]
        # What was there already may be in its queue, or done in this moment: the worker asks the ledger.
        errors = self._broker.publish_all(
            work_message(new.job, new.data, self._claims, new.reply_to, redriven=int(new.job.id in committed.repeated))
            for new in wanted
        )
        for new, error in zip(wanted, errors, strict=True):
            if isinstance(error, Refused):
                self._full_until = time.monotonic() + _FULL_SECONDS
            if error is not None:
                log.warning("accepted but not published yet", image=new.job.id, error=str(error))
        self._dispatcher.not_published((new.job, error) for new, error in zip(wanted, errors, strict=True))


def duplicate_outcome(job: Job, known: KnownResult, by: str) -> Outcome:
    """The same original under the same recipe: its result is there, nothing is computed again."""
    stored = TraceStep(step="stored", at=timestamp(), by=by)
    return Outcome(
        id=job.id, batch=job.batch, recipe=job.recipe, status="stored", duplicate=True, result=known.result,
        trace=[job.accepted_step(), stored], warnings=known.warnings,
    )  # fmt: skip
