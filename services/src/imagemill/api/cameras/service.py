"""What can be done with cameras: read, changed by compare-and-set, tested, looked at. It knows no HTTP."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.api.access.audit import Recorder
from imagemill.api.cameras.camera_tests import CameraTests
from imagemill.api.cameras.pasted import free_name, taken_apart
from imagemill.api.cameras.snapshot_cache import SnapshotCache
from imagemill.api.cameras.status import CameraCounts, CameraStatus, is_recent, status_of
from imagemill.api.images.posted_frames import PostedFrames
from imagemill.api.live.questions import StillAllowed
from imagemill.cameras.credentials import names_of
from imagemill.cameras.specs import refusal
from imagemill.domain.activity import Record
from imagemill.domain.cameras import Camera
from imagemill.domain.errors import AlreadyExists, Invalid, NotFound, changed_meanwhile
from imagemill.process.secret_files import SecretFile
from imagemill.settings import Settings
from imagemill.store.camera_leases import Reader, ReadingStates, View
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Conflict, Couch
from imagemill.wire.broker import Broker

COUNTS = "camera-counts"
_COUNTED = ("frames", "missed", "late", "unreadable")
_MOST_COUNTS = 20_000


@dataclass
class CameraService:
    """One per API process. Every method may raise StoreUnavailable."""

    settings: Settings
    cameras: Cameras
    states: ReadingStates
    tests: CameraTests
    snapshots: SnapshotCache
    posted: PostedFrames
    record: Recorder
    counts: dict[str, CameraCounts] = field(default_factory=dict)
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def camera(self, camera_id: str) -> Camera:
        """Read a camera; raises NotFound."""
        found = self.cameras.get(camera_id)
        if found is None:
            raise NotFound("unknown-camera", f"There is no camera {camera_id!r}.")
        return found

    def check_camera(self, given: Mapping[str, Any]) -> Camera:
        """Make a camera of its JSON form; raises Invalid, also when the settings do not allow it."""
        try:
            camera = Camera.parse(given)
        except Invalid as error:
            raise Invalid(
                "bad-camera", f"The camera cannot be saved: {error}.", error.member, error.mistakes
            ) from error
        reason = refusal(camera, self.settings)
        if reason:
            raise Invalid("address-refused", f"The settings do not allow this address: {reason}.", "address")
        return camera

    @property
    def keeps_credentials(self) -> bool:
        """May a user and password be added to the credentials file?"""
        return self.settings.secret_files_writable and self.settings.camera_credentials_file is not None

    def with_kept_credentials(self, given: Mapping[str, Any], is_new: bool, revision: str | None) -> dict[str, Any]:
        """Keep user and password of a pasted address in the credentials file, and name their entry; raises Invalid.

        Nothing is kept when the camera cannot be saved for another reason.
        """
        file, pasted = self.settings.camera_credentials_file, taken_apart(str(given.get("address", "")))
        if pasted is None or file is None or not self.keeps_credentials:
            return dict(given)
        bare = {name: value for name, value in given.items() if name != "credentials"} | {"address": pasted.address}
        camera = self.check_camera(bare)
        known = self.cameras.get(camera.id)
        if is_new == (known is not None) or (known and revision not in (None, known.revision)):
            return bare
        name = free_name(camera.id, names_of(file))
        SecretFile(file).add(name, pasted.entry)
        self.record("camera-credentials.add", name, after={"hosts": pasted.entry["hosts"]})
        return bare | {"credentials": name}

    def add_camera(self, given: Mapping[str, Any]) -> Camera:
        """Save a new camera; raises Invalid or AlreadyExists."""
        camera = self.check_camera(given)
        try:
            saved = self.cameras.put(camera)
        except Conflict:
            sentence = f"There is a camera {camera.id!r} already; change that one, or give this one another id."
            raise AlreadyExists("camera-exists", sentence) from None
        self.record("camera.add", saved.id, after=saved.as_json())
        return saved

    def put_camera(self, camera_id: str, given: Mapping[str, Any], revision: str | None) -> Camera:
        """Save a camera over a revision (None: over the newest); raises NotFound, Invalid or ChangedMeanwhile."""
        before = self.camera(camera_id)
        camera = self.check_camera({"id": camera_id, **given, "revision": revision or before.revision})
        if camera.id != camera_id:
            raise Invalid("bad-camera", f"The id is {camera_id!r} and stays so; add a new camera instead.", "id")
        try:
            saved = self.cameras.put(camera)
        except Conflict:
            raise changed_meanwhile(camera_id) from None
        self.record("camera.change", camera_id, before.as_json(), saved.as_json())
        return saved

    def remove_camera(self, camera_id: str, revision: str | None) -> None:
        """Remove a revision of a camera (None: the newest); raises NotFound or ChangedMeanwhile."""
        found = self.camera(camera_id)
        if revision not in (None, found.revision):
            raise changed_meanwhile(camera_id)
        try:
            self.cameras.remove(found)
        except Conflict:
            raise changed_meanwhile(camera_id) from None
        self.record("camera.remove", camera_id, before=found.as_json())

    def notice(self, record: Record) -> None:
        """Remember the analyzer's counts among the activity records, the last of each camera."""
        if record.get("kind") != COUNTS or not isinstance(record.get("camera"), str):
            return
        if len(self.counts) >= _MOST_COUNTS:
            self.counts.pop(next(iter(self.counts)))
        counted = {name: record[name] for name in _COUNTED if isinstance(record.get(name), int)}
        self.counts[record["camera"]] = CameraCounts(**counted, at=record.get("at"))

    def status(self, camera: Camera, view: View) -> CameraStatus:
        """Tell how a camera is."""
        return status_of(camera, view, self.alive(view), self.counts.get(camera.id))

    def alive(self, view: View) -> dict[str, Reader]:
        """Find the readers that live, as far as this process can tell: those whose document goes on changing."""
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
            if now - self._seen[reader.id][1] < limit and (reader.id in seen or is_recent(reader))
        }

    def idlest_readers(self) -> list[str]:
        """Ids of the readers that live, those first that hold the fewest cameras."""
        view = self.states.view()
        held = Counter(lease.holder for lease in view.leases.values())
        return sorted(self.alive(view), key=lambda reader: (held[reader], reader))


def build_service(
    settings: Settings, couch: Couch, broker: Broker, reply_to: str, record: Recorder, still_allowed: StillAllowed
) -> CameraService:
    """Build the service of a process whose replies come to a queue of its own."""
    snapshots, posted = SnapshotCache(reply_to, broker.submit), PostedFrames(broker.submit)
    tests = CameraTests(
        reply_to, broker.submit, lambda: service.idlest_readers(), settings.camera_test_seconds, still_allowed
    )
    service = CameraService(settings, Cameras(couch), ReadingStates(couch), tests, snapshots, posted, record)
    return service
