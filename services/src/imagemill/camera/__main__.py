"""`python -m imagemill.camera`: reads the cameras that this reader holds."""

import threading
import time
import uuid

import structlog

from imagemill.camera.feed_manager import Desk
from imagemill.camera.membership import Touch
from imagemill.camera.offline_events import Teller
from imagemill.camera.reconciler import Keeper
from imagemill.camera.snapshots import Showing
from imagemill.cameras.feeds import Grab
from imagemill.process import runtime
from imagemill.settings import Settings
from imagemill.store.camera_leases import Reader, ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.wire import topology
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, Consumer

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
    showing = Showing(lambda camera: _newest(desk, camera))
    own = topology.reader(settings.instance)
    consumer = Consumer(own.queues[0].name, showing.put, _LOOKS_PREFETCH, auto_ack=True)
    broker = runtime.open_broker(settings, "camera", [consumer], own)
    activity = runtime.open_activity(settings, "camera", broker)
    desk = Desk(settings, broker, lambda: keeper.may_send)
    keeper = _keeper(settings, stores.couch, broker, desk, activity)
    beat = _Beat(settings.camera_lease_seconds * _STUCK_LEASES)
    health = runtime.serve_health(settings, runtime.health_of(broker, stores.couch, rounds=beat.problem))
    runtime.wait_for_stores(stores, settings, stopping)
    broker.start()
    activity.start()
    desk.start()
    showing.start(broker)
    _rounds(keeper, broker, beat, settings.camera_lease_seconds / _ROUNDS_PER_LEASE, stopping)
    _leave(keeper)
    desk.close()
    showing.close()
    activity.close()
    broker.close()
    health.close()
    return 0


def _keeper(settings: Settings, couch: Couch, broker: Broker, desk: Desk, activity: Activity) -> Keeper:
    holder = Reader(f"{settings.instance}-{uuid.uuid4().hex[:8]}", settings.camera_capacity, time.time())
    states, teller = ReadingStates(couch), Teller(broker, EventStore(couch))
    touch = Touch(states, holder, settings.camera_lease_seconds)
    return Keeper(touch, states, Cameras(couch), desk, teller, activity, settings.camera_offline_alert_seconds)


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


def _newest(desk: Desk, camera: str) -> Grab | None:
    reading = desk.reading(camera)
    return reading.newest if reading else None


def _rounds(keeper: Keeper, broker: Broker, beat: _Beat, every_seconds: float, stopping: threading.Event) -> None:
    beat.now()
    while not stopping.is_set():
        began = time.monotonic()
        try:
            # Who cannot send must not hold: without the broker it is silent, and another takes its cameras.
            if broker.ready:
                keeper.tick()
        except (StoreUnavailable, Conflict) as error:
            log.warning("CouchDB does not answer; cameras are held while leases last", error=str(error))
        beat.now()
        stopping.wait(max(0.1, every_seconds - (time.monotonic() - began)))


def _leave(keeper: Keeper) -> None:
    try:
        keeper.leave()
    except StoreUnavailable as error:
        log.warning("cameras are not given back, others take them when the leases end", error=str(error))


if __name__ == "__main__":
    runtime.run("camera", main)
