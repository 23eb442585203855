"""Tests of cameras: one frame, read by a short-lived process of its own. A few at a time; the others are told so."""

import json
import os
import queue
import subprocess
import sys
import threading

import structlog

from imagemill.camera.once import NO_FRAME
from imagemill.concurrency.loop import Loop, close_all, each
from imagemill.process.environment import without_secrets
from imagemill.wire.broker import Broker, BrokerUnavailable, Delivery
from imagemill.wire.camera_tests import (
    TYPE,
    CameraTestReply,
    CameraTestRequest,
    Kind,
    parse_request,
    reply_message,
)

log = structlog.get_logger(__name__)
AT_ONCE = 2
_COMMAND = (sys.executable, "-m", "imagemill.camera.once")
_BROKE_DOWN = "the program that read it broke down"


class CameraTester:
    """Does what the API asks this reader for; `reader` is its id."""

    def __init__(self, reader: str, broker: Broker, timeout_seconds: float) -> None:
        self._reader, self._broker, self._timeout_seconds = reader, broker, timeout_seconds
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._accepted: queue.Queue[CameraTestRequest] = queue.Queue()
        self._loops = [
            Loop(f"camera-test-{number}", each(self._accepted, self._answer), passing=BrokerUnavailable)
            for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        """Begin to take requests."""
        for loop in self._loops:
            loop.start()

    def close(self, timeout_seconds: float) -> bool:
        """End; False when a test takes longer than that."""
        return close_all(self._loops, timeout_seconds)

    def takes(self, delivery: Delivery) -> bool:
        """Is it a request (in the connection's thread)? One that names this reader is done, or told that it is busy."""
        if delivery.properties.type != TYPE:
            return False
        try:
            request = parse_request(delivery)
            if request.reader == self._reader:
                self._accept(request)
        except (ValueError, BrokerUnavailable) as error:
            log.warning("a test of a camera is not done", error=type(error).__name__)
        return True

    def _accept(self, request: CameraTestRequest) -> None:
        if self._places.acquire(blocking=False):
            self._accepted.put(request)
        else:
            self._reply(request, "busy")

    def _answer(self, request: CameraTestRequest) -> None:
        try:
            self._reply(request, "begun")
            kind, data = tested(request, self._timeout_seconds)
            self._reply(request, kind, data)
        finally:
            self._places.release()

    def _reply(self, request: CameraTestRequest, kind: Kind, data: bytes = b"") -> None:
        self._broker.submit(reply_message(CameraTestReply(request.id, kind, data), request.reply_to))


def tested(request: CameraTestRequest, timeout_seconds: float) -> tuple[Kind, bytes]:
    """The frame, or the sentence why there is none."""
    given = json.dumps(request.camera.as_json()).encode()
    try:
        # What decoders say on the error stream may hold addresses with their passwords.
        ended = subprocess.run(  # noqa: S603
            _COMMAND, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout_seconds,
            env=without_secrets(os.environ, "IMAGEMILL_CAMERA_"), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "failed", f"it gave none within {timeout_seconds:g} s".encode()
    if ended.returncode == 0 and ended.stdout:
        return "frame", ended.stdout
    said = ended.stdout.strip() if ended.returncode == NO_FRAME else b""
    return "failed", said or _BROKE_DOWN.encode()
