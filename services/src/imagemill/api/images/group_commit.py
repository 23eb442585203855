"""Group commit: requests that arrive together share one bulk write to the ledger and one window of confirms."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field

import structlog

from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Job, KnownResult, Outcome, Rejection, TraceStep
from imagemill.store.couch import StoreUnavailable
from imagemill.store.ledger import Ledger
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

    `is_new`: the original was not stored before, so no result of it can be known.
    """

    job: Job
    data: bytes | None
    reply_to: str | None = None
    is_new: bool = False


@dataclass(frozen=True)
class CommitEntry:
    """What one request brings. The future tells the ids which were done before, or why nothing was accepted."""

    jobs: Sequence[NewJob]
    rejections: Sequence[Rejection]
    accepted: "Future[frozenset[str]]" = field(default_factory=Future)


class GroupCommit:
    """Ledger first, then the broker.

    Once the ledger has a job it is accepted: should the broker fail right then, re-drive publishes it later. Taking
    it back could not be done without a moment in which the counts are wrong.
    """

    def __init__(
        self, ledger: Ledger, broker: Broker, claims: ClaimCheck, activity: Activity, by: str, bounds: Bounds
    ) -> None:
        self._ledger, self._broker, self._claims, self._activity, self._by = ledger, broker, claims, activity, by
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

    def commit(self, jobs: Sequence[NewJob], rejections: Sequence[Rejection]) -> frozenset[str]:
        """Accepts; tells the jobs whose result was known already. Raises StoreUnavailable or BrokerUnavailable."""
        entry = CommitEntry(jobs, rejections)
        self._grouper.put(entry)
        try:
            return entry.accepted.result(timeout=_ANSWER_TIMEOUT_SECONDS)
        except FutureTimeout as error:
            raise StoreUnavailable("the ledger did not answer in time") from error

    def _handle(self, group: list[CommitEntry]) -> None:
        try:
            known = self._write(group)
        except (StoreUnavailable, BrokerUnavailable) as error:
            for entry in group:
                entry.accepted.set_exception(error)
            return
        except Exception as error:
            log.exception("group commit failed")
            for entry in group:
                entry.accepted.set_exception(error)
            return
        self._publish([new for entry in group for new in entry.jobs], known)
        for entry in group:
            entry.accepted.set_result(frozenset(new.job.id for new in entry.jobs if new.job.result_key in known))

    def _write(self, group: list[CommitEntry]) -> dict[str, KnownResult]:
        news = [new for entry in group for new in entry.jobs]
        jobs = [new.job for new in news]
        rejections = [rejection for entry in group for rejection in entry.rejections]
        if jobs:
            self.check_open()
        known = self._ledger.known_results({new.job.result_key for new in news if not new.is_new})
        outcomes = [duplicate_outcome(job, known[job.result_key], self._by) for job in jobs if job.result_key in known]
        self._ledger.accept(jobs, outcomes, rejections)
        for job in jobs:
            self._activity.note("accepted", job.id, batch=job.batch, name=job.name, recipe=job.recipe)
        for rejection in rejections:
            self._activity.note("rejected", batch=rejection.batch, name=rejection.name, code=rejection.code)
        self._tell(outcomes)
        return known

    def _tell(self, outcomes: list[Outcome]) -> None:
        self._broker.publish_all(outcome_message(outcome) for outcome in outcomes)

    def _publish(self, jobs: list[NewJob], known: dict[str, KnownResult]) -> None:
        wanted = [new for new in jobs if new.job.result_key not in known]
        errors = self._broker.publish_all(work_message(new.job, new.data, self._claims, new.reply_to) for new in wanted)
        for new, error in zip(wanted, errors, strict=True):
            if isinstance(error, Refused):
                self._full_until = time.monotonic() + _FULL_SECONDS
            if error is not None:
                log.warning("accepted but not published; re-drive will", image=new.job.id, error=str(error))


def duplicate_outcome(job: Job, known: KnownResult, by: str) -> Outcome:
    """The same original under the same recipe: its result is there, nothing is computed again."""
    stored = TraceStep(step="stored", at=timestamp(), by=by)
    return Outcome(
        id=job.id, batch=job.batch, recipe=job.recipe, status="stored", duplicate=True, result=known.result,
        trace=[job.accepted_step(), stored],
    )  # fmt: skip
