"""`python -m imagemill.camera`: reads the cameras that this reader holds."""

import threading
import time
import uuid

import structlog

from imagemill.camera.feed_manager import FeedManager
from imagemill.camera.membership import Heartbeat
from imagemill.camera.offline_events import OfflineEventPublisher
from imagemill.camera.reconciler import Reconciler
from imagemill.camera.snapshots import SnapshotResponder
from imagemill.process import runtime
from imagemill.settings import Settings
from imagemill.store.camera_leases import Reader, ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.wire import topology
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker

log = structlog.get_logger(__name__)
_ROUNDS_PER_LEASE = 4
_LOOKS_PREFETCH = 50
# Confirms which are waited for beside one frame per camera: looks, events, activity.
_OTHER_CONFIRMS = 300
_STUCK_LEASES = 10


def main(given: Settings, stopping: threading.Event) -> int:
    """Runs until told to stop."""
    settings = _own_settings(given)
    stores = runtime.open_stores(settings)
    broker = runtime.open_broker(settings, "camera", topology.reader(settings.instance))
    activity = runtime.open_activity(settings, "camera", broker)
    holder = Reader(f"{settings.instance}-{uuid.uuid4().hex[:8]}", settings.camera_capacity, time.time())
    heartbeat = Heartbeat(ReadingStates(stores.couch), holder, settings.camera_lease_seconds)
    feeds = FeedManager(settings, broker, heartbeat)
    reconciler = _reconciler(settings, stores.couch, broker, heartbeat, feeds, activity)
    responder = SnapshotResponder(feeds.newest, broker)
    broker.consume(topology.reader_queue(settings.instance), responder.put, _LOOKS_PREFETCH, auto_ack=True)
    beat = _Beat(settings.camera_lease_seconds * _STUCK_LEASES)
    health = runtime.serve_health(settings, runtime.health_of(broker, stores.couch, rounds=beat.problem))
    runtime.wait_for_stores(stores, settings, stopping)
    broker.start()
    activity.start()
    feeds.start()
    responder.start()
    _rounds(reconciler, broker, beat, settings.camera_lease_seconds / _ROUNDS_PER_LEASE, stopping)
    _leave(reconciler)
    feeds.close()
    responder.close()
    activity.close()
    broker.close()
    health.close()
    return 0


def _reconciler(
    settings: Settings, couch: Couch, broker: Broker, heartbeat: Heartbeat, feeds: FeedManager, activity: Activity
) -> Reconciler:
    states, offline_events = ReadingStates(couch), OfflineEventPublisher(broker, EventStore(couch))
    return Reconciler(
        heartbeat, states, Cameras(couch), feeds, offline_events, activity, settings.camera_offline_alert_seconds
    )


class _Beat:
    """When the last round ended, in whatever way. To wait for the database before the first one is no illness."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._last: float | None = None

    def now(self) -> None:
        self._last = time.monotonic()

    def problem(self) -> str | None:
        age = 0.0 if self._last is None else time.monotonic() - self._last
        return None if age < self._limit else f"no round has ended for {age:.0f} s"


def _own_settings(settings: Settings) -> Settings:
    """An answer that comes after the lease is no use, and the sending thread must never wait for room."""
    return settings.model_copy(
        update={
            "couchdb_timeout_seconds": min(settings.couchdb_timeout_seconds, settings.camera_lease_seconds / 2),
            "confirm_window": max(settings.confirm_window, settings.camera_capacity + _OTHER_CONFIRMS),
        }
    )


def _rounds(
    reconciler: Reconciler, broker: Broker, beat: _Beat, every_seconds: float, stopping: threading.Event
) -> None:
    beat.now()
    while not stopping.is_set():
        began = time.monotonic()
        try:
            # Who cannot send must not hold: without the broker it is silent, and another takes its cameras.
            if broker.ready:
                reconciler.tick()
        except (StoreUnavailable, Conflict) as error:
            log.warning("CouchDB does not answer; cameras are held while leases last", error=str(error))
        beat.now()
        stopping.wait(max(0.1, every_seconds - (time.monotonic() - began)))


def _leave(reconciler: Reconciler) -> None:
    try:
        reconciler.leave()
    except StoreUnavailable as error:
        log.warning("cameras are not given back, others take them when the leases end", error=str(error))


if __name__ == "__main__":
    runtime.run("camera", main)
