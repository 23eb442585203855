"""Every route: method, parameters, answers."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.codes import FAILED
from imagemill.api.web.openapi.erasures import DELETE_IMAGE
from imagemill.api.web.openapi.operations import (
    AFTER,
    BATCH_FILTER,
    DATABASE_AWAY,
    IMAGE_ID,
    LIMIT,
    LOCATION,
    TAKING,
    UNKNOWN_IMAGE,
    answer,
    header,
    idempotency_key,
    in_path,
    json_body,
    operation,
    picture_answers,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import BATCH, STRING, Schema, ref
from imagemill.api.web.openapi.trials import TRIAL
from imagemill.api.web.openapi.uploads import KNOWN, PLAIN_UPLOAD, UPLOAD, WAIT

Json = dict[str, Any]

_GONE = {410: ("blob-missing", "original-missing", "erased"), 416: ("requested-range-not-satisfiable",)}
_RESULT_PROBLEMS = {422: FAILED, **_GONE, **DATABASE_AWAY}
_SOURCE = query(
    "source", {"type": "string"}, "Only those posted with this source; a page may be short then and yet have a next."
)
_TIME: Schema = {"type": "string", "description": "A date or a time, in UTC unless it says otherwise."}
_FILTERS = [
    _SOURCE,
    query("recipe", STRING, "Only those under this recipe; a page may be short then, too."),
    query("name", STRING, "Only those with this in their names, in any case; a page may be short then, too."),
    query("since", _TIME, "Accepted then or later."),
    query("until", _TIME, "Accepted earlier; a date includes that day."),
]
_STATE = query(
    "state",
    {"type": "string", "enum": ["accepted", "in_flight", "stored", "failed", "duplicate", "damaged", "erased"]},
    "Only pictures in this state; `accepted` and `in_flight` have no outcome, `damaged` are stored with that "
    "warning, `erased` are stored or failed and their bytes are not served any more.",
)
_DOWNLOAD = query("download", {"type": "string"}, "Present: browsers save the picture instead of showing it.")
_ELSEWHERE: Json = {
    "302": {
        "description": "With `s3_public_endpoint_url`, without `download`: the bytes are at this presigned address.",
        "headers": {"Location": header("Can be used for `s3_presigned_seconds`, by whoever has it.")},
    }
}
_OF = query("of", {"type": "string", "enum": ["result", "original"], "default": "result"}, "Which of the two is shown.")
_EVENTS = """Server-sent events. `event:` is one of

- `outcome`: a picture ended; the data is an Outcome.
- `activity`: something happened to a picture or a program; the data is an Activity.
- `totals`: the counts of everything, at the start and after changes, at most four times a second; the data are Totals.
- `alerts`: how many alerts nobody has acknowledged, at the start and after changes; the data are UnseenAlerts.
- `camera-event`: an event of a camera began, changed or ended; the data are CameraNews.
- `lost`: the reader was too slow, or came back too late; read the current state again.
- `busy`: too many streams are open; this one ends.

A comment comes every 15 seconds when nothing happens. With the header `Last-Event-ID`, which browsers send by
themselves after a lost connection, the stream goes on after that event."""


def _events() -> Json:
    shapes = {"outcome": "Outcome", "activity": "Activity", "totals": "Totals", "lost": "Lost", "busy": "Lost"}
    shapes |= {"camera-event": "CameraNews", "alerts": "UnseenAlerts"}
    content = {"schema": {"type": "string"}, "example": examples.EVENTS}
    stream = {
        "description": "A stream without end.",
        "content": {"text/event-stream": content},
        "x-events": {name: ref(schema) for name, schema in shapes.items()},
    }
    found = [{"200": stream}, problems({400: ("bad-batch",), **DATABASE_AWAY})]
    parameters = [query("batch", BATCH, "Only what concerns this batch.")]
    return operation(
        "News", "streamEvents", "What happens, as it happens", found, description=_EVENTS, parameters=parameters
    )


PICTURES: Json = {
    "/api/v1/known": {"post": KNOWN},
    "/api/v1/images": {
        "post": UPLOAD,
        "get": operation(
            "Pictures", "listImages", "Pictures, newest first",
            [
                answer(200, "Images", "A page.", {"images": [examples.IMAGE], "next": None}),
                problems({
                    400: ("bad-batch", "bad-state", "bad-cursor", "bad-limit"), 422: ("bad-value",), **DATABASE_AWAY,
                }),
            ],
            parameters=[BATCH_FILTER, _STATE, *_FILTERS, AFTER, LIMIT],
        ),
    },
    "/api/v1/images/{image_id}": {
        "get": operation(
            "Pictures", "getImage", "A picture's status and trace",
            [
                answer(200, "Image", "The picture as it is now.", examples.IMAGE),
                problems({**UNKNOWN_IMAGE, **DATABASE_AWAY}),
            ],
            parameters=[IMAGE_ID],
        ),
        "delete": DELETE_IMAGE,
    },
    "/api/v1/images/{image_id}/result": {
        "get": operation(
            "Pictures", "getResult", "The result's bytes",
            [
                picture_answers("The result."),
                _ELSEWHERE,
                problems({404: ("unknown-image", "no-result-yet"), **_RESULT_PROBLEMS}),
            ],
            parameters=[IMAGE_ID, _DOWNLOAD],
        )
    },
    "/api/v1/images/{image_id}/original": {
        "get": operation(
            "Pictures", "getOriginal", "The original's bytes",
            [picture_answers("The original, bit by bit."), problems({**UNKNOWN_IMAGE, **_GONE, **DATABASE_AWAY})],
            parameters=[IMAGE_ID, _DOWNLOAD],
        )
    },
    "/api/v1/images/{image_id}/preview": {
        "get": operation(
            "Pictures", "getPreview", "A preview for lists",
            [
                picture_answers("WebP of at most 18 kB; what is lighter, and shown by browsers, as it is."),
                problems({
                    400: ("bad-of",), 403: ("forbidden",), 404: ("unknown-image", "no-result-yet", "no-preview"),
                    **_RESULT_PROBLEMS,
                }),
            ],
            description="Made by the worker beside the result, 320 pixels on the longer side (`preview_pixels`), "
            "without metadata. That of the original needs the role uploader, as the original does: a recipe may have "
            "cut off or blurred what is not for everybody's eyes.",
            parameters=[IMAGE_ID, _OF],
        )
    },
    "/api/v1/images/{image_id}/story": {
        "get": operation(
            "Pictures", "getStory", "Everything the journal knows of a picture",
            [
                answer(200, "Story", "Oldest first.", examples.IMAGE | {"activity": [examples.ACTIVITY]}),
                problems({**UNKNOWN_IMAGE, **DATABASE_AWAY}),
            ],
            parameters=[IMAGE_ID],
        )
    },
    "/api/v1/images/{image_id}/retry": {
        "post": operation(
            "Pictures", "retryImage", "A failed picture again",
            [
                answer(202, "Again", "Accepted as a new picture.", examples.AGAIN, LOCATION),
                problems({
                    400: ("unknown-recipe", "bad-key"), 403: ("cross-site",), **UNKNOWN_IMAGE,
                    409: ("not-failed", "already-retried", "unknown-recipe"), **TAKING,
                }),
            ],
            description="A new picture in the same batch, under today's recipe of that name or another one. The failed "
            "one stays, and is solved once the new one is stored. A failure is retried once; what fails again is a "
            "failure of its own.",
            parameters=[
                IMAGE_ID, idempotency_key(), query("recipe", STRING, "Another recipe; also taken from a form."),
            ],
        )
    },
    "/api/v1/images/{image_id}/again": {
        "post": operation(
            "Pictures", "workAgain", "The same original under another recipe",
            [
                answer(202, "Again", "Accepted as a new picture.", examples.AGAIN | {"retry_of": None}, LOCATION),
                problems({
                    400: ("unknown-recipe", "bad-key"), 403: ("cross-site",), **UNKNOWN_IMAGE, **TAKING,
                }),
            ],
            description="A new picture in the same batch; nothing is uploaded again.",
            parameters=[
                IMAGE_ID,
                idempotency_key(),
                query("recipe", STRING, "What to do; also taken from a form.") | {"required": True},
            ],
        )
    },
    "/api/v1/images/{image_id}/trial": {"post": TRIAL},
    "/api/v1/rejections": {
        "get": operation(
            "Pictures", "listRejections", "Pictures refused at the door, newest first",
            [
                answer(200, "Rejections", "A page."),
                problems({400: ("bad-batch", "bad-cursor", "bad-limit"), **DATABASE_AWAY}),
            ],
            parameters=[BATCH_FILTER, AFTER, LIMIT],
        )
    },
}  # fmt: skip

COUNTS: Json = {
    "/api/v1/totals": {
        "get": operation(
            "Counts", "getTotals", "The exact counts of everything",
            [answer(200, "Totals", "The counts now.", examples.TOTALS), problems(DATABASE_AWAY)],
        )
    },
}  # fmt: skip

REST: Json = {
    "/api/v1/recipes": {
        "get": operation(
            "Recipes", "listRecipes", "What can be asked for", [answer(200, "Recipes", "All recipes, by name.")]
        )
    },
    "/api/v1/pools": {
        "get": operation(
            "Pools", "listPools", "The worker pools, as their scaler sees them",
            [
                answer(200, "Pools", "All pools, each with its reason in one sentence."),
                problems({400: ("bad-history",), 404: ("no-scaler",), 503: ("scaler-unavailable",)}),
            ],
            parameters=[query("history_seconds", {"type": "integer", "minimum": 0, "maximum": 86400, "default": 3600},
                              "How much of each pool's history.")],
        )
    },
    "/api/v1/pools/{name}": {
        "patch": operation(
            "Pools", "changePool", "Pause a pool's scaling, or change its bounds",
            [
                answer(200, "PoolBounds", "What it is now. The audit has what it was."),
                problems({
                    400: ("bad-json",), 404: ("no-scaler", "unknown-pool"), 409: ("pools-fixed",),
                    415: ("not-json",), 422: ("bad-value",), 503: ("scaler-unavailable",),
                }),
            ],
            description="The scaler refuses what is not within the bounds that it was given.",
            parameters=[in_path("name", {"type": "string"}, "The pool's name.")],
            body=json_body({"type": "object", "properties": {
                "paused": {"type": "boolean"}, "min_replicas": {"type": "integer", "minimum": 0},
                "max_replicas": {"type": "integer", "minimum": 1},
            }}, {"paused": True}),
        )
    },
    "/api/v1/events": {"get": _events()},
    "/api/v1/openapi.json": {
        "get": operation(
            "Operation", "getDocument", "This document",
            [{"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}}],
        )
    },
}  # fmt: skip

PLAIN: Json = {
    "/image": {"post": PLAIN_UPLOAD},
    "/image/{image_id}": {
        "get": operation(
            "Plain", "plainGet", "The transformed picture itself",
            [
                picture_answers("The result."),
                _ELSEWHERE,
                answer(
                    202, "InFlight", "It is on its way; ask again after `Retry-After` seconds.",
                    {"id": examples.ID, "status": "accepted"},
                ),
                problems({400: ("bad-wait",), **UNKNOWN_IMAGE, **_RESULT_PROBLEMS}),
            ],
            parameters=[IMAGE_ID, query("wait", WAIT, "Seconds to wait for it while it is in flight."), _DOWNLOAD],
        )
    },
}  # fmt: skip
