"""Notices motion in pictures that come about once a second.

Everything here is pure: frames and their times are passed in, changes of events come out. `SourceAnalyzer` is the
door; the other modules are its parts.

Modules are loaded when they are first used: whoever only checks settings needs neither OpenCV nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagemill.domain.events import Event
    from imagemill.domain.motion_settings import AlertWhen, MotionSettings, Zone, with_changes
    from imagemill.motion.events import EventChange
    from imagemill.motion.frames import Frame, UnreadableFrameError
    from imagemill.motion.saved_state import SavedState
    from imagemill.motion.source import SourceAnalyzer

_MODULES = {
    "Event": "imagemill.domain.events",
    "EventChange": "imagemill.motion.events",
    "Frame": "imagemill.motion.frames",
    "UnreadableFrameError": "imagemill.motion.frames",
    "AlertWhen": "imagemill.domain.motion_settings",
    "MotionSettings": "imagemill.domain.motion_settings",
    "Zone": "imagemill.domain.motion_settings",
    "with_changes": "imagemill.domain.motion_settings",
    "SavedState": "imagemill.motion.saved_state",
    "SourceAnalyzer": "imagemill.motion.source",
}

__all__ = [
    "AlertWhen",
    "Event",
    "EventChange",
    "Frame",
    "MotionSettings",
    "SavedState",
    "SourceAnalyzer",
    "UnreadableFrameError",
    "Zone",
    "with_changes",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
