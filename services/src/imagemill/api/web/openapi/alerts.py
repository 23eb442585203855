"""The routes of alerts, events and rules."""

from typing import Any

from imagemill.api.web.openapi.operations import (
    AFTER,
    CHANGING,
    DATABASE_AWAY,
    LIMIT,
    LOCATION,
    answer,
    etag,
    if_match,
    in_path,
    json_body,
    members,
    operation,
    problems,
    query,
    removal,
)
from imagemill.api.web.openapi.schemas import ref

Json = dict[str, Any]

_NUMBER = in_path("number", {"type": "integer", "minimum": 1}, "The alert's number.")
_PICTURE = in_path("name", {"type": "string"}, "best.jpg, annotated.jpg, before.jpg, preview.jpg, strip-00.jpg, …")
_EVENT_ID = in_path("event_id", {"type": "string"}, "The event's id.")
_RULE = in_path("name", {"type": "string"}, "The rule's name.")
_CHANNEL_READ: Json = {"name": "office", "kind": "webhook", "outcomes": ["image.failed"], "callback": False}
_ETAG, _IF_MATCH = etag("rule"), if_match()
_IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "schema": {"type": "string"},
    "description": "`*` writes a new rule only.",
}  # fmt: skip
_CHANNEL = in_path("name", {"type": "string"}, "The channel's name.")
_CAMERA = query("camera", {"type": "string"}, "Only of this camera; a page may be short then and yet have a next.")
_OF = {
    "camera": "Of this camera.", "zone": "That were raised in this zone.",
    "day": "That were raised on this day, like `2026-11-30`.",
    "timezone": "Whose day it is, like `Europe/Berlin`; by default the setting's.",
}  # fmt: skip
_FILTER = [
    query("state", {"enum": ["new", "acknowledged"]}, "Only these: `new` ones nobody has acknowledged."),
    query("class", {"enum": ["detection", "alert"]}, "Of this class."),
    *(query(name, {"type": "string", "maxLength": 100}, sentence) for name, sentence in _OF.items()),
]
_LISTED: dict[int, tuple[str, ...]] = {400: ("bad-cursor", "bad-limit"), **DATABASE_AWAY}
_UNKNOWN: dict[int, tuple[str, ...]] = {404: ("unknown-alert",)}
_BAD = {400: ("bad-json",), 413: ("request-too-large",), 422: ("bad-value",)}
_ID = "yard:1795252502213"
_AT = "2026-11-21T09:15:02.213Z"

ALERT: Json = {
    "number": 17, "at": _AT, "camera": "yard", "kind": "motion", "event": _ID, "started_at": _AT,
    "description": "Motion in door, score 0.93", "rules": ["everything"], "channels": ["office"],
    "reason": "everything says so", "acknowledged": None, "pinned": False, "url": "/alerts/17",
}  # fmt: skip
EVENT: Json = {
    "id": _ID, "source": "yard", "kind": "motion", "class": "alert", "started_at": _AT, "ended_at": None,
    "end_reason": None, "seconds": 4.0, "score": 0.93, "area": 0.02, "zones": ["door"],
    "regions": [{"x": 0.1, "y": 0.5, "width": 0.1, "height": 0.3, "area": 0.02, "score": 0.93, "zones": ["door"]}],
    "people": None, "frames": 5, "moving_frames": 4, "description": "Motion in door, score 0.93",
    "pictures": [{"name": "best.jpg", "url": "/api/v1/alerts/17/pictures/best.jpg"}], "alert": 17,
}  # fmt: skip
_SENT: Json = {
    "channel": "office", "attempt": 1, "at": _AT, "result": "sent", "status": 204, "answer": "204 No Content",
    "attached": "", "reason": "it was received", "next_at": None,
}  # fmt: skip
_HELD: Json = {
    "event": _ID, "camera": "yard", "kind": "motion", "class": "alert", "started_at": _AT, "at": _AT,
    "code": "cool-down", "reason": "alert 16 of the same camera was 2 min ago; the cool-down is 5 min", "alert": None,
}  # fmt: skip
_RULE_EXAMPLE: Json = {"name": "night", "cameras": ["yard-*"], "hours": ["22:00-06:00"], "channels": ["office"]}
_RULE_READ: Json = _RULE_EXAMPLE | {"revision": "2-6fa0b63c2e1d4b7a9c1f"}


def _jpeg(description: str) -> Json:
    content = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    found = {"description": description, "content": content}
    return {"200": found, "304": {"description": "The client has these bytes already (`If-None-Match`)."}}


_TEXT = {"type": "string", "maxLength": 100}
_NOTE = {"type": "string", "maxLength": 300}
_NUMBERS = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 500}
_WHO = json_body(members({"by": _TEXT, "note": _NOTE}), {"by": "ann", "note": "it was the cat"}, required=False)
_UNTIL = {"enum": ["morning"], "description": "Until the next seven o'clock of `timezone`, instead of `seconds`."}
_QUIET = json_body(
    members(
        {
            "seconds": {"type": "number"},
            "until": _UNTIL,
            "timezone": _TEXT,
            "camera": _TEXT,
            "rule": _TEXT,
            "by": _TEXT,
        }
    ),
    {"seconds": 3600, "by": "ann"},
    required=False,
)
_SNOOZE = {
    "id": "1795252502213:ann", "by": "ann", "since": _AT, "until": "2026-11-21T10:15:02.213Z", "camera": "yard",
    "rule": None,
}  # fmt: skip
_MADE = _SNOOZE | {"url": "/api/v1/snoozes/1795252502213:ann", "replaced": []}
_SNOOZED = answer(201, "SnoozeMade", "It is quiet now.", _MADE, LOCATION)


ALERTS: Json = {
    "/api/v1/alerts": {
        "get": operation(
            "Alerts", "listAlerts", "Alerts, newest first, all or those that match",
            [
                answer(200, "Alerts", "A page.", {
                    "alerts": [ALERT], "next": None, "counts": {"all": 1, "new": 1, "acknowledged": 0},
                }),
                problems({**_LISTED, 422: ("bad-value",)}),
            ],
            parameters=[*_FILTER, AFTER, LIMIT],
        )
    },
    "/api/v1/alerts/acknowledge": {
        "post": operation(
            "Alerts", "acknowledgeAlerts", "Says that somebody has seen all of these; of each the first one counts",
            [
                answer(200, "AlertsAcknowledged", "What became of them.", {
                    "acknowledged": [17], "already": [16], "unknown": [],
                }),
                problems({**_BAD, 415: ("not-json",), **CHANGING}),
            ],
            body=json_body(members({"numbers": _NUMBERS, "by": _TEXT, "note": _NOTE}), {"numbers": [16, 17]}),
        )
    },
    "/api/v1/alerts/unacknowledge": {
        "post": operation(
            "Alerts", "takeBackAlerts", "Nobody has seen these, after all",
            [
                answer(200, "AlertsTakenBack", "They are new.", {"new": [17]}),
                problems({**_BAD, 415: ("not-json",), **CHANGING}),
            ],
            body=json_body(members({"numbers": _NUMBERS}), {"numbers": [17]}),
        )
    },
    "/api/v1/alerts/{number}": {
        "get": operation(
            "Alerts", "getAlert", "One alert: its event, its pictures, what was sent to whom",
            [
                answer(200, "WholeAlert", "The alert.", ALERT | {"details": EVENT, "kept": True, "sent": [_SENT]}),
                problems({**_UNKNOWN, **DATABASE_AWAY}),
            ],
            parameters=[_NUMBER],
        )
    },
    "/api/v1/alerts/{number}/pictures/{name}": {
        "get": operation(
            "Alerts", "getAlertPicture", "A picture of an alert",
            [_jpeg("The picture."), problems({404: ("unknown-alert", "no-picture"), **DATABASE_AWAY})],
            parameters=[_NUMBER, _PICTURE],
        )
    },
    "/api/v1/alerts/{number}.zip": {
        "get": operation(
            "Alerts", "getAlertZip", "The alert as JSON with all its pictures, and a page that shows them offline",
            [
                {"200": {"description": "A ZIP.", "content": {
                    "application/zip": {"schema": {"type": "string", "format": "binary"}},
                }}},
                problems({**_UNKNOWN, **DATABASE_AWAY}),
            ],
            parameters=[_NUMBER],
        )
    },
    "/api/v1/alerts/{number}/acknowledge": {
        "post": operation(
            "Alerts", "acknowledgeAlert", "Says that somebody has seen it; the first one counts",
            [
                answer(200, "Acknowledged", "Who has.", {"by": "ann", "at": _AT, "note": "it was the cat"}),
                problems({**_BAD, **_UNKNOWN, 412: ("changed-meanwhile",), **CHANGING}),
            ],
            parameters=[_NUMBER], body=_WHO,
        ),
        "delete": operation(
            "Alerts", "takeBackAlert", "Nobody has seen it, after all",
            [
                answer(200, "AlertTakenBack", "It is new.", {"number": 17, "acknowledged": None}),
                problems({**_UNKNOWN, **CHANGING}),
            ],
            parameters=[_NUMBER],
        ),
    },
    "/api/v1/alerts/{number}/pin": {
        "post": operation(
            "Alerts", "pinAlert", "Keeps its pictures when their month is dropped",
            [
                answer(200, "Pinned", "They stay.", {"number": 17, "pinned": True}),
                problems({**_BAD, **_UNKNOWN, 410: ("pictures-gone",), **CHANGING}),
            ],
            parameters=[_NUMBER], body=_WHO,
        ),
        "delete": operation(
            "Alerts", "unpinAlert", "Lets them go with their month",
            [
                answer(200, "Pinned", "They go.", {"number": 17, "pinned": False}),
                problems({**_UNKNOWN, **CHANGING}),
            ],
            parameters=[_NUMBER],
        ),
    },
    "/api/v1/alerts/{number}/snooze": {
        "post": operation(
            "Alerts", "snoozeCamera", "Quiet about this alert's camera for a while",
            [_SNOOZED, problems({**_BAD, **_UNKNOWN, **CHANGING})],
            parameters=[_NUMBER], body=_QUIET,
        )
    },
    "/api/v1/snoozes": {
        "get": operation(
            "Alerts", "listSnoozes", "The snoozes which last",
            [
                answer(200, "Snoozes", "Newest first.", {"snoozes": [_SNOOZE]}),
                problems(DATABASE_AWAY),
            ],
        ),
        "post": operation(
            "Alerts", "addSnooze", "Quiet about a camera, a rule, or everything for a while",
            [_SNOOZED, problems({**_BAD, **CHANGING})], body=_QUIET,
        ),
    },
    "/api/v1/snoozes/{snooze_id}": {
        "delete": operation(
            "Alerts", "endSnooze", "Ends a snooze now",
            [{"204": {"description": "Ended."}}, problems({404: ("unknown-snooze",), **CHANGING})],
            parameters=[in_path("snooze_id", {"type": "string"}, "The snooze's id.")],
        )
    },
    "/api/v1/camera-events": {
        "get": operation(
            "Alerts", "listCameraEvents", "Events of cameras, newest first",
            [answer(200, "CameraEvents", "A page.", {"events": [EVENT], "next": None}), problems(_LISTED)],
            parameters=[_CAMERA, AFTER, LIMIT],
        )
    },
    "/api/v1/camera-events/{event_id}": {
        "get": operation(
            "Alerts", "getCameraEvent", "One event",
            [answer(200, "CameraEvent", "The event.", EVENT), problems({404: ("unknown-event",), **DATABASE_AWAY})],
            parameters=[_EVENT_ID],
        )
    },
    "/api/v1/camera-events/{event_id}/pictures/{name}": {
        "get": operation(
            "Alerts", "getCameraEventPicture", "A picture of an event",
            [_jpeg("The picture."), problems({404: ("no-picture",), **DATABASE_AWAY})],
            parameters=[_EVENT_ID, _PICTURE],
        )
    },
    "/api/v1/held-back": {
        "get": operation(
            "Alerts", "listHeldBack", "What rules held back, and why, newest first",
            [answer(200, "HeldBack", "A page.", {"held_back": [_HELD], "next": None}), problems(_LISTED)],
            parameters=[_CAMERA, AFTER, LIMIT],
        )
    },
}  # fmt: skip

RULES: Json = {
    "/api/v1/rules": {
        "get": operation(
            "Rules", "listRules", "All rules",
            [answer(200, "Rules", "By name.", {"rules": [_RULE_READ]}), problems(DATABASE_AWAY)],
        )
    },
    "/api/v1/rules/{name}": {
        "get": operation(
            "Rules", "getRule", "One rule",
            [
                answer(200, "Rule", "The rule.", _RULE_READ, _ETAG),
                problems({404: ("unknown-rule",), **DATABASE_AWAY}),
            ],
            parameters=[_RULE],
        ),
        "put": operation(
            "Rules", "putRule", "Writes a rule, new or over the one of this name",
            [
                answer(200, "Rule", "Written; it counts from the next event on.", _RULE_READ, _ETAG),
                problems({
                    400: ("bad-json",), 409: ("rule-changed",), 412: ("changed-meanwhile", "rule-exists"),
                    413: ("request-too-large",), 422: ("bad-rule",), **CHANGING,
                }),
            ],
            description="Over the revision that `If-Match` or the body names; without one over whatever is there.",
            parameters=[_RULE, _IF_MATCH, _IF_NONE_MATCH], body=json_body(ref("Rule"), _RULE_EXAMPLE),
        ),
        "delete": removal(
            "Rules", "deleteRule", "Deletes a rule; its alerts stay", "unknown-rule", [_RULE, _IF_MATCH]
        ),
    },
    "/api/v1/channels": {
        "get": operation(
            "Rules", "listChannels", "The names of the channels that rules can name",
            [
                answer(200, "Channels", "By name.", {"channels": [_CHANNEL_READ]}),
                problems(DATABASE_AWAY),
            ],
        )
    },
    "/api/v1/channels/{name}/test": {
        "post": operation(
            "Rules", "testChannel", "Sends a sample over a channel",
            [
                answer(200, "ChannelTested", "What came of it.", {
                    "channel": "office", "ok": True, "status": 204, "answer": "204 No Content", "at": _AT,
                }),
                problems({404: ("unknown-channel",), 504: ("no-answer",), **CHANGING}),
            ],
            parameters=[_CHANNEL],
        )
    },
}  # fmt: skip
