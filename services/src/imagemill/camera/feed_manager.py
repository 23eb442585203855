"""All cameras that this process reads, and the thread that sends what they give."""

import threading

from imagemill.camera.membership import Heartbeat
from imagemill.camera.reading import Reading, open_reading
from imagemill.cameras.feeds import Grab
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.wire.broker import Broker


class FeedManager:
    """Readings by camera. The feeds call when they have a frame; one thread sends them all."""

    def __init__(self, settings: Settings, broker: Broker, heartbeat: Heartbeat) -> None:
        self._settings, self._broker, self._heartbeat = settings, broker, heartbeat
        self._readings: dict[str, Reading] = {}
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._send, name="send", daemon=True)

    def start(self) -> "FeedManager":
        """Begins to send."""
        self._thread.start()
        return self

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
        with self._changed:
            reading = self._readings.pop(camera_id, None)
        if reading is not None:
            reading.close()

    def close(self) -> None:
        """Ends everything."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(5)
        for camera_id in self.cameras:
            self.close_reading(camera_id)

    def _note(self, camera_id: str) -> None:
        with self._changed:
            self._waiting[camera_id] = None
            self._changed.notify_all()

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
                # Sent under the lock: after close_reading nobody sends another frame of that camera.
                waiting, self._waiting = self._waiting, {}
                for camera_id in waiting:
                    if camera_id in self._readings:
                        self._readings[camera_id].send(self._broker, self._heartbeat.may_send)
