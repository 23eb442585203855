"""`python -m imagemill.analyzer`: notices motion in the frames of cameras."""

import threading

import cv2

from imagemill.analyzer.cameras import CameraSettings
from imagemill.analyzer.partition import Partition
from imagemill.analyzer.publisher import EventPublisher
from imagemill.analyzer.silence import SilenceWatch
from imagemill.analyzer.state import StateStore
from imagemill.concurrency.loop import Loop
from imagemill.process.program import Program, run
from imagemill.settings import Settings
from imagemill.store.couch import StoreUnavailable
from imagemill.store.events import EventStore
from imagemill.store.leases import Lease
from imagemill.wire import topology

_SILENCE_EVERY_SECONDS = 30.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    cv2.setNumThreads(1)
    program = Program("analyzer", settings, stopping)
    couch = program.stores.couch
    cameras, states = CameraSettings(couch), StateStore(couch)
    publisher = EventPublisher(EventStore(couch), program.broker, stopping)
    partitions = _partitions(program, cameras, states, publisher)
    for partition in partitions:
        program.broker.consume(partition.name, partition.put, settings.analyzer_prefetch)
    lease = Lease(couch, "silence", settings.instance, settings.lease_seconds)
    silence = Loop(
        "silence", SilenceWatch(cameras, states, publisher, lease).round, every_seconds=_SILENCE_EVERY_SECONDS,
        at_once=False, passing=StoreUnavailable,
    )  # fmt: skip
    refresh = Loop("cameras", cameras.refresh, every_seconds=settings.cameras_refresh_seconds)
    return program.run(refresh, *partitions, silence)


def _partitions(
    program: Program, cameras: CameraSettings, states: StateStore, publisher: EventPublisher
) -> list[Partition]:
    settings = program.settings
    each = max(1, settings.analyzer_max_sources // settings.frame_partitions)
    return [
        Partition(
            topology.frames_queue(number),
            cameras,
            states,
            publisher,
            program.activity,
            settings.analyzer_save_seconds,
            each,
            program.stopping,
        )
        for number in range(settings.frame_partitions)
    ]


if __name__ == "__main__":
    run("analyzer", main)
