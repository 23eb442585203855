"""The database side of a program."""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from imagemill.concurrency.retry import Stopped, until
from imagemill.domain.images import Counts
from imagemill.settings import Settings
from imagemill.store import activity_log, alert_index, cameras, deliveries, leases, ledger_views, resolutions
from imagemill.store.access import AccessStore
from imagemill.store.alert_index import AlertIndex
from imagemill.store.audit import AuditStore
from imagemill.store.batch_times import BatchIndex, BatchTimes
from imagemill.store.blobs import Blobs
from imagemill.store.blobs.places import open_blobs
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.deliveries import DeliveryStore
from imagemill.store.erasures import Erasures
from imagemill.store.events import EventStore
from imagemill.store.ledger import Ledger
from imagemill.store.present import PresentCouch
from imagemill.store.resolutions import Resolutions
from imagemill.store.rights import address_as
from imagemill.store.rules import RuleStore
from imagemill.store.securing import secure

# What this version wants to be there; another version may want more.
_LAYOUT = ".".join(part.LAYOUT for part in (ledger_views, resolutions, deliveries, activity_log, alert_index))


@dataclass(frozen=True)
class Stores:
    """CouchDB, and what all programs keep there; bytes may be elsewhere.

    `there` is set once this program knows that the databases are.

    `couch` asks as this program, `admin` as who may create and drop databases; often that is the same user.
    """

    couch: Couch
    admin: Couch
    blobs: Blobs
    ledger: Ledger
    resolutions: Resolutions
    erasures: Erasures
    batch_index: BatchIndex
    there: threading.Event = field(default_factory=threading.Event, compare=False)

    def prepare(self, settings: Settings) -> None:
        """Make every database, view and user exist; last the mark by which others see that all are there."""
        admin = PresentCouch(self.admin)
        open_blobs(settings, admin).prepare()
        leases.prepare(admin)
        activity_log.prepare(admin)
        cameras.prepare(admin)
        EventStore(admin).prepare()
        RuleStore(admin).prepare()
        AlertIndex(admin).prepare()
        AccessStore(admin).prepare()
        AuditStore(admin).prepare()
        DeliveryStore(admin).prepare()
        Resolutions(admin).prepare()
        Ledger(admin).prepare()
        passwords: dict[str, str] = {
            name: value.get_secret_value() for name, value in settings.couchdb_passwords.items()
        }
        if passwords:
            secure(self.admin, passwords, settings.couchdb_append_only, partial(_as_user, settings))
        leases.mark_prepared(self.admin, _LAYOUT)

    def prepared(self) -> bool:
        """Are they all there, as this version wants them? Every program may read this, whatever it works with."""
        return leases.is_prepared(self.couch, _LAYOUT)

    def counts(self, batch: str | None = None) -> Counts:
        """The arithmetic of one batch, or of everything, with how many failures are answered."""
        # In this order: a failure that ends meanwhile is then counted as open for a moment, not as less than none.
        answered = self.resolutions.count(batch)
        return self.ledger.counts(batch).model_copy(update={"answered": answered})

    def batches(self, limit: int, after: str | None = None, prefix: str = "") -> Sequence[tuple[str, Counts]]:
        """Batches with their counts, the last name first."""
        return self._with_answered(self.ledger.batches(limit, after, prefix))

    def newest_batches(self, limit: int, after: str | None = None) -> Sequence[tuple[str, Counts, BatchTimes]]:
        """Batches with their counts and times, the one that began last first."""
        times = self.batch_index.newest(limit, after)
        counts = self.ledger.counts_of(list(times))
        found = self._with_answered([(name, counts[name]) for name in times if name in counts])
        return [(name, one, times[name]) for name, one in found]

    def _with_answered(self, batches: Sequence[tuple[str, Counts]]) -> list[tuple[str, Counts]]:
        answered = self.resolutions.counts(name for name, counts in batches if counts.failed)
        return [(name, counts.model_copy(update={"answered": answered.get(name, 0)})) for name, counts in batches]


def open_stores(settings: Settings) -> Stores:
    """Connect lazily: nothing is asked of CouchDB before the first use."""
    couch = _couch(settings, settings.couchdb_url.get_secret_value())
    admin = _couch(settings, settings.couchdb_admin_url.get_secret_value()) if settings.couchdb_admin_url else couch
    return Stores(
        couch, admin, open_blobs(settings, couch), Ledger(couch), Resolutions(couch), Erasures(couch),
        BatchIndex(couch),
    )  # fmt: skip


def wait_for_stores(stores: Stores, settings: Settings, stopping: threading.Event) -> None:
    """Wait until the databases are there, creating them if this program may."""

    def attempt() -> None:
        if settings.prepare:
            stores.prepare(settings)
        if not stores.prepared():
            raise StoreUnavailable(f"the databases {settings.couchdb_prefix}-… are not created yet; the writer does it")

    # A conflict: another program makes the same databases at this moment.
    with contextlib.suppress(Stopped):
        until(attempt, stopping, on=(StoreUnavailable, Conflict), what="waiting for CouchDB")
        stores.there.set()


def _couch(settings: Settings, url: str) -> Couch:
    return Couch(
        url,
        settings.couchdb_prefix,
        settings.couchdb_timeout_seconds,
        settings.couchdb_connections,
        settings.tls_ca_file,
    )


def _as_user(settings: Settings, name: str, password: str) -> Couch:
    url = settings.couchdb_admin_url or settings.couchdb_url
    return _couch(settings, address_as(url.get_secret_value(), name, password))
