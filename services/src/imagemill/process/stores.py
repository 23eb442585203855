"""The database side of a program."""

import contextlib
import threading
from dataclasses import dataclass, field

from imagemill.concurrency.retry import Stopped, until
from imagemill.settings import Settings
from imagemill.store import activity_log, cameras, leases
from imagemill.store.access import AccessStore
from imagemill.store.audit import AuditStore
from imagemill.store.blobs import Blobs
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.store.ledger import Ledger
from imagemill.store.rules import RuleStore


@dataclass(frozen=True)
class Stores:
    """CouchDB, and what all programs keep there. `there` is set once this program knows that the databases are."""

    couch: Couch
    blobs: Blobs
    ledger: Ledger
    there: threading.Event = field(default_factory=threading.Event, compare=False)

    def prepare(self) -> None:
        """Make every database and view exist; the ledger last, by which others see that all are there."""
        self.blobs.prepare()
        leases.prepare(self.couch)
        activity_log.prepare(self.couch)
        cameras.prepare(self.couch)
        EventStore(self.couch).prepare()
        RuleStore(self.couch).prepare()
        AccessStore(self.couch).prepare()
        AuditStore(self.couch).prepare()
        self.ledger.prepare()


def open_stores(settings: Settings) -> Stores:
    """Connect lazily: nothing is asked of CouchDB before the first use."""
    couch = Couch(
        settings.couchdb_url.get_secret_value(),
        settings.couchdb_prefix,
        settings.couchdb_timeout_seconds,
        settings.couchdb_connections,
    )
    return Stores(couch, Blobs(couch), Ledger(couch))


def wait_for_stores(stores: Stores, settings: Settings, stopping: threading.Event) -> None:
    """Wait until the databases are there, creating them if this program may."""

    def attempt() -> None:
        if settings.prepare:
            stores.prepare()
        if not stores.ledger.prepared():
            raise StoreUnavailable(f"the databases {settings.couchdb_prefix}-… are not created yet; the writer does it")

    # A conflict: another program makes the same databases at this moment.
    with contextlib.suppress(Stopped):
        until(attempt, stopping, on=(StoreUnavailable, Conflict), what="waiting for CouchDB")
        stores.there.set()
