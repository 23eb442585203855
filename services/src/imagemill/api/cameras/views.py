"""Cameras as the API answers them."""

from typing import Any

from pydantic import BaseModel

from imagemill.api.access.permissions import may
from imagemill.api.cameras.service import CameraService
from imagemill.api.cameras.status import Count
from imagemill.cameras.credentials import names_of
from imagemill.domain.cameras import Camera
from imagemill.store.camera_leases import Reader, View

Json = dict[str, Any]
# Where cameras are, and as whom they are asked: for those who run them.
_PROBLEM = "something is wrong with it; operators see what"
_INTERNAL = ("address", "credentials")


class CameraReader(BaseModel):
    """A process that reads cameras."""

    id: str
    capacity: Count
    cameras: Count


def camera_view(service: CameraService, camera: Camera, view: View) -> Json:
    """Show a camera and how it is."""
    status = service.status(camera, view).model_dump(exclude_unset=True)
    shown = camera.as_json()
    if not may("operate"):
        shown = {name: value for name, value in shown.items() if name not in _INTERNAL}
        # What is wrong is said with hosts, ports and paths.
        status |= {"problem": _PROBLEM if status.get("problem") else None}
    return shown | {"revision": camera.revision, "status": status}


def cameras_view(service: CameraService) -> Json:
    """Show all cameras, who reads them, and the names of credentials."""
    found, view = service.cameras.all(), service.states.view()
    return {
        "cameras": [camera_view(service, camera, view) for _, camera in sorted(found.items())],
        "readers": [_reader(reader, view).model_dump() for reader in service.alive(view).values()],
        "credentials": names_of(service.settings.camera_credentials_file) if may("operate") else [],
    }


def _reader(reader: Reader, view: View) -> CameraReader:
    held = sum(lease.holder == reader.id for lease in view.leases.values())
    return CameraReader(id=reader.id, capacity=reader.capacity, cameras=held)
