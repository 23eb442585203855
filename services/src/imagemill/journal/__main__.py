"""`python -m imagemill.journal`: keeps activity records."""

import threading

import structlog
from prometheus_client import Counter

from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.concurrency.retry import Stopped, until
from imagemill.domain.activity import Record
from imagemill.process.program import Program, run
from imagemill.settings import Settings
from imagemill.store import activity_log
from imagemill.store.couch import Couch, StoreUnavailable, Unstorable
from imagemill.wire import topology
from imagemill.wire.activity import records_of
from imagemill.wire.broker import Delivery

log = structlog.get_logger(__name__)

DROPPED = Counter("imagemill_journal_dropped", "Records that CouchDB refused to keep")
_PREFETCH = 50
# For the live page alone: each camera tells its counts every few seconds, and nobody reads old ones.
_PASSING = frozenset({"camera-counts"})
_BOUNDS = Bounds(entries=50, seconds=0.5)


class Journal:
    """Writes groups of activity messages; waits for CouchDB as long as it takes: the queue is bounded."""

    def __init__(self, couch: Couch, stopping: threading.Event) -> None:
        self._couch, self._stopping = couch, stopping

    def handle(self, deliveries: list[Delivery]) -> None:
        """Write the records, then acknowledge."""
        records = [record for delivery in deliveries for record in _records(delivery)]
        try:
            until(
                lambda: self._write(records), self._stopping,
                on=StoreUnavailable, what="the journal waits for CouchDB",
            )  # fmt: skip
        except Stopped:
            return  # unacknowledged: the broker keeps them
        for delivery in deliveries:
            delivery.ack()

    def _write(self, records: list[Record]) -> None:
        """One that CouchDB never takes must not keep the others from being written."""
        try:
            activity_log.write(self._couch, records)
        except Unstorable as error:
            if len(records) > 1:
                for record in records:
                    self._write([record])
            else:
                DROPPED.inc()
                log.error("a record cannot be kept, dropped", kind=records[0].get("kind"), error=str(error))


def _records(delivery: Delivery) -> list[Record]:
    try:
        return [record for record in records_of(delivery.body) if "at" in record and record.get("kind") not in _PASSING]
    except ValueError as error:
        log.error("not an activity message, dropped", error=str(error))
        return []


def main(settings: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    program = Program("journal", settings, stopping)
    journal = Journal(program.stores.couch, stopping)
    grouper: Grouper[Delivery] = Grouper(journal.handle, _BOUNDS, name="journal")
    program.broker.consume(topology.JOURNAL_QUEUE, grouper.put, _PREFETCH)
    return program.run(grouper)


if __name__ == "__main__":
    run("journal", main)
