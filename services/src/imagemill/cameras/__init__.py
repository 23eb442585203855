"""Cameras: what a camera is, where cameras are kept, what may be read, and who reads what.

The core of the programs that know cameras; nothing here opens a feed.
"""

from imagemill.cameras.model import Camera, CameraError, camera_as_dict, parse_camera
from imagemill.cameras.reading import CameraLease, Reader, ReadingStates, View
from imagemill.cameras.store import Cameras

__all__ = [
    "Camera",
    "CameraError",
    "CameraLease",
    "Cameras",
    "Reader",
    "ReadingStates",
    "View",
    "camera_as_dict",
    "parse_camera",
]
