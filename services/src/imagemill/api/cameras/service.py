"""What the routes about cameras work with: the documents, who reads them, what is seen, and the test."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.api.cameras.camera_tests import CameraTests
from imagemill.api.cameras.snapshot_cache import SnapshotCache
from imagemill.api.images.posted_frames import PostedFrames
from imagemill.domain.activity import Record
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.store.camera_leases import Reader, ReadingStates, View
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Couch
from imagemill.wire.broker import Broker

COUNTS = "camera-counts"
_COUNTED = ("frames", "missed", "late", "unreadable")
_MOST_COUNTS = 20_000
# Of a reader that was never seen before only its own clock tells; clocks may differ so much.
_STRANGE_SECONDS = 60.0


@dataclass
class CameraService:
    """One per API process."""

    settings: Settings
    cameras: Cameras
    states: ReadingStates
    tests: CameraTests
    snapshots: SnapshotCache
    posted: PostedFrames
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def notice(self, record: Record) -> None:
        """An activity record; the analyzer's counts are remembered, the last of each camera."""
        if record.get("kind") != COUNTS or not isinstance(record.get("camera"), str):
            return
        if len(self.counts) >= _MOST_COUNTS:
            self.counts.pop(next(iter(self.counts)))
        counted = {name: record[name] for name in _COUNTED if isinstance(record.get(name), int)}
        self.counts[record["camera"]] = counted | {"at": record.get("at")}

    def shown(self, camera: Camera, view: View) -> dict[str, Any]:
        """State, reader and counts of a camera, as the API tells them."""
        lease = view.leases.get(camera.id)
        alive = self.alive(view)
        reads = lease is not None and lease.holder in alive
        state, problem = state_of(camera, view, alive)
        return {
            "state": state,
            "problem": problem,
            "since": lease.since if lease and lease.state == state else None,
            "reader": lease.holder if lease and reads else None,
            "generation": lease.generation if lease else 0,
            "counts": self.counts.get(camera.id),
        }

    def alive(self, view: View) -> dict[str, Reader]:
        """Readers that live, as far as this process can tell: those whose document goes on changing."""
        now = time.monotonic()
        limit = 2 * self.settings.camera_lease_seconds
        seen = dict(self._seen)
        self._seen = {
            reader.id: seen[reader.id] if seen.get(reader.id, ("",))[0] == reader.revision else (reader.revision, now)
            for reader in view.readers.values()
        }
        return {
            reader.id: reader
            for reader in view.readers.values()
            if now - self._seen[reader.id][1] < limit and (reader.id in seen or _is_recent(reader))
        }


def build_service(settings: Settings, couch: Couch, broker: Broker, reply_to: str) -> CameraService:
    """For a process whose replies come to a queue of its own."""
    snapshots, posted = SnapshotCache(reply_to, broker.submit), PostedFrames(broker.submit)
    return CameraService(settings, Cameras(couch), ReadingStates(couch), CameraTests(settings), snapshots, posted)


def state_of(camera: Camera, view: View, alive: Mapping[str, Reader]) -> tuple[str, str | None]:
    """`live`, `stalled`, `offline`, `unassigned`; `disabled`, `posted` and `ended` when nobody shall read it now."""
    lease = view.leases.get(camera.id)
    if not camera.enabled:
        return "disabled", None
    if camera.address is None:
        return "posted", "it has no address: pictures come by being posted with its id as source"
    if lease is not None and lease.ended == camera.revision:
        return "ended", "the file was played to its end; saving the camera plays it again"
    if lease is None or lease.holder not in alive:
        return "unassigned", _why_nobody(lease.problem if lease else None, alive)
    if lease.state in ("live", "stalled", "offline"):
        return lease.state, lease.problem
    return "offline", "it is being opened"


def _why_nobody(problem: str | None, alive: Mapping[str, Reader]) -> str:
    if not alive:
        return "no camera reader runs; start one"
    return problem or "a reader takes it in a moment"


def _is_recent(reader: Reader) -> bool:
    return abs(time.time() - reader.at) < _STRANGE_SECONDS
