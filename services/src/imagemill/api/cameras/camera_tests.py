"""The test button: one frame of a camera, read by a camera reader, since the API itself opens no address."""

import threading
from collections.abc import Callable, Sequence

from imagemill.api.live.questions import Questions, StillAllowed, everybody
from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Busy, Invalid, NoAnswer
from imagemill.domain.ids import uuid7
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.camera_tests import CameraTestReply, CameraTestRequest, parse_reply, request_message

# Each holds a thread of the API.
_AT_ONCE = 4
_MOST_READERS = 2
_BEGIN_SECONDS = 5.0
# What starting a process takes on a busy machine, beside the time in which the camera must answer.
_MARGIN_SECONDS = 5.0


class CameraTests:
    """Has cameras tested, a few at a time, and waits for what comes of it. `readers` are asked in their order."""

    def __init__(
        self, reply_to: str, submit: Callable[[Outgoing], object], readers: Callable[[], Sequence[str]],
        timeout_seconds: float, still_allowed: StillAllowed = everybody,
    ) -> None:  # fmt: skip
        self._reply_to, self._submit, self._readers = reply_to, submit, readers
        self._limit_seconds = timeout_seconds + _MARGIN_SECONDS
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._questions: Questions[CameraTestReply] = Questions(still_allowed)

    def frame(self, camera: Camera) -> bytes:
        """Read one frame as JPEG; raises Invalid with the reason when there is none, Busy or NoAnswer."""
        if not self._places.acquire(blocking=False):
            raise _busy(f"{_AT_ONCE} cameras")
        try:
            return self._tested(camera)
        finally:
            self._places.release()

    def arrived(self, delivery: Delivery) -> None:
        """A reader's answer (in the connection's thread)."""
        self._questions.arrived(parse_reply(delivery))

    def _tested(self, camera: Camera) -> bytes:
        readers = self._readers()
        if not readers:
            raise NoAnswer("no-reader", "No camera reader runs that could test the camera; start one.")
        busy = False
        for reader in readers[:_MOST_READERS]:
            reply = self._asked(camera, reader)
            if reply is not None and reply.kind != "busy":
                return _frame_of(reply)
            busy = busy or reply is not None
        if busy:
            raise _busy("As many cameras as the readers can")
        raise NoAnswer("no-reader", "No camera reader answered when it was asked to test the camera; does one run?")

    def _asked(self, camera: Camera, reader: str) -> CameraTestReply | None:
        """What came of asking one reader; None when it did not even begin."""
        request = CameraTestRequest(id=uuid7(), reader=reader, camera=camera, reply_to=self._reply_to)
        return self._questions.ask(
            request.id, lambda: self._submit(request_message(request)), _BEGIN_SECONDS, self._limit_seconds
        )


def _frame_of(reply: CameraTestReply) -> bytes:
    if reply.kind == "frame":
        return reply.data
    if reply.has_begun:
        raise NoAnswer("no-reader", "The camera reader that tested the camera was gone before it answered; try again.")
    raise _failed(reply.data.decode(errors="replace"))


def _busy(what: str) -> Busy:
    return Busy("tests-busy", f"{what} are being tested already; try again in a few seconds.")


def _failed(reason: str) -> Invalid:
    return Invalid("camera-failed", f"The camera gave no picture: {reason.rstrip('.')}.")
