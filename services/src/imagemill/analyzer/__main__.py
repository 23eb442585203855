"""`python -m imagemill.analyzer`: notices motion in the frames of cameras."""

import threading

import cv2
import structlog

from imagemill.analyzer.cameras import CameraSettings
from imagemill.analyzer.partition import Partition
from imagemill.analyzer.publisher import EventPublisher
from imagemill.analyzer.silence import SilenceWatch
from imagemill.analyzer.state import StateStore
from imagemill.concurrency.retry import Stopped
from imagemill.process import runtime
from imagemill.process.health import Check
from imagemill.settings import Settings
from imagemill.store.events import EventStore
from imagemill.store.leases import Lease
from imagemill.wire import topology
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)
_SILENCE_EVERY_SECONDS = 30.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Runs until told to stop."""
    cv2.setNumThreads(1)
    stores = runtime.open_stores(settings)
    cameras, states = CameraSettings(stores.couch), StateStore(stores.couch)
    broker = runtime.open_broker(settings, "analyzer")
    activity = runtime.open_activity(settings, "analyzer", broker)
    publisher = EventPublisher(EventStore(stores.couch), broker, stopping)
    partitions = _partitions(settings, cameras, states, publisher, activity, stopping)
    for partition in partitions:
        broker.consume(partition.name, partition.put, settings.analyzer_prefetch)
    healthy = runtime.health_of(broker, stores.couch, work=_all_alive(partitions, stopping))
    health = runtime.serve_health(settings, healthy)
    runtime.wait_for_stores(stores, settings, stopping)
    cameras.refresh()
    cameras.keep_fresh(settings.cameras_refresh_seconds, stopping)
    activity.start()
    for partition in partitions:
        partition.start()
    broker.start()
    lease = Lease(stores.couch, "silence", settings.instance, settings.lease_seconds)
    _watch(SilenceWatch(cameras, states, publisher, lease), stopping)
    broker.stop_consuming()
    drained = not [partition for partition in partitions if not partition.join(settings.drain_seconds)]
    activity.close()
    broker.close()
    health.close()
    return 0 if drained else 1


def _partitions(
    settings: Settings,
    cameras: CameraSettings,
    states: StateStore,
    publisher: EventPublisher,
    activity: Activity,
    stopping: threading.Event,
) -> list[Partition]:
    each = max(1, settings.analyzer_max_sources // settings.frame_partitions)
    return [
        Partition(
            topology.frames_queue(number),
            cameras,
            states,
            publisher,
            activity,
            settings.analyzer_save_seconds,
            each,
            stopping,
        )
        for number in range(settings.frame_partitions)
    ]


def _all_alive(partitions: list[Partition], stopping: threading.Event) -> Check:
    def check() -> str | None:
        dead = [partition.name for partition in partitions if not partition.alive]
        return f"nobody works on {', '.join(dead)} any more" if dead and not stopping.is_set() else None

    return check


def _watch(silence: SilenceWatch, stopping: threading.Event) -> None:
    while not stopping.wait(_SILENCE_EVERY_SECONDS):
        try:
            silence.round()
        except Stopped:
            return


if __name__ == "__main__":
    runtime.run("analyzer", main)
