"""Groups of entries into CouchDB: blobs over several connections, then results and outcomes in one bulk write."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from prometheus_client import Counter, Histogram

from imagemill.concurrency.retry import Stopped, until
from imagemill.domain.images import Outcome
from imagemill.store.blobs import Blobs
from imagemill.store.couch import StoreUnavailable
from imagemill.store.ledger import Ledger
from imagemill.store.purges import PurgeWatch
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, BrokerUnavailable, Delivery, Unroutable
from imagemill.wire.work import ClaimCheck, outcome_message, previews_of
from imagemill.writer.entries import (
    OutcomeEntry,
    entry_of,
    final_outcome,
    is_dead_letter,
    known_result,
    message_to_republish,
)

log = structlog.get_logger(__name__)

OUTCOMES = Counter("imagemill_outcomes", "Outcomes written to the ledger", ["status"])
STRANGERS = Counter("imagemill_results_without_job", "Results dropped because the ledger has no such job")
GROUP_SECONDS = Histogram("imagemill_writer_group_seconds", "Seconds per bulk write")


class OutcomeWriter:
    """Handles groups of deliveries. What CouchDB does not take now stays unacknowledged and is tried again."""

    def __init__(
        self, blobs: Blobs, ledger: Ledger, claims: ClaimCheck, broker: Broker, activity: Activity, by: str,
        connections: int, stopping: threading.Event, purges: PurgeWatch, defer: Callable[[Delivery], None],
    ) -> None:  # fmt: skip
        """`defer`: have a delivery handled again after a while."""
        self._purges, self._defer = purges, defer
        self._blobs, self._ledger, self._claims, self._by = blobs, ledger, claims, by
        self._broker, self._activity = broker, activity
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="blob")
        self._stopping = stopping
        self.frontier: dict[tuple[str, int, str | None], str] = {}

    def handle(self, deliveries: list[Delivery]) -> None:
        """Stores, announces, acknowledges: in this order."""
        ours = [delivery for delivery in deliveries if not delivery.channel_closed]
        self._republish([delivery for delivery in ours if is_dead_letter(delivery)])
        entries = self._readable([delivery for delivery in ours if not is_dead_letter(delivery)])
        if not entries:
            return
        try:
            # Without a limit but the shutdown: the picture is safe in the queue, and to requeue it would only count
            # as a delivery.
            with GROUP_SECONDS.time():
                outcomes = until(
                    lambda: self._store_lasting(entries),
                    self._stopping,
                    on=StoreUnavailable,
                    what="results wait for CouchDB",
                )
        except Stopped:
            log.warning("shutting down before CouchDB came back; results are requeued", count=len(entries))
            for entry in entries:
                entry.delivery.requeue()
            return
        self._announce(outcomes)
        for job in (entry.job for entry in entries):
            line = (job.recipe, job.priority, job.owner)
            self.frontier[line] = max(job.id, self.frontier.get(line, ""))
        for entry in entries:
            entry.delivery.ack()

    def _readable(self, deliveries: list[Delivery]) -> list[OutcomeEntry]:
        entries = []
        for delivery in deliveries:
            try:
                entries.append(entry_of(delivery))
            except ValueError as error:
                log.error("not a result message, dropped", message_id=delivery.properties.message_id, error=str(error))
                delivery.ack()
        return entries

    def _republish(self, dead_letters: list[Delivery]) -> None:
        """Publish again what the broker gave up; what cannot be published is in the ledger, and re-drive does it."""
        for delivery in dead_letters:
            try:
                message = message_to_republish(delivery, self._claims)
                if message is not None:
                    self._broker.publish(message)
                    self._activity.note("redriven", message.message_id, times=message.headers["redriven"])
                log.warning("the broker gave a picture up", image=delivery.properties.message_id, again=bool(message))
            except ValueError as error:
                log.error("not a work message, dropped", message_id=delivery.properties.message_id, error=str(error))
            except (BrokerUnavailable, Unroutable) as error:
                log.warning(
                    "not published again; re-drive will", image=delivery.properties.message_id, error=str(error)
                )
            delivery.ack()

    def _store_lasting(self, entries: list[OutcomeEntry]) -> list[Outcome]:
        """Store; what has bytes that are being erased is deferred, and is no entry any more."""
        announced = self._purges.being_purged(_names(entries))
        for entry in [entry for entry in entries if announced.intersection(_names([entry]))]:
            self._defer(entry.delivery)
            entries.remove(entry)
        return self._store(entries)

    def _store(self, offered: list[OutcomeEntry]) -> list[Outcome]:
        keys = {entry.job.result_key for entry in offered if entry.outcome.result}
        found = self._ledger.look_up({entry.job.id for entry in offered}, keys)
        entries = self._ours(offered, found.accepted)
        announced = self._purges.being_purged(item.result.sha256 for item in found.known.values())
        known = {key: item for key, item in found.known.items() if item.result.sha256 not in announced}
        # What was erased has its outcome. A result that comes once more must not be known: its bytes may be gone.
        lasting = [entry for entry in entries if entry.job.id not in found.erased]
        stored_at = self._purges.now()
        list(self._pool.map(self._store_blob, lasting))
        # Twice the same key within one group: the first is the one that made it. (Two writers that get the same result
        # at the same moment both count it as computed, and it was.)
        made = {item.key: item for item in reversed([known_result(entry) for entry in lasting]) if item is not None}
        finals = {entry.job.id: final_outcome(entry, made | known, self._by) for entry in reversed(entries)}
        new = [item for key, item in made.items() if key not in known]
        self._purges.check(_names(lasting), stored_at)
        return self._ledger.record_outcomes(list(finals.values()), new)

    def _ours(self, entries: list[OutcomeEntry], there: set[str]) -> list[OutcomeEntry]:
        """Those whose job is in this ledger; others are of another installation, or of a time before a restore."""
        strangers = [entry.job.id for entry in entries if entry.job.id not in there]
        if strangers:
            STRANGERS.inc(len(strangers))
            log.error("results of jobs which this ledger has not, dropped", count=len(strangers), first=strangers[0])
        return [entry for entry in entries if entry.job.id in there]

    def _store_blob(self, entry: OutcomeEntry) -> None:
        result = entry.outcome.result
        if result is not None and not self._claims.is_stored(entry.delivery):
            previews = previews_of(entry.delivery)
            self._blobs.put(result.sha256, entry.delivery.body, result.content_type, previews)

    def _announce(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            OUTCOMES.labels(outcome.status).inc()
            self._activity.note(
                outcome.status,
                outcome.id,
                batch=outcome.batch,
                recipe=outcome.recipe,
                **({"code": outcome.code} if outcome.code else {}),
                **({"reason": outcome.reason} if outcome.reason else {}),
            )
        errors = self._broker.publish_all(outcome_message(outcome) for outcome in outcomes)
        if any(isinstance(error, BrokerUnavailable) for error in errors):
            # The ledger has them; pages which follow along read it again when they reconnect.
            log.warning("outcomes stored but not announced", count=sum(error is not None for error in errors))


def _names(entries: Iterable[OutcomeEntry]) -> Sequence[str]:
    """The hashes of results."""
    return [entry.outcome.result.sha256 for entry in entries if entry.outcome.result]
