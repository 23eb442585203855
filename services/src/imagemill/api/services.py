"""What the API's routes work with."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagemill import recipes
from imagemill.admission.validate import Limits
from imagemill.api.access.audit import Recorder, recorder
from imagemill.api.access.guard import Guard
from imagemill.api.access.registry import Registry
from imagemill.api.alerts.unseen import UnseenAlerts
from imagemill.api.cameras import service
from imagemill.api.cameras.service import CameraService
from imagemill.api.images.admission_control import AdmissionControl
from imagemill.api.images.dispatch import Dispatcher
from imagemill.api.images.group_commit import GroupCommit
from imagemill.api.images.identity import Identities
from imagemill.api.images.shares import Shares
from imagemill.api.images.trials import Trials
from imagemill.api.live.counters import Counters
from imagemill.api.live.event_stream import Hub
from imagemill.api.live.listeners import Places
from imagemill.api.live.ring import sse
from imagemill.concurrency.grouping import Bounds
from imagemill.concurrency.loop import Loop
from imagemill.domain.purging import PurgeTimes
from imagemill.process.program import Program
from imagemill.process.stores import Stores
from imagemill.recipes import Recipe
from imagemill.settings import Settings
from imagemill.store.access import AccessStore
from imagemill.store.alert_index import AlertFilter, AlertIndex
from imagemill.store.alerts import AlertStore
from imagemill.store.audit import AuditStore
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.held_jobs import HeldJobs
from imagemill.store.purges import PurgeWatch
from imagemill.wire import camera_tests, topology
from imagemill.wire import trials as trial_messages
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker
from imagemill.wire.snapshots import SNAPSHOT
from imagemill.wire.work import ClaimCheck

if TYPE_CHECKING:
    from imagemill.api.access.oidc import OidcProvider

_LONE_SECONDS = 0.002
_REPLICA_PREFETCH = 200
_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True)
class Services:
    """Everything with a connection or a thread."""

    settings: Settings
    program: Program
    stores: Stores
    broker: Broker
    activity: Activity
    hub: Hub
    counters: Counters
    admission: AdmissionControl
    identities: Identities
    purges: PurgeWatch
    group_commit: GroupCommit
    shares: Shares
    dispatcher: Dispatcher
    recipes: Mapping[str, Recipe]
    uploads: ThreadPoolExecutor
    trials: Trials
    cameras: CameraService
    unseen: UnseenAlerts
    registry: Registry
    guard: Guard
    audit: AuditStore
    record: Recorder
    oidc: "OidcProvider | None"

    @property
    def limits(self) -> Limits:
        """The limits of the verdict at the door."""
        s = self.settings
        return Limits(s.max_image_bytes, s.max_image_pixels, s.max_image_frames, s.max_image_scans)

    @property
    def reply_to(self) -> str:
        """Where workers send results to requests which wait here."""
        return topology.replica_queue(self.settings.instance)

    def start(self) -> None:
        """Begin to serve."""
        watching = Loop(
            "purges", self.purges.refresh, every_seconds=self.purges.refresh_seconds, passing=StoreUnavailable
        )
        self.program.start(
            self.program.databases, watching, self.registry, self.hub, self.unseen, self.admission, self.dispatcher,
            self.group_commit,
        )  # fmt: skip

    def close(self) -> None:
        """Commit what is under way, and end."""
        self.program.stopping.set()
        self.program.close(_GOODBYE_SECONDS)
        self.uploads.shutdown(wait=False)


def _provider_of(settings: Settings) -> "OidcProvider | None":
    if not settings.oidc_issuer:
        return None
    # Here, and not above: its libraries take a second and ten megabytes, for those alone who have a provider.
    from imagemill.api.access.oidc import OidcProvider

    return OidcProvider(settings)


def first_token_printer(page_url: str) -> Callable[[str], None]:
    """Print the first admin's token, once; it can be read nowhere else afterwards."""
    return lambda text: print(f"The first admin token, shown this once: {text}\nLog in at {page_url}/login", flush=True)


def unseen_alerts(couch: Couch, hub: Hub) -> UnseenAlerts:
    """Count alerts that nobody has acknowledged, and tell open pages of them."""
    index, book = AlertIndex(couch), AlertStore(couch)

    def read() -> int:
        # During an upgrade programs of the former version acknowledge too.
        if incomplete := index.incomplete():
            book.complete(incomplete)
        return index.counts(AlertFilter()).new

    unseen = UnseenAlerts(read, lambda count: hub.tell("alerts", {"new": count}), hub.has_listeners)

    def first() -> bytes:
        try:
            return sse("alerts", {"new": unseen.now()})
        except StoreUnavailable:
            return b""  # it comes when it changes

    hub.notify(unseen.notice, unseen.doubt)
    hub.begin_with(first)
    return unseen


def build(settings: Settings) -> Services:
    """Build the services of one API process, not started yet. Raises RecipeError."""
    known = recipes.load(settings.recipes_file)
    replies = topology.replica_queue(settings.instance)
    program = Program("api", settings, threading.Event())
    stores, broker, activity = program.stores, program.broker, program.activity
    places = Places(settings.api_event_streams, settings.api_event_streams_per_address)
    counters = Counters(stores.counts)
    hub = Hub(places, counters, settings.api_threads // 2)
    own = replace(topology.replica(settings.instance), on_bound=hub.connected)
    broker.consume(replies, hub.receive, _REPLICA_PREFETCH, auto_ack=True, own=own)
    window = settings.commit_window_seconds
    bounds = Bounds(settings.commit_max_entries, window, lone_seconds=min(_LONE_SECONDS, window))
    claims = ClaimCheck(stores.blobs, settings.inline_max_bytes)
    # Longer than a proxy, or CouchDB, needs for a restart.
    settling_seconds = settings.couchdb_timeout_seconds / 2
    shares = Shares(settings.dispatch_share, settings.dispatch_seconds)
    dispatcher = Dispatcher(
        shares, stores.ledger, broker, claims, HeldJobs(stores.couch), settings.instance, settings.lease_seconds,
        lambda recipe: topology.pool_of(recipe, settings.pools),
    )  # fmt: skip
    hub.follow(dispatcher.ended)
    purges = PurgeWatch(stores.couch, PurgeTimes.by(settings.couchdb_timeout_seconds))
    commit = GroupCommit(
        stores.ledger, broker, claims, activity, dispatcher, settings.instance, bounds, settling_seconds, purges
    )
    uploads = ThreadPoolExecutor(settings.couchdb_connections, thread_name_prefix="upload")
    registry = Registry(AccessStore(stores.couch), settings, first_token_printer(settings.page_url))
    guard = Guard(settings, registry, shares.in_flight)
    audit = AuditStore(stores.couch)
    record = recorder(audit)
    cameras = service.build_service(settings, stores.couch, broker, replies, record, guard.still_allowed)
    trials = Trials(replies, broker.publish, settings.pools, settings.max_wait_seconds, guard.still_allowed)
    hub.also(trial_messages.TYPE, trials.arrived)
    hub.also(SNAPSHOT, cameras.snapshots.arrived)
    hub.also(camera_tests.TYPE, cameras.tests.arrived)
    hub.notify(cameras.notice)
    unseen = unseen_alerts(stores.couch, hub)
    admission = AdmissionControl(stores.couch, stores.ledger, settings.max_in_flight)
    identities = Identities(stores.ledger)
    return Services(
        settings, program, stores, broker, activity, hub, counters, admission, identities, purges, commit, shares,
        dispatcher, known, uploads, trials, cameras, unseen, registry,
        Guard(settings, registry, shares.in_flight), audit, record, _provider_of(settings),
    )  # fmt: skip
