"""`python -m imagemill.camera`: reads the cameras that this reader holds."""

import sys
import threading
import time
import uuid
from collections.abc import Callable

from imagemill.camera.feed_manager import FeedManager
from imagemill.camera.membership import Heartbeat
from imagemill.camera.offline_events import OfflineEventPublisher
from imagemill.camera.reconciler import Reconciler
from imagemill.camera.snapshots import SnapshotResponder
from imagemill.camera.tester import CameraTester
from imagemill.cameras.credentials import problem_of
from imagemill.concurrency.loop import Loop
from imagemill.process.program import Program, run
from imagemill.settings import Settings
from imagemill.store.camera_leases import Reader, ReadingStates
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.wire import topology
from imagemill.wire.broker import Delivery

_ROUNDS_PER_LEASE = 4
_REQUESTS_PREFETCH = 50
# Confirms which are waited for beside one frame per camera: looks, events, activity.
_OTHER_CONFIRMS = 300
_STUCK_LEASES = 10


def main(given: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    wrong = problem_of(given.camera_credentials_file, given.camera_credentials_anywhere)
    if wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 2
    settings = _own_settings(given)
    program = Program("camera", settings, stopping)
    broker, couch = program.broker, program.stores.couch
    holder = Reader(f"{settings.instance}-{uuid.uuid4().hex[:8]}", settings.camera_capacity, time.time())
    heartbeat = Heartbeat(ReadingStates(couch), holder, settings.camera_lease_seconds)
    feeds = FeedManager(settings, broker, heartbeat)
    reconciler = _reconciler(program, heartbeat, feeds)
    responder = SnapshotResponder(feeds.newest, broker)
    tester = CameraTester(holder.id, broker, settings.camera_test_seconds)
    requests = topology.reader_queue(settings.instance)
    broker.consume(requests, _between(tester, responder), _REQUESTS_PREFETCH, auto_ack=True, own=topology.reader())

    def tick() -> None:
        # Who cannot send must not hold: without the broker it is silent, and another takes its cameras.
        if broker.ready:
            reconciler.tick()

    rounds = Loop(
        "rounds", tick, every_seconds=settings.camera_lease_seconds / _ROUNDS_PER_LEASE, at_end=reconciler.leave,
        passing=(StoreUnavailable, Conflict), limit_seconds=settings.camera_lease_seconds * _STUCK_LEASES,
    )  # fmt: skip
    return program.run(responder, tester, feeds, rounds)


def _between(tester: CameraTester, responder: SnapshotResponder) -> Callable[[Delivery], None]:
    """Hand a request to whom it concerns."""
    return lambda delivery: None if tester.takes(delivery) else responder.put(delivery)


def _reconciler(program: Program, heartbeat: Heartbeat, feeds: FeedManager) -> Reconciler:
    couch = program.stores.couch
    return Reconciler(
        heartbeat, ReadingStates(couch), Cameras(couch), feeds,
        OfflineEventPublisher(program.broker, EventStore(couch)), program.activity,
        program.settings.camera_offline_alert_seconds,
    )  # fmt: skip


def _own_settings(settings: Settings) -> Settings:
    """An answer that comes after the lease is no use, and the sending thread must never wait for room."""
    return settings.model_copy(
        update={
            "couchdb_timeout_seconds": min(settings.couchdb_timeout_seconds, settings.camera_lease_seconds / 2),
            "confirm_window": max(settings.confirm_window, settings.camera_capacity + _OTHER_CONFIRMS),
        }
    )


if __name__ == "__main__":
    run("camera", main)
