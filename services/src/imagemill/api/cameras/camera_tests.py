"""The test button: one frame of a camera, read by a short-lived process of its own."""

import json
import subprocess
import sys
import threading

from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Busy, Invalid
from imagemill.settings import Settings

_AT_ONCE = 2
_NO_FRAME = 3
_COMMAND = (sys.executable, "-m", "imagemill.camera.once")


class CameraTests:
    """Runs tests, a few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.camera_test_seconds
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def frame(self, camera: Camera) -> bytes:
        """Read one frame as JPEG; raises Busy, or Invalid with the reason when there is none."""
        if not self._places.acquire(blocking=False):
            raise Busy("tests-busy", f"{_AT_ONCE} cameras are being tested already; try again in a few seconds.")
        try:
            return self._tested(camera)
        finally:
            self._places.release()

    def _tested(self, camera: Camera) -> bytes:
        given = json.dumps(camera.as_json()).encode()
        try:
            # What decoders say on the error stream may hold addresses with their passwords.
            ended = subprocess.run(  # noqa: S603
                _COMMAND, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=self._seconds,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _failed(f"it gave none within {self._seconds:g} s") from None
        if ended.returncode == 0 and ended.stdout:
            return ended.stdout
        said = ended.stdout.decode(errors="replace").strip()
        raise _failed(said if ended.returncode == _NO_FRAME and said else "the program that read it broke down")


def _failed(reason: str) -> Invalid:
    return Invalid("camera-failed", f"The camera gave no picture: {reason.rstrip('.')}.")
