"""Answers who wants to see a camera's newest frame, in a thread of its own; unasked it does nothing."""

import queue
from collections.abc import Callable

import structlog

from imagemill.admission.validate import Limits, Rejected, validate
from imagemill.cameras.feeds import Grab
from imagemill.concurrency.loop import Loop, each
from imagemill.wire.broker import Broker, BrokerUnavailable, Delivery
from imagemill.wire.snapshots import Snapshot, SnapshotRequest, snapshot_message, snapshot_request_of

log = structlog.get_logger(__name__)
_MOST_WAITING = 200
_QUALITY = 70
# What a camera sends is a stranger's picture: the largest that is made smaller here.
_LIMITS = Limits(max_bytes=15 * 1024 * 1024, max_pixels=40_000_000, max_frames=1)
_SMALL_BYTES = 20_000


class SnapshotResponder:
    """Looks, in the order they came."""

    def __init__(self, newest: Callable[[str], Grab | None], broker: Broker) -> None:
        self._newest, self._broker = newest, broker
        self._requests: queue.Queue[SnapshotRequest] = queue.Queue(_MOST_WAITING)
        self._loop = Loop("snapshots", each(self._requests, self._answer), passing=BrokerUnavailable)
        self.start, self.close = self._loop.start, self._loop.close

    def put(self, delivery: Delivery) -> None:
        """A question (in the connection's thread); for cameras that are read elsewhere there is no answer from here."""
        try:
            request = snapshot_request_of(delivery)
            if self._newest(request.camera) is not None:
                self._requests.put_nowait(request)
        except (ValueError, queue.Full) as error:
            log.warning("a snapshot request is not answered", error=repr(error))

    def _answer(self, request: SnapshotRequest) -> None:
        grab = self._newest(request.camera)
        if grab is not None:
            snapshot = Snapshot(request.camera, request.width, grab.at, smaller(grab.data, request.width))
            self._broker.submit(snapshot_message(snapshot, request.reply_to))


def smaller(data: bytes, width: int) -> bytes:
    """The picture as a JPEG at least so wide; as it is when that is 0, when it is small, or when it cannot be read."""
    if not width or len(data) <= _SMALL_BYTES:
        return data
    try:
        header = validate(data, _LIMITS)
    except Rejected:
        return data
    return _shrunk(data, width, header.width) or data


def _shrunk(data: bytes, width: int, of: int) -> bytes | None:
    import cv2
    import numpy as np

    reduced = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    factor = max((factor for factor in reduced if of // factor >= width), default=1)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), reduced.get(factor, cv2.IMREAD_COLOR))
    if picture is None:
        return None
    if picture.shape[1] > width:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes() if done else None
