"""What every program does at its start and its end."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import ValidationError

from imagemill import recipes
from imagemill.concurrency.retry import Stopped, until
from imagemill.process import logs
from imagemill.process.health import Check, Health, HealthServer
from imagemill.settings import Settings
from imagemill.store import activity_log, cameras, leases
from imagemill.store.blobs import Blobs
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.store.ledger import Ledger
from imagemill.store.rules import RuleStore
from imagemill.wire import topology
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, parameters_of

log = structlog.get_logger(__name__)
_STUCK_SECONDS = 60


def load_settings() -> Settings:
    """Settings from the environment; exits with one sentence per setting which is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for item in error.errors():
            name = "IMAGEMILL_" + "_".join(str(part) for part in item["loc"]).upper()
            print(f"error: setting {name}: {item['msg']} (it is {item['input']!r})", file=sys.stderr)
        sys.exit(2)


@dataclass(frozen=True)
class Stores:
    """The database side of a program. `there` is set once this program knows that the databases are."""

    couch: Couch
    blobs: Blobs
    ledger: Ledger
    there: threading.Event = field(default_factory=threading.Event, compare=False)

    def prepare(self) -> None:
        """Makes every database and view exist; the ledger last, by which others see that all are there."""
        self.blobs.prepare()
        leases.prepare(self.couch)
        activity_log.prepare(self.couch)
        cameras.prepare(self.couch)
        EventStore(self.couch).prepare()
        RuleStore(self.couch).prepare()
        self.ledger.prepare()


def open_stores(settings: Settings) -> Stores:
    """Connects lazily: nothing is asked of CouchDB before the first use."""
    couch = Couch(
        settings.couchdb_url.get_secret_value(),
        settings.couchdb_prefix,
        settings.couchdb_timeout_seconds,
        settings.couchdb_connections,
    )
    return Stores(couch, Blobs(couch), Ledger(couch))


def open_broker(
    settings: Settings,
    program: str,
    own: topology.Topology = topology.Topology(),  # noqa: B008
) -> Broker:
    """A broker connection which declares the shared topology, if it may, and the program's own."""
    parameters = parameters_of(settings.amqp_url.get_secret_value(), f"{program} {settings.instance}")
    shared = [topology.shared(settings, recipes.names(settings.recipes_file))] if settings.prepare else []
    wanted = [*shared, own] if own.queues else shared

    def prepare() -> None:
        if wanted:
            topology.declare_at(parameters, wanted)

    return Broker(parameters, prepare, settings.confirm_window, settings.confirm_timeout_seconds)


def open_activity(settings: Settings, program: str, broker: Broker) -> Activity:
    """What happens in this program; sent once it is started."""
    return Activity(broker, program, settings.instance, settings.activity_flush_seconds, settings.activity_max_records)


def wait_for_stores(stores: Stores, settings: Settings, stopping: threading.Event) -> None:
    """Waits until the databases are there, creating them if it may; says what it waits for."""

    def attempt() -> None:
        if settings.prepare:
            stores.prepare()
        if not stores.ledger.prepared():
            raise StoreUnavailable(f"the databases {settings.couchdb_prefix}-… are not created yet; the writer does it")

    # A conflict: another program makes the same databases at this moment.
    with contextlib.suppress(Stopped):
        until(attempt, stopping, on=(StoreUnavailable, Conflict), what="waiting for CouchDB")
        stores.there.set()


def prepare_stores_in_background(stores: Stores, settings: Settings) -> None:
    """For a program which answers requests meanwhile; until then it is not ready."""
    forever = threading.Event()
    threading.Thread(target=wait_for_stores, args=(stores, settings, forever), name="prepare", daemon=True).start()


def stop_on_signals() -> threading.Event:
    """An event which SIGTERM and SIGINT set."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def broker_alive(broker: Broker) -> Check:
    """Stuck when the connection's own thread has not run for long."""
    return lambda: None if broker.beat_age_seconds < _STUCK_SECONDS else "the broker connection's thread is stuck"


def broker_ready(broker: Broker) -> Check:
    """Not ready while the broker is not connected."""
    return lambda: None if broker.ready else "not connected to the broker"


def couch_ready(couch: Couch, remember_seconds: float = 2) -> Check:
    """Not ready while CouchDB does not answer; asks at most every `remember_seconds`."""
    last: list[tuple[float, str | None]] = [(-remember_seconds, None)]

    def check() -> str | None:
        asked, answer = last[0]
        if time.monotonic() - asked > remember_seconds:
            answer = _ping(couch)
            last[0] = (time.monotonic(), answer)
        return answer

    return check


def _ping(couch: Couch) -> str | None:
    try:
        couch.ping()
    except StoreUnavailable as error:
        return str(error)
    return None


def stores_ready(stores: Stores) -> Check:
    """Not ready before the databases are there, for a program which answers requests while they are made."""
    return lambda: None if stores.there.is_set() else "the databases are not there yet"


def health_of(broker: Broker, couch: Couch | None = None, stores: Stores | None = None, **alive: Check) -> Health:
    """What every program must have, the database if it needs one, and what else must be alive.

    `stores` are given by a program which does not wait for them before it connects to the broker.
    """
    ready = {"broker": broker_ready(broker)} | ({"couchdb": couch_ready(couch)} if couch else {})
    ready |= {"databases": stores_ready(stores)} if stores else {}
    return Health({"broker": broker_alive(broker), **alive}, ready)


def serve_health(settings: Settings, health: Health) -> HealthServer:
    """Starts the health server."""
    server = HealthServer(settings.health_host, settings.health_port, health).start()
    log.info("health", url=f"http://{settings.health_host}:{server.port}/readyz")
    return server


def run(program: str, main: Callable[[Settings, threading.Event], int]) -> None:
    """The frame of a program: settings, logs, signals, exit code."""
    settings = load_settings()
    logs.configure(settings.log_level, program, settings.instance)
    stopping = stop_on_signals()
    log.info("starting", program=program)
    code = main(settings, stopping)
    log.info("stopped", program=program, code=code)
    sys.exit(code)
