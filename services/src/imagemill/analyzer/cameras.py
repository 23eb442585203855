"""What the owners of cameras have set, looked at every few seconds. A source without a document has the defaults."""

from collections.abc import Mapping

import structlog

from imagemill.motion import MotionSettings
from imagemill.store.cameras import Cameras
from imagemill.store.couch import Couch, StoreUnavailable

log = structlog.get_logger(__name__)


class CameraSettings:
    """Motion settings by source, which is a camera's id. Safe to use from many threads."""

    def __init__(self, couch: Couch) -> None:
        self._cameras = Cameras(couch)
        self._known: Mapping[str, MotionSettings] = {}
        self._sequence = ""
        self._default = MotionSettings()

    def of(self, source: str) -> MotionSettings:
        """The settings of a source."""
        return self._known.get(source, self._default)

    def at_first(self, source: str) -> MotionSettings:
        """The settings of a source that was not seen before: its camera may have been added just now."""
        if source not in self._known:
            self.refresh()
        return self.of(source)

    def refresh(self) -> None:
        """Reads all when anything has changed; while CouchDB does not answer they stay as they were."""
        try:
            sequence = self._cameras.sequence()
            if sequence != self._sequence:
                found = self._cameras.all()
                self._known = {camera.id: camera.motion_settings for camera in found.values()}
                self._sequence = sequence
        except StoreUnavailable as error:
            log.warning("settings of the cameras not read again", error=str(error))
