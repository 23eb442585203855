"""Newest frames of cameras, asked for when somebody looks: at most once a second each, in bounded memory."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

import structlog

from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.snapshots import Snapshot, SnapshotRequest, snapshot_of, snapshot_request_message

log = structlog.get_logger(__name__)

SIZES = {"small": 320, "full": 0}
_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ENTRIES = 2000
_MOST_WAITING = 8

Key = tuple[str, int]


@dataclass(frozen=True)
class _Kept:
    snapshot: Snapshot | None
    until: float


class SnapshotCache:
    """Asks the readers, keeps what they answer for a second."""

    def __init__(self, reply_to: str, submit: Callable[[Outgoing], object]) -> None:
        self._reply_to, self._submit = reply_to, submit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._asked: dict[Key, Future[Snapshot]] = {}
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def newest(self, camera: str, width: int) -> Snapshot | None:
        """The newest frame, at most a second old news; None when no reader has one. Raises BrokerUnavailable."""
        key = (camera, width)
        with self._lock:
            kept = self._kept.get(key)
            if kept and time.monotonic() < kept.until:
                return kept.snapshot
        if not self._waiting.acquire(blocking=False):
            return kept.snapshot if kept else None
        try:
            return self._keep(key, self._answer(key))
        finally:
            self._waiting.release()

    def arrived(self, delivery: Delivery) -> None:
        """A reader's answer (in the connection's thread)."""
        try:
            snapshot = snapshot_of(delivery)
        except ValueError as error:
            log.error("unreadable snapshot dropped", error=str(error))
            return
        with self._lock:
            future = self._asked.pop((snapshot.camera, snapshot.width), None)
        if future is not None:
            future.set_result(snapshot)

    def _answer(self, key: Key) -> Snapshot | None:
        with self._lock:
            future, is_new = self._asked.get(key), key not in self._asked
            if future is None:
                future = self._asked[key] = Future()
        try:
            if is_new:
                self._submit(snapshot_request_message(SnapshotRequest(*key, self._reply_to)))
            return future.result(timeout=_PATIENCE_SECONDS)
        except FutureTimeout:
            return None
        finally:
            with self._lock:
                if self._asked.get(key) is future:
                    del self._asked[key]

    def _keep(self, key: Key, snapshot: Snapshot | None) -> Snapshot | None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = _Kept(snapshot, time.monotonic() + _FRESH_SECONDS)
            while len(self._kept) > _MOST_ENTRIES or self._bytes() > _MOST_BYTES:
                self._kept.popitem(last=False)
        return snapshot

    def _bytes(self) -> int:
        return sum(len(kept.snapshot.data) for kept in self._kept.values() if kept.snapshot)
