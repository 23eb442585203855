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
HELD = Gauge("imagemill_held_jobs", "Accepted jobs that wait for their token's turn, outside the queues")

_EVERY_SECONDS = 0.25
_AT_ONCE = 200
# News of outcomes may be lost; nobody waits for them longer.
_UNHEARD_SECONDS = 15.0
_MOST_ASKED = 500


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

    def not_published(self, job_ids: Iterable[str]) -> None:
        """The broker did not take them: try again."""
        self._shares.put_back(job_ids)

    def ended(self, outcome: Outcome) -> None:
        """An outcome was announced, by whichever writer and of whichever job."""
        self._shares.ended(outcome.id, self._pool_of(outcome.recipe))

    # --- in the loop's thread ---------------------------------------------------------------------

    def _round(self) -> None:
        HELD.set(self._shares.held())
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
                published = self._published(ids)
            except StoreUnavailable:
                self._shares.put_back(due[start:])
                raise
            self._shares.put_back(job_id for job_id in ids if job_id not in published)

    def _published(self, ids: list[str]) -> set[str]:
        """Publish jobs out of the ledger; those of them which a queue has now."""
        jobs = list(self._ledger.jobs(ids).values())
        errors = self._broker.publish_all(work_message(job, None, self._claims) for job in jobs)
        for job, error in zip(jobs, errors, strict=True):
            if error is not None:
                log.warning("held longer: it cannot be published now", image=job.id, error=str(error))
        return {job.id for job, error in zip(jobs, errors, strict=True) if error is None}

    def _say(self) -> None:
        """Tell re-drive what is held, as often as a lease is renewed."""
        if time.monotonic() - self._said_at < self._say_every:
            return
        lines = [HeldLine(*line, first) for line, first in self._shares.first_held().items()]
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
