"""The routes of cameras."""

from typing import Any

from imagemill.api.web.openapi.operations import (
    CHANGING,
    DATABASE_AWAY,
    LOCATION,
    PICTURE_TYPES,
    answer,
    etag,
    if_match,
    in_path,
    json_body,
    operation,
    problems,
    query,
    removal,
)
from imagemill.api.web.openapi.schemas import ref

Json = dict[str, Any]

_ID = in_path("camera_id", {"type": "string"}, "The camera's id.")
_ETAG, _IF_MATCH = etag("camera"), if_match()
_EXAMPLE = {
    "id": "yard", "name": "The yard", "address": "rtsp://cam-1.example/stream", "credentials": "cam-1",
    "frames_per_second": 1.0, "motion": {"sensitivity": 60}, "enabled": True, "loop": True, "paced": True,
    "revision": "2-6fa0b63c2e1d4b7a9c1f",
    "status": {
        "state": "live", "problem": None, "since": 1795252500.0, "reader": "camera-1-5ab20f3c",
        "generation": 1795252501,
        "counts": {"frames": 3600, "missed": 2, "late": 0, "unreadable": 0, "at": "2026-11-21T09:15:02.213Z"},
    },
}  # fmt: skip
_GIVEN = {name: _EXAMPLE[name] for name in ("name", "address", "credentials", "frames_per_second", "motion")}
_BODY = json_body(ref("CameraSpec"), _GIVEN)
_REFUSED = ("bad-camera", "address-refused")
_BYTES = {"schema": {"type": "string", "format": "binary"}}


def _frame(description: str, types: tuple[str, ...]) -> Json:
    return {"200": {"description": description, "content": dict.fromkeys(types, _BYTES)}}


def _test(operation_id: str, summary: str, extra: dict[int, tuple[str, ...]], **more: Any) -> Json:
    found = [
        _frame("One frame.", ("image/jpeg",)),
        problems({403: ("cross-site",), **extra, 503: ("tests-busy", "unavailable"), 504: ("no-reader",)}),
    ]
    return {"post": operation("Cameras", operation_id, summary, found, **more)}


CAMERAS: Json = {
    "/api/v1/cameras": {
        "get": operation(
            "Cameras", "listCameras", "All cameras and how they are",
            [
                answer(200, "Cameras", "By id.", {
                    "cameras": [_EXAMPLE], "credentials": ["cam-1"],
                    "readers": [{"id": "camera-1-5ab20f3c", "capacity": 50, "cameras": 1}],
                }),
                problems(DATABASE_AWAY),
            ],
        ),
        "post": operation(
            "Cameras", "addCamera", "A new camera",
            [
                answer(201, "Camera", "Saved; a reader takes it within seconds.", _EXAMPLE, LOCATION | _ETAG),
                problems({
                    400: ("bad-json",), 409: ("camera-exists",), 413: ("request-too-large",), 422: _REFUSED, **CHANGING,
                }),
            ],
            description="The id follows from the name unless it is given.", body=_BODY,
        ),
    },
    "/api/v1/cameras/{camera_id}": {
        "get": operation(
            "Cameras", "getCamera", "One camera and how it is",
            [
                answer(200, "Camera", "The camera.", _EXAMPLE, _ETAG),
                problems({404: ("unknown-camera",), **DATABASE_AWAY}),
            ],
            parameters=[_ID],
        ),
        "put": operation(
            "Cameras", "putCamera", "Changes a camera",
            [
                answer(200, "Camera", "Saved.", _EXAMPLE, _ETAG),
                problems({
                    400: ("bad-json",), 404: ("unknown-camera",), 412: ("changed-meanwhile",),
                    413: ("request-too-large",), 422: _REFUSED, 428: ("precondition-required",), **CHANGING,
                }),
            ],
            description="The whole camera is written, over the revision which `If-Match` or the body names.",
            parameters=[_ID, _IF_MATCH], body=_BODY,
        ),
        "delete": removal(
            "Cameras", "deleteCamera", "Removes a camera; its events stay", "unknown-camera", [_ID, _IF_MATCH]
        ),
    },
    "/api/v1/cameras/{camera_id}/latest": {
        "get": operation(
            "Cameras", "getLatestFrame", "The newest frame of a camera",
            [
                _frame("The frame that its reader has; `Last-Modified` says from when.", PICTURE_TYPES),
                {"304": {"description": "There is no newer one (`If-None-Match`)."}},
                problems({400: ("bad-size",), 404: ("no-frame",), **DATABASE_AWAY}),
            ],
            description="At most one a second is asked for, however many look; while nobody looks nothing is sent.",
            parameters=[
                _ID,
                query("size", {"type": "string", "enum": ["small", "full"], "default": "small"}, "small: 320 wide."),
            ],
        )
    },
    "/api/v1/cameras/{camera_id}/test": _test(
        "testCamera", "Reads one frame of a camera now", {404: ("unknown-camera",), 422: ("camera-failed",)},
        parameters=[_ID],
    ),
    "/api/v1/cameras/test": _test(
        "testSpec", "Reads one frame of a camera that is not saved",
        {400: ("bad-json",), 413: ("request-too-large",), 422: (*_REFUSED, "camera-failed")}, body=_BODY,
    ),
}  # fmt: skip
