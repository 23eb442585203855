"""Cameras over HTTP: read, written by compare-and-set, tested, looked at."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, json, jsonify, request

from imagemill.admission import headers
from imagemill.api.cameras.service import CameraService
from imagemill.api.cameras.snapshot_cache import SIZES
from imagemill.api.web.preconditions import changed_meanwhile, seen_revision
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.cameras.credentials import names_of
from imagemill.cameras.specs import refusal
from imagemill.domain.cameras import Camera, CameraError, camera_as_dict, parse_camera
from imagemill.store.camera_leases import View
from imagemill.store.couch import Conflict

blueprint = Blueprint("cameras", __name__)
_MOST_BODY_BYTES = 256 * 1024


@blueprint.get("/api/v1/cameras")
def list_cameras() -> Response:
    """All cameras with how they are, by id."""
    service = services().cameras
    found, view = service.cameras.all(), service.states.view()
    readers = [
        {"id": reader.id, "capacity": reader.capacity, "cameras": _held_by(reader.id, view)}
        for reader in service.alive(view).values()
    ]
    return jsonify({
        "cameras": [shape(service, camera, view) for _, camera in sorted(found.items())],
        "readers": readers,
        "credentials": names_of(service.settings.camera_credentials_file),
    })  # fmt: skip


@blueprint.post("/api/v1/cameras")
def add_camera() -> Response:
    """A new one; its id follows from its name unless it is given."""
    service = services().cameras
    camera = added(service, _body())
    response = _told(service, camera)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/cameras/{camera.id}"
    return response


@blueprint.get("/api/v1/cameras/<camera_id>")
def get_camera(camera_id: str) -> Response:
    """One camera; the ETag is its revision."""
    service = services().cameras
    return _told(service, camera_of(service, camera_id))


@blueprint.put("/api/v1/cameras/<camera_id>")
def put_camera(camera_id: str) -> Response:
    """Over the revision which the client has seen."""
    service = services().cameras
    given = _body()
    return _told(service, changed(service, camera_id, given, seen_revision("camera", given.pop("revision", None))))


@blueprint.delete("/api/v1/cameras/<camera_id>")
def delete_camera(camera_id: str) -> Response:
    """Its events and pictures stay."""
    service = services().cameras
    removed(service, camera_id, seen_revision("camera", required=False))
    return Response(status=204)


@blueprint.post("/api/v1/cameras/test")
def try_camera() -> Response:
    """One frame of a camera that is not saved."""
    service = services().cameras
    given = {name: value for name, value in _body().items() if name != "revision"}
    return frame_response(service.tests.frame(checked(service, {"name": "unsaved"} | given)))


@blueprint.post("/api/v1/cameras/<camera_id>/test")
def test_camera(camera_id: str) -> Response:
    """One frame of a camera, read now."""
    service = services().cameras
    return frame_response(service.tests.frame(camera_of(service, camera_id)))


@blueprint.get("/api/v1/cameras/<camera_id>/latest")
def latest(camera_id: str) -> Response:
    """The newest frame that its reader has, at most a second old news."""
    size = request.args.get("size", "small")
    if size not in SIZES:
        raise Problem(400, "bad-size", f"size={size} is not possible; use {' or '.join(SIZES)}.")
    snapshot = services().cameras.snapshots.newest(camera_id, SIZES[size])
    if snapshot is None:
        detail = f"No reader has a frame of {camera_id!r} now; see its state."
        raise Problem(404, "no-frame", detail, {"Retry-After": "1"})
    response = frame_response(snapshot.data)
    response.set_etag(f"{snapshot.at:.3f}-{snapshot.width}")
    response.last_modified = datetime.fromtimestamp(snapshot.at, UTC)
    response.headers["Cache-Control"] = "private, max-age=1"
    return response.make_conditional(request)  # type: ignore[return-value]


# --- also for the page ----------------------------------------------------------------------------


def camera_of(service: CameraService, camera_id: str) -> Camera:
    """A camera; raises Problem."""
    found = service.cameras.get(camera_id)
    if found is None:
        raise Problem(404, "unknown-camera", f"There is no camera {camera_id!r}.")
    return found


def checked(service: CameraService, given: dict[str, Any]) -> Camera:
    """A camera from its JSON form which the settings allow; raises Problem."""
    try:
        camera = parse_camera(given)
    except CameraError as error:
        raise Problem(422, "bad-camera", f"The camera cannot be saved: {error}.", member=error.member) from error
    reason = refusal(camera, service.settings)
    if reason:
        raise Problem(422, "address-refused", f"The settings do not allow this address: {reason}.", member="address")
    return camera


def added(service: CameraService, given: dict[str, Any]) -> Camera:
    """A camera from its JSON form, saved as a new one; raises Problem."""
    camera = checked(service, {name: value for name, value in given.items() if name != "revision"})
    try:
        return service.cameras.put(camera)
    except Conflict:
        detail = f"There is a camera {camera.id!r} already; change that one, or give this one another id."
        raise Problem(409, "camera-exists", detail) from None


def changed(service: CameraService, camera_id: str, given: dict[str, Any], revision: str | None) -> Camera:
    """A camera from its JSON form, saved over a revision (None: over the newest); raises Problem."""
    before = camera_of(service, camera_id)
    camera = checked(service, {"id": camera_id} | given)
    if camera.id != camera_id:
        raise Problem(
            422, "bad-camera", f"The id is {camera_id!r} and stays so; add a new camera instead.", member="id"
        )
    try:
        return service.cameras.put(replace(camera, revision=revision or before.revision))
    except Conflict:
        raise changed_meanwhile(camera_id) from None


def removed(service: CameraService, camera_id: str, revision: str | None) -> None:
    """Removes a revision of a camera (None: the newest); raises Problem."""
    found = camera_of(service, camera_id)
    if revision not in (None, found.revision):
        raise changed_meanwhile(camera_id)
    try:
        service.cameras.remove(found)
    except Conflict:
        raise changed_meanwhile(camera_id) from None


def shape(service: CameraService, camera: Camera, view: View) -> dict[str, Any]:
    """As the API tells it."""
    return camera_as_dict(camera) | {"revision": camera.revision, "status": service.shown(camera, view)}


def frame_response(data: bytes) -> Response:
    """A camera's picture: nothing in it can run."""
    response = Response(data, mimetype=headers.sniff(data) or "application/octet-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _told(service: CameraService, camera: Camera) -> Response:
    response = jsonify(shape(service, camera, service.states.view()))
    response.set_etag(camera.revision)
    return response


def _body() -> dict[str, Any]:
    request.max_content_length = _MOST_BODY_BYTES
    try:
        given = json.loads(request.get_data(cache=False))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Problem(400, "bad-json", "The body must be a camera as a JSON object.")
    return {name: value for name, value in given.items() if name != "status"}


def _held_by(reader: str, view: View) -> int:
    return sum(lease.holder == reader for lease in view.leases.values())
