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
from imagemill.wire.snapshots import Look, Sight, look_message, sight_of

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
    sight: Sight | None
    until: float


class Sights:
    """Asks the readers, keeps what they answer for a second."""

    def __init__(self, reply_to: str, submit: Callable[[Outgoing], object]) -> None:
        self._reply_to, self._submit = reply_to, submit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._asked: dict[Key, Future[Sight]] = {}
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def newest(self, camera: str, width: int) -> Sight | None:
        """The newest frame, at most a second old news; None when no reader has one. Raises BrokerUnavailable."""
        key = (camera, width)
        with self._lock:
            kept = self._kept.get(key)
            if kept and time.monotonic() < kept.until:
                return kept.sight
        if not self._waiting.acquire(blocking=False):
            return kept.sight if kept else None
        try:
            return self._keep(key, self._answer(key))
        finally:
            self._waiting.release()

    def arrived(self, delivery: Delivery) -> None:
        """A reader's answer (in the connection's thread)."""
        try:
            sight = sight_of(delivery)
        except ValueError as error:
            log.error("unreadable sight dropped", error=str(error))
            return
        with self._lock:
            future = self._asked.pop((sight.camera, sight.width), None)
        if future is not None:
            future.set_result(sight)

    def _answer(self, key: Key) -> Sight | None:
        with self._lock:
            future, is_new = self._asked.get(key), key not in self._asked
            if future is None:
                future = self._asked[key] = Future()
        try:
            if is_new:
                self._submit(look_message(Look(*key, self._reply_to)))
            return future.result(timeout=_PATIENCE_SECONDS)
        except FutureTimeout:
            return None
        finally:
            with self._lock:
                if self._asked.get(key) is future:
                    del self._asked[key]

    def _keep(self, key: Key, sight: Sight | None) -> Sight | None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = _Kept(sight, time.monotonic() + _FRESH_SECONDS)
            while len(self._kept) > _MOST_ENTRIES or self._bytes() > _MOST_BYTES:
                self._kept.popitem(last=False)
        return sight

    def _bytes(self) -> int:
        return sum(len(kept.sight.data) for kept in self._kept.values() if kept.sight)
