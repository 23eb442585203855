"""Events of sources which fell silent while no analyzer had them in memory: ended from their saved state."""

import time

import structlog

from imagemill.analyzer.cameras import CameraSettings
from imagemill.analyzer.publisher import EventPublisher
from imagemill.analyzer.state import Saved, StateStore
from imagemill.concurrency.heartbeat import beat
from imagemill.motion import SourceAnalyzer
from imagemill.motion.source import SILENCE_SECONDS
from imagemill.store.couch import Conflict
from imagemill.store.leases import Lease

log = structlog.get_logger(__name__)
# An analyzer that has the source ends the event itself; only what it should have ended long ago is looked at here.
_MARGIN_SECONDS = 90.0


class SilenceWatch:
    """A duty of one analyzer at a time. Should the source come back meanwhile, one of the two states loses its race."""

    def __init__(self, cameras: CameraSettings, states: StateStore, publisher: EventPublisher, lease: Lease) -> None:
        self._cameras, self._states, self._publisher, self._lease = cameras, states, publisher, lease

    def round(self) -> None:
        """End what is overdue; raises StoreUnavailable."""
        if self._lease.hold():
            for source, saved in self._states.with_open_event(time.time() - SILENCE_SECONDS - _MARGIN_SECONDS):
                beat()
                self._end(source, saved)

    def _end(self, source: str, saved: Saved) -> None:
        settings = self._cameras.of(source)
        analyzer = SourceAnalyzer.restore(source, settings, saved.state)
        changes = analyzer.tick(time.time() - _MARGIN_SECONDS)
        if not changes or not self._lease.held:
            return
        for change in changes:
            self._publisher.tell(change)
        try:
            self._states.save(source, analyzer.saved_state(), saved.revision)
        except Conflict:
            log.info("the source is not silent any more", source=source)
