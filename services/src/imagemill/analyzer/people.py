"""People detection for those cameras which ask for it."""

from imagemill.motion import MotionSettings
from imagemill.motion.machine import FindPeople
from imagemill.motion.people import PeopleDetector


def find_people_for(settings: MotionSettings) -> FindPeople | None:
    """A detector, or None when it is not wanted."""
    return PeopleDetector() if settings.people else None
