"""All cameras that this process reads, and the thread that sends what they give."""

import threading

from imagemill.camera.membership import Heartbeat
from imagemill.camera.reading import Reading, open_reading
from imagemill.cameras.feeds import Grab
from imagemill.concurrency.loop import Loop
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.wire.broker import Broker

_IDLE_SECONDS = 1.0


class FeedManager:
    """Readings by camera. The feeds call when they have a frame; one thread sends them all."""

    def __init__(self, settings: Settings, broker: Broker, heartbeat: Heartbeat) -> None:
        self._settings, self._broker, self._heartbeat = settings, broker, heartbeat
        self._readings: dict[str, Reading] = {}
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()
        self._loop = Loop("send", self._send, every_seconds=_IDLE_SECONDS)
        self.start = self._loop.start

    def open(self, camera: Camera, generation: int) -> None:
        """Reads a camera, instead of what was read under its id before."""
        self.close_reading(camera.id)
        self._readings[camera.id] = open_reading(camera, generation, self._settings, lambda: self._note(camera.id))

    def reading(self, camera_id: str) -> Reading | None:
        """What is read, if it is."""
        return self._readings.get(camera_id)

    def newest(self, camera_id: str) -> Grab | None:
        """The newest frame of a camera that is read here."""
        reading = self._readings.get(camera_id)
        return reading.newest if reading else None

    @property
    def cameras(self) -> list[str]:
        """Ids of all that is read."""
        return list(self._readings)

    def close_reading(self, camera_id: str) -> None:
        """Nothing more of this camera is sent once this returns."""
        with self._lock:
            reading = self._readings.pop(camera_id, None)
        if reading is not None:
            reading.close()

    def close(self, timeout_seconds: float) -> bool:
        """End everything; False when that takes too long."""
        ended = self._loop.close(timeout_seconds)
        for camera_id in self.cameras:
            self.close_reading(camera_id)
        return ended

    def _note(self, camera_id: str) -> None:
        with self._lock:
            self._waiting[camera_id] = None
        self._loop.wake()

    def _send(self) -> None:
        # Sent under the lock: after close_reading nobody sends another frame of that camera.
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for camera_id in waiting:
                if camera_id in self._readings:
                    self._readings[camera_id].send(self._broker, self._heartbeat.may_send)
