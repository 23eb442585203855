"""People detection for those cameras which ask for it."""

import structlog

from imagemill.motion import MotionSettings
from imagemill.motion.machine import FindPeople
from imagemill.motion.people import PeopleDetectionMissingError, PeopleDetector

log = structlog.get_logger(__name__)


def find_people_for(source: str, settings: MotionSettings) -> FindPeople | None:
    """A detector, or None when it is not wanted or not there; the log says so then."""
    if not settings.people:
        return None
    try:
        return PeopleDetector()
    except PeopleDetectionMissingError as error:
        log.error("people are not looked for", camera=source, error=str(error))
        return None
