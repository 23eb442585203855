"""Pictures that were posted with a source take the way of camera frames too, from their source to the analyzer."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import structlog
from prometheus_client import Counter

from imagemill.wire.broker import BrokerUnavailable, Outgoing
from imagemill.wire.frames import SourceFrame, frame_message

log = structlog.get_logger(__name__)
POSTED = Counter("imagemill_posted_frames", "Pictures posted with a source, by whether they became frames", ["result"])

# A message takes 16 MiB with its headers.
MOST_FRAME_BYTES = 15 * 1024 * 1024
_MOST_OUTSTANDING_BYTES = 64 * 1024 * 1024


class PostedFrames:
    """Publishes without waiting; what is under way is bounded in bytes, and more is dropped and counted.

    The picture itself is safe in the ledger by then: only what the analyzer would have seen in it is lost.
    """

    def __init__(self, submit: Callable[[Outgoing], "Future[None]"]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self._outstanding = 0

    def offer(self, source: str, data: bytes) -> None:
        """A picture that was accepted."""
        if not self._reserve(len(data)):
            POSTED.labels("dropped").inc()
            return
        try:
            future = self._submit(frame_message(SourceFrame(source, None, time.time(), data)))
        except BrokerUnavailable as error:
            log.warning("a posted picture is not analyzed", source=source, error=str(error))
            self._settle(len(data), "dropped")
            return
        future.add_done_callback(lambda done: self._settle(len(data), "dropped" if done.exception() else "sent"))

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if size > MOST_FRAME_BYTES or self._outstanding + size > _MOST_OUTSTANDING_BYTES:
                return False
            self._outstanding += size
            return True

    def _settle(self, size: int, result: str) -> None:
        with self._lock:
            self._outstanding -= size
        POSTED.labels(result).inc()
