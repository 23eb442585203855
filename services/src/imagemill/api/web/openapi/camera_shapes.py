"""The shapes of cameras and of how they are."""

from typing import Any

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_BOOLEAN: Schema = {"type": "boolean"}
STATES = ("live", "stalled", "offline", "unassigned", "disabled", "posted", "ended")


def _object(description: str, properties: Schema, required: list[str] | None = None) -> Schema:
    names = list(properties) if required is None else required
    return {"type": "object", "description": description, "properties": properties, "required": names}


_MEMBERS: Schema = {
    "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$", "description": "Also the source of its events."},
    "name": _STRING | {"maxLength": 100},
    "address": _TEXT_OR_NULL | {
        "description": "rtsp, rtsps, http, https, file, or a path below the folder of files; no user, no password. "
        "null: pictures come by being posted with the id as `source`.",
    },
    "credentials": _TEXT_OR_NULL | {"description": "The name of an entry of the credentials file."},
    "frames_per_second": {"type": "number", "minimum": 0.01, "maximum": 30, "default": 1},
    "motion": {"type": "object", "description": "Motion settings that are not the usual ones: sensitivity, masks, …"},
    "enabled": _BOOLEAN | {"default": True},
    "loop": _BOOLEAN | {"default": True, "description": "A file begins again at its end."},
    "paced": _BOOLEAN | {"default": True, "description": "A file is played at its own speed."},
}  # fmt: skip
_COUNTS = _object(
    "Of the analyzer, since it began to see the camera; `missed` are gaps in the frames' numbers.",
    dict.fromkeys(("frames", "missed", "late", "unreadable"), _COUNT) | {"at": _TEXT_OR_NULL},
    ["at"],
)
_STATUS = _object(
    "How it is now.",
    {
        "state": {"type": "string", "enum": list(STATES)},
        "problem": _TEXT_OR_NULL | {"description": "Why it is not live, in a sentence."},
        "since": {"type": ["number", "null"], "description": "Unix time since when it is in this state."},
        "reader": _TEXT_OR_NULL | {"description": "The reader that holds it."},
        "generation": _COUNT | {"description": "Grows with every reader that takes it."},
        "counts": {"anyOf": [_COUNTS, {"type": "null"}]},
    },
)
_REVISION = _STRING | {"description": "Of the document; also the ETag."}
_READER = _object("A process that reads cameras.", {"id": _STRING, "capacity": _COUNT, "cameras": _COUNT})

SCHEMAS: Schema = {
    "CameraSpec": _object("A camera as it is given.", _MEMBERS | {"revision": _REVISION}, []),
    "Camera": _object("A camera.", _MEMBERS | {"revision": _REVISION, "status": _STATUS}),
    "Cameras": _object("All cameras, their readers, and the names of credentials.", {
        "cameras": {"type": "array", "items": {"$ref": "#/components/schemas/Camera"}},
        "readers": {"type": "array", "items": _READER},
        "credentials": {"type": "array", "items": _STRING},
    }),
}  # fmt: skip
