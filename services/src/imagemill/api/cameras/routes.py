"""Cameras over HTTP: read, written by compare-and-set, tested, looked at."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.admission import headers
from imagemill.api.access.permissions import needs
from imagemill.api.cameras.snapshot_cache import SIZES
from imagemill.api.cameras.views import camera_view, cameras_view
from imagemill.api.web.bodies import json_body
from imagemill.api.web.camera_frames import shown
from imagemill.api.web.preconditions import seen_revision
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.cameras import Camera

blueprint = Blueprint("cameras", __name__)


@blueprint.get("/api/v1/cameras")
@needs(Permission.VIEW)
def list_cameras() -> Response:
    """List all cameras with how they are, by id."""
    return jsonify(cameras_view(services().cameras))


@blueprint.post("/api/v1/cameras")
@needs(Permission.ADMINISTER)
def add_camera() -> Response:
    """Add a camera; its id follows from its name unless it is given."""
    given, _ = _body()
    camera = services().cameras.add_camera(given)
    response = _answer(camera)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/cameras/{camera.id}"
    return response


@blueprint.get("/api/v1/cameras/<camera_id>")
@needs(Permission.VIEW)
def get_camera(camera_id: str) -> Response:
    """Show a camera; the ETag is its revision."""
    return _answer(services().cameras.camera(camera_id))


@blueprint.put("/api/v1/cameras/<camera_id>")
@needs(Permission.ADMINISTER)
def put_camera(camera_id: str) -> Response:
    """Write a camera over the revision which the client has seen."""
    given, revision = _body()
    return _answer(services().cameras.put_camera(camera_id, given, seen_revision("camera", revision)))


@blueprint.delete("/api/v1/cameras/<camera_id>")
@needs(Permission.ADMINISTER)
def delete_camera(camera_id: str) -> Response:
    """Remove a camera; its events and images stay."""
    services().cameras.remove_camera(camera_id, seen_revision("camera", required=False))
    return Response(status=204)


@blueprint.post("/api/v1/cameras/test")
@needs(Permission.ADMINISTER)
def test_spec() -> Response:
    """Read one frame of a camera that is not saved."""
    service, (given, _) = services().cameras, _body()
    return frame_response(service.tests.frame(service.check_camera({"name": "unsaved"} | given)))


@blueprint.post("/api/v1/cameras/<camera_id>/test")
@needs(Permission.ADMINISTER)
def test_camera(camera_id: str) -> Response:
    """Read one frame of a camera now."""
    service = services().cameras
    return frame_response(service.tests.frame(service.camera(camera_id)))


@blueprint.get("/api/v1/cameras/<camera_id>/latest")
@needs(Permission.VIEW)
def latest(camera_id: str) -> Response:
    """Show the newest frame that its reader has, at most a second old."""
    size = request.args.get("size", "small")
    if size not in SIZES:
        raise Problem(400, "bad-size", f"size={size} is not possible; use {' or '.join(SIZES)}.")
    snapshot = services().cameras.snapshots.newest(camera_id, SIZES[size])
    if snapshot is None:
        detail = f"No reader has a frame of {camera_id!r} now; see its state."
        raise Problem(404, "no-frame", detail, {"Retry-After": "1"})
    response = frame_response(shown(snapshot.data))
    response.set_etag(f"{snapshot.at:.3f}-{snapshot.width}")
    response.last_modified = datetime.fromtimestamp(snapshot.at, UTC)
    response.headers["Cache-Control"] = "private, max-age=1"
    return response.make_conditional(request)  # type: ignore[return-value]


def frame_response(data: bytes) -> Response:
    """Answer with a camera's image: nothing in it can run."""
    response = Response(data, mimetype=headers.sniff(data) or "application/octet-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _answer(camera: Camera) -> Response:
    service = services().cameras
    response = jsonify(camera_view(service, camera, service.states.view()))
    response.set_etag(camera.revision)
    return response


def _body() -> tuple[dict[str, Any], Any]:
    """Read the camera and the revision that it names; what it says of its status is passed over."""
    given = json_body("The body must be a camera as a JSON object.")
    given.pop("status", None)
    revision = given.pop("revision", None)
    return given, revision
