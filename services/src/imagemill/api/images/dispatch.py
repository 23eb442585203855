"""Publishes accepted jobs in shares: those of one owner wait in the ledger until it is their turn."""

import time
from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Gauge

from imagemill.api.images.shares import Line, Shares
from imagemill.concurrency.loop import Loop
from imagemill.domain.images import Job, Outcome
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.store.held_jobs import HeldJobs, HeldLine
from imagemill.store.ledger import Ledger
from imagemill.wire.broker import Broker, BrokerUnavailable
from imagemill.wire.work import ClaimCheck, work_message

log = structlog.get_logger(__name__)
HELD = Gauge("imagemill_held_jobs", "Accepted jobs that wait for their token's turn, outside the queue", ["pool"])

_EVERY_SECONDS = 0.25
_AT_ONCE = 200
# News of outcomes may be lost; nobody waits for them longer.
_UNHEARD_SECONDS = 15.0
_MOST_ASKED = 500


def is_temporary(error: BaseException | None) -> bool:
    """Does it help to publish again? What no queue takes is left to re-drive, which knows where it goes."""
    return isinstance(error, BrokerUnavailable)


class Dispatcher:
    """The jobs that this process accepted for known owners, until they end. What is nobody's is never held."""

    def __init__(
        self, shares: Shares, ledger: Ledger, broker: Broker, claims: ClaimCheck, held: HeldJobs, instance: str,
        lease_seconds: float, pool_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._shares, self._ledger, self._broker, self._claims, self._held = shares, ledger, broker, claims, held
        self._instance, self._pool_of = instance, pool_of
        self._say_every, self._said_at, self._asked_at = lease_seconds / 4, float("-inf"), time.monotonic()
        self._says = False
        self._told: set[str] = set()
        self._loop = Loop(
            "dispatch", self._round, every_seconds=_EVERY_SECONDS, at_end=self._withdraw,
            passing=(StoreUnavailable, BrokerUnavailable, Conflict),
        )  # fmt: skip

    def start(self) -> None:
        """Begin to publish what was held."""
        self._loop.start()

    def close(self, timeout_seconds: float) -> bool:
        """End; what is still held is re-drive's from then on."""
        return self._loop.close(timeout_seconds)

    def take(self, job: Job) -> bool:
        """Note an accepted job; may it be published now? If not, it will be."""
        if job.owner is None:
            return True
        return self._shares.take(Line(job.owner, self._pool_of(job.recipe), job.priority), job.id)

    def not_published(self, errors: Iterable[tuple[Job, BaseException | None]]) -> None:
        """What came of publishing them: try again those that the broker did not take."""
        self._shares.put_back(job.id for job, error in errors if is_temporary(error))

    def ended(self, outcome: Outcome) -> None:
        """An outcome was announced, by whichever writer and of whichever job."""
        self._shares.ended(outcome.id, self._pool_of(outcome.recipe))

    # --- in the loop's thread ---------------------------------------------------------------------

    def _round(self) -> None:
        held = self._shares.held()
        for pool in self._told | held.keys():
            HELD.labels(pool).set(held.get(pool, 0))
        self._told |= held.keys()
        self._dispatch()
        self._say()
        if time.monotonic() - self._asked_at > _UNHEARD_SECONDS:
            self._asked_at = time.monotonic()
            unheard = self._shares.sent_before(_UNHEARD_SECONDS, _MOST_ASKED)
            self._shares.forget(self._ledger.outcomes(unheard))

    def _dispatch(self) -> None:
        if not self._broker.ready:
            return
        due = self._shares.due()
        for start in range(0, len(due), _AT_ONCE):
            ids = due[start : start + _AT_ONCE]
            try:
                jobs = self._ledger.jobs(ids)
            except StoreUnavailable:
                self._shares.put_back(due[start:])
                raise
            errors = self._broker.publish_all(work_message(job, None, self._claims) for job in jobs.values())
            published = {job_id: error for job_id, error in zip(jobs, errors, strict=True) if not is_temporary(error)}
            self._hold_again([job_id for job_id in ids if job_id not in published])

    def _hold_again(self, ids: list[str]) -> None:
        if ids:
            log.warning("held longer: they cannot be published now", count=len(ids), first=ids[0])
            self._shares.put_back(ids)

    def _say(self) -> None:
        """Tell re-drive what is held, as often as a lease is renewed."""
        if time.monotonic() - self._said_at < self._say_every:
            return
        lines = [HeldLine(*line, *held) for line, held in self._shares.first_held().items()]
        if lines:
            self._held.say(self._instance, lines)
            self._says = True
        elif self._says:
            self._withdraw()
        self._said_at = time.monotonic()

    def _withdraw(self) -> None:
        if self._says:
            self._held.withdraw(self._instance)
            self._says = False
