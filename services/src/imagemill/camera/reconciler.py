"""One round of a reader, again and again: beat, look, decide, write, read."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
from prometheus_client import Gauge

from imagemill.camera.assignment import Assignment, plan
from imagemill.camera.membership import Heartbeat
from imagemill.camera.offline import ENDED, FULL, LIVE, UNASSIGNED, Away, Seen, seen, watched
from imagemill.camera.reading import Reading
from imagemill.domain.cameras import Camera
from imagemill.store.camera_leases import CameraLease, ReadingStates, View
from imagemill.store.cameras import Cameras
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)
FEEDS = Gauge("imagemill_camera_feeds", "Cameras held by this reader, by state", ["state"])
_BY_SETTINGS = "settings"
_STATES = ("live", "stalled", "offline", "ended")


class Feeds(Protocol):
    """Where cameras are read (see FeedManager)."""

    @property
    def cameras(self) -> list[str]: ...
    def open(self, camera: Camera, generation: int) -> None: ...
    def reading(self, camera_id: str) -> Reading | None: ...
    def close_reading(self, camera_id: str) -> None: ...


class OfflineEvents(Protocol):
    """Who tells that a camera is away (see OfflineEventPublisher)."""

    def tell(self, changes: Mapping[str, Away], now: float) -> frozenset[str]: ...


@dataclass
class Round:
    """What a round has found and decided, by camera: leases as they shall be, and changes of being away."""

    now: float
    view: View
    wanted: Mapping[str, Camera]
    next: dict[str, CameraLease] = field(default_factory=dict)
    remove: list[CameraLease] = field(default_factory=list)
    take: list[str] = field(default_factory=list)
    changes: dict[str, Away] = field(default_factory=dict)

    def lease(self, camera_id: str) -> CameraLease:
        """As it was read; new ones begin at the time, so that generations also grow after everything was lost."""
        return self.view.leases.get(camera_id) or CameraLease(camera_id, generation=int(self.now), since=self.now)


class Reconciler:
    """Keeps this reader's cameras."""

    def __init__(
        self, heartbeat: Heartbeat, states: ReadingStates, cameras: Cameras, feeds: Feeds,
        offline_events: OfflineEvents, activity: Activity, alert_seconds: float,
    ) -> None:  # fmt: skip
        self._heartbeat, self._states, self._cameras, self._feeds = heartbeat, states, cameras, feeds
        self._offline_events, self._activity, self._alert_seconds = offline_events, activity, alert_seconds
        self._known: tuple[str, dict[str, Camera]] = ("", {})

    def tick(self) -> None:
        """One round; raises StoreUnavailable, and then everything stays as it is until touch is lost."""
        now = time.time()
        self._heartbeat.beat(now)
        cameras = self._all_cameras()
        view = self._states.view()
        wanted = {camera.id: camera for camera in cameras.values() if _is_wanted(camera, view)}
        current = Round(now, view, wanted)
        self._decide(current, cameras)
        self._act(current)
        self._heartbeat.incomplete = False
        gone = self._heartbeat.gone(view)
        if gone:
            self._states.remove_readers(gone)

    def leave(self) -> None:
        """Gives everything up, so that others take it at once."""
        for camera_id in self._feeds.cameras:
            self._feeds.close_reading(camera_id)
        mine = [lease for lease in self._states.view().leases.values() if lease.holder == self._heartbeat.me.id]
        self._states.write([_released(lease, time.time()) for lease in mine])
        self._heartbeat.leave()

    def _all_cameras(self) -> dict[str, Camera]:
        sequence = self._cameras.sequence()
        if sequence != self._known[0]:
            self._known = (sequence, self._cameras.all())
        return self._known[1]

    def _decide(self, current: Round, cameras: Mapping[str, Camera]) -> None:
        me, capacities = self._heartbeat.me.id, self._heartbeat.alive(current.view)
        leases = current.view.leases
        decided = plan(me, capacities, {one: leases[one].holder if one in leases else None for one in current.wanted})
        for lease in leases.values():
            if lease.holder == me:
                self._decide_own(current, lease, cameras, decided)
            elif lease.camera not in current.wanted and lease.holder not in capacities:
                self._tidy(current, lease, lease.camera in cameras)
        current.take += decided.take
        if me == min(reader for reader, capacity in capacities.items() if capacity):
            for camera_id in decided.nobody:
                self._watch(current, camera_id, Seen(UNASSIGNED, FULL))

    def _tidy(self, current: Round, lease: CameraLease, camera_is_there: bool) -> None:
        if lease.alerted or not camera_is_there:
            self._retire(current, lease, keep=camera_is_there)

    def _decide_own(
        self, current: Round, lease: CameraLease, cameras: Mapping[str, Camera], decided: Assignment
    ) -> None:
        camera = current.wanted.get(lease.camera)
        if camera is None:
            self._retire(current, lease, keep=lease.camera in cameras)
        elif lease.camera in decided.give_up:
            current.next[lease.camera] = _released(lease, current.now)
        elif self._heartbeat.incomplete or not self._reads(camera):
            current.take.append(lease.camera)
        else:
            self._watch_own(current, camera)

    def _reads(self, camera: Camera) -> bool:
        reading = self._feeds.reading(camera.id)
        return reading is not None and reading.camera == camera

    def _watch_own(self, current: Round, camera: Camera) -> None:
        reading = self._feeds.reading(camera.id)
        found = seen(reading.status) if reading else None
        if found is None:
            return
        self._watch(current, camera.id, found)
        if found.state == ENDED:
            lease = current.next[camera.id]
            current.next[camera.id] = replace(lease, holder=None, ended=camera.revision)

    def _watch(self, current: Round, camera_id: str, found: Seen) -> None:
        lease = current.lease(camera_id)
        after, change = watched(lease, found, current.now, self._alert_seconds)
        current.next[camera_id] = after
        if change:
            current.changes[camera_id] = Away(after) if change == "new" else Away(lease, LIVE)

    def _retire(self, current: Round, lease: CameraLease, keep: bool = False) -> None:
        """Nobody shall read it any more; being away ends with that."""
        if lease.alerted:
            current.changes[lease.camera] = Away(lease, _BY_SETTINGS)
        if keep:
            current.next[lease.camera] = replace(_released(lease, current.now), down_since=None, alerted=False)
        else:
            current.remove.append(lease)

    def _act(self, current: Round) -> None:
        for camera_id in self._feeds.cameras:
            lease = current.next.get(camera_id) or current.view.leases.get(camera_id)
            if lease is None or lease.holder != self._heartbeat.me.id or camera_id not in current.wanted:
                self._feeds.close_reading(camera_id)
        told = self._offline_events.tell(current.changes, current.now)
        for camera_id in current.changes.keys() - told:
            self._untold(current, camera_id)
        for camera_id in current.take:
            current.next[camera_id] = self._taken(current.lease(camera_id))
        changed = [lease for lease in current.next.values() if lease != current.view.leases.get(lease.camera)]
        done = self._states.write(changed, current.remove)
        self._note(current, [lease for lease in changed if lease.camera in done])
        for camera_id in current.take:
            if camera_id in done:
                self._read(current.wanted[camera_id], current.next[camera_id].generation)
            else:
                self._feeds.close_reading(camera_id)

    def _untold(self, current: Round, camera_id: str) -> None:
        """It could not be told now: the lease goes on saying what was told, and the next round tries again."""
        before = current.view.leases.get(camera_id)
        current.remove = [lease for lease in current.remove if lease.camera != camera_id]
        if before is None:
            current.next.pop(camera_id, None)
        else:
            current.next[camera_id] = before

    def _taken(self, lease: CameraLease) -> CameraLease:
        return replace(lease, holder=self._heartbeat.me.id, generation=lease.generation + 1, ended=None)

    def _read(self, camera: Camera, generation: int) -> None:
        reading = self._feeds.reading(camera.id)
        if reading is not None and reading.camera == camera:
            reading.renew(generation)
        else:
            self._feeds.open(camera, generation)

    def _note(self, current: Round, written: list[CameraLease]) -> None:
        before = current.view.leases
        for lease in written:
            old = before.get(lease.camera)
            if old is None or (old.state, old.problem, old.holder) != (lease.state, lease.problem, lease.holder):
                facts = {"camera": lease.camera, "state": lease.state, "reader": lease.holder}
                # What is wrong names hosts and paths; the activity is shown to everybody.
                self._activity.note("camera", **facts)
                log.info("camera", generation=lease.generation, problem=lease.problem, **facts)
        mine = [
            lease.state for lease in (dict(before) | current.next).values() if lease.holder == self._heartbeat.me.id
        ]
        for state in _STATES:
            FEEDS.labels(state).set(mine.count(state))


def _is_wanted(camera: Camera, view: View) -> bool:
    lease = view.leases.get(camera.id)
    return camera.is_read and (lease is None or lease.ended != camera.revision)


def _released(lease: CameraLease, now: float) -> CameraLease:
    """Free for whoever has room. A state that was bad stays, and with it the time since when."""
    if lease.state == "live":
        lease = replace(lease, state=UNASSIGNED, problem=None, since=now)
    return replace(lease, holder=None)
