"""The shapes of alerts, events and rules."""

from typing import Any

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_BOOLEAN: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_STRINGS: Schema = {"type": "array", "items": _STRING}
_CURSOR: Schema = {"type": ["string", "null"], "description": "`after` of the next page; null: there is none."}


def _object(description: str, properties: Schema, optional: Schema | None = None) -> Schema:
    members = properties | (optional or {})
    return {"type": "object", "description": description, "properties": members, "required": list(properties)}


def _list(item: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_KIND = _STRING | {"description": "motion, scene, frozen or offline."}
_CLASS = {"enum": ["detection", "alert"], "description": "What the camera's settings make of it."}
_SEEN = _object("Who has seen it.", {"by": _STRING, "at": _TIME, "note": _STRING})
_REGION = _object(
    "A part of the picture; x, y, width, height and area are shares of it.",
    dict.fromkeys(("x", "y", "width", "height", "area", "score"), _NUMBER) | {"zones": _STRINGS},
)
_PICTURE = _object("A picture.", {"name": _STRING, "url": _STRING})
_PEOPLE = {"type": ["object", "null"], "description": "What the people detector found, and how slow it was."}
_EVENT: Schema = {
    "id": _STRING,
    "source": _STRING | {"description": "The camera's id."},
    "kind": _KIND,
    "class": _CLASS,
    "started_at": _TIME,
    "ended_at": _or_null(_TIME),
    "end_reason": {"type": ["string", "null"]},
    "seconds": {"type": ["number", "null"]},
    "score": {"type": ["number", "null"], "description": "0 to 1: how sure it is."},
    "area": {"type": ["number", "null"], "description": "The largest share of the picture that moved."},
    "zones": _or_null(_STRINGS),
    "regions": _or_null({"type": "array", "items": _REGION}),
    "people": _PEOPLE,
    "frames": {"type": ["integer", "null"]},
    "moving_frames": {"type": ["integer", "null"]},
    "description": _STRING,
    "pictures": {"type": "array", "items": _PICTURE},
    "alert": {"type": ["integer", "null"], "description": "The number of the alert that it became."},
}
_ATTEMPT = _object(
    "An attempt to tell a channel.",
    {
        "channel": _STRING,
        "attempt": _COUNT,
        "at": _TIME,
        "result": {"enum": ["sent", "failed", "given_up", "unknown"]},
        "status": {"type": ["integer", "null"], "description": "The HTTP status of the answer."},
        "answer": _STRING,
        "attached": _STRING
        | {"description": "Which picture went with it, or why none did; empty for a channel that takes none."},
        "reason": _STRING,
        "next_at": _or_null(_TIME),
    },
)
_ALERT: Schema = {
    "number": _COUNT,
    "at": _TIME,
    "camera": _STRING,
    "kind": _KIND,
    "event": _STRING | {"description": "The event's id."},
    "started_at": _TIME,
    "description": _STRING,
    "rules": _STRINGS,
    "channels": _STRINGS,
    "reason": _STRING,
    "acknowledged": _or_null(_SEEN),
    "pinned": _BOOLEAN,
    "url": _STRING | {"description": "Its page."},
}
_HELD = _object(
    "Why an event did not become an alert.",
    {
        "event": _STRING, "camera": _STRING, "kind": _KIND, "class": _CLASS, "started_at": _TIME, "at": _TIME,
        "code": _STRING, "reason": _STRING,
        "alert": {"type": ["integer", "null"], "description": "The alert that it became later."},
    },
)  # fmt: skip
_SNOOZE: Schema = {
    "id": _STRING, "by": _STRING, "since": _TIME, "until": _TIME, "camera": {"type": ["string", "null"]},
    "rule": {"type": ["string", "null"]},
}  # fmt: skip

SCHEMAS: Schema = {
    "Alert": _object("A numbered alert.", _ALERT),
    "WholeAlert": _object("An alert with everything that is known of it.", _ALERT | {
        "details": {"$ref": "#/components/schemas/CameraEvent"},
        "kept": _BOOLEAN | {"description": "Is the event, with its pictures, still there?"},
        "sent": {"type": "array", "items": _ATTEMPT},
    }),
    "Alerts": _object("A page of alerts.", {"alerts": _list("Alert"), "next": _CURSOR}),
    "Acknowledged": _SEEN,
    "Pinned": _object("Do its pictures stay?", {"number": _COUNT, "pinned": _BOOLEAN}),
    "CameraEvent": _object("An event of a camera.", _EVENT),
    "CameraEvents": _object("A page of events.", {"events": _list("CameraEvent"), "next": _CURSOR}),
    "CameraNews": _object("A camera's event began, changed or ended.", {
        "change": {"enum": ["new", "update", "end"]},
        "event": {"type": "object", "description": "As the analyzer tells it; times are seconds since 1970."},
    }),
    "HeldBack": _object("A page of what rules held back.", {
        "held_back": {"type": "array", "items": _HELD}, "next": _CURSOR,
    }),
    "Snooze": _object("Nobody is told for a while.", _SNOOZE),
    "Snoozes": _object("Those which last.", {"snoozes": _list("Snooze")}),
    "SnoozeMade": _object("A new snooze.", {"id": _STRING, "url": _STRING}),
}  # fmt: skip
