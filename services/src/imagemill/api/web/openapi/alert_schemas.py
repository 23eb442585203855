"""The shapes of alerts, events and what was suppressed: made of the models that the routes answer with."""

import json
from typing import Any

from imagemill.api.alerts.views import (
    Acknowledged,
    AlertView,
    CameraEvent,
    SnoozeMade,
    SnoozeView,
    SuppressedEvent,
    WholeAlert,
)
from imagemill.api.web.openapi.models import answers

Schema = dict[str, Any]

_CURSOR: Schema = {"type": ["string", "null"], "description": "`after` of the next page; null: there is none."}
_COUNT: Schema = {"type": "integer", "minimum": 0}
# Views that have another name in the API than here.
_NAMES = {"AlertView": "Alert", "SnoozeView": "Snooze"}


def _object(description: str, properties: Schema) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


def _list(item: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}}


def _numbers(description: str) -> Schema:
    return {"type": "array", "items": {"type": "integer", "minimum": 0}, "description": description}


def _views() -> dict[str, Schema]:
    found = answers(AlertView, WholeAlert, CameraEvent, SuppressedEvent, SnoozeMade, SnoozeView, Acknowledged)
    return {_NAMES.get(name, name): _renamed(schema) for name, schema in found.items()}


def _renamed(schema: Schema) -> Schema:
    """The same with references to what has another name in the API."""
    text = json.dumps(schema)
    for name, other in _NAMES.items():
        text = text.replace(f'schemas/{name}"', f'schemas/{other}"')
    renamed: Schema = json.loads(text)
    return renamed


SCHEMAS: Schema = _views() | {
    "Alerts": _object("A page of alerts.", {
        "alerts": _list("Alert"), "next": _CURSOR, "counts": {"$ref": "#/components/schemas/AlertCounts"},
    }),
    "AlertCounts": _object("How many match, whatever their state, and how many of those are in which.", {
        "all": _COUNT, "new": _COUNT, "acknowledged": _COUNT,
    }),
    "UnseenAlerts": _object("How many alerts nobody has acknowledged.", {"new": _COUNT}),
    "AlertsAcknowledged": _object("What became of the numbers.", {
        "acknowledged": _numbers("Those that nobody had acknowledged before."),
        "already": _numbers("Those that somebody had acknowledged; that stays."),
        "unknown": _numbers("There are no such alerts."),
    }),
    "AlertsTakenBack": _object("What is new again.", {"new": _numbers("Those that had been acknowledged.")}),
    "AlertTakenBack": _object("It is new.", {"number": _COUNT, "acknowledged": {"type": "null"}}),
    "Pinned": _object(
        "Do its pictures stay?", {"number": {"type": "integer", "minimum": 0}, "pinned": {"type": "boolean"}}
    ),
    "CameraEvents": _object("A page of events.", {"events": _list("CameraEvent"), "next": _CURSOR}),
    "CameraNews": _object("A camera's event began, changed or ended.", {
        "change": {"enum": ["new", "update", "end"]},
        "event": {"type": "object", "description": "As the analyzer tells it; times are seconds since 1970."},
    }),
    "HeldBack": _object("A page of what rules held back.", {"held_back": _list("SuppressedEvent"), "next": _CURSOR}),
    "Snoozes": _object("Those which last.", {"snoozes": _list("Snooze")}),
}  # fmt: skip
