"""Failures: list, retry, discard, reopen."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.operations import (
    AFTER,
    BATCH_FILTER,
    CHANGING,
    DATABASE_AWAY,
    LIMIT,
    TAKING,
    answer,
    idempotency_key,
    json_body,
    members,
    operation,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import ID, STRING, Schema, listed, page, ref, shape
from imagemill.domain.failures import STATES

Json = dict[str, Any]
_TIME = {"type": "string", "description": "A date or a time, in UTC unless it says otherwise."}
_STATE: Schema = {"type": "string", "enum": [*STATES, "all"], "default": "open"}
_MATCHING: Schema = {
    "type": "object",
    "description": "Open failures that match all of it; an empty object means all.",
    "properties": {"batch": STRING, "code": STRING, "recipe": STRING, "since": _TIME, "until": _TIME},
}
_CHOICE: dict[str, Schema] = {
    "images": listed(ID) | {"maxItems": 500},
    "matching": _MATCHING,
    "after": STRING | {"description": "The `next` of the answer before: of what matches, 500 at a time are taken."},
}
_WRONG = {400: ("bad-json", "bad-batch", "bad-cursor"), 415: ("not-json",), 422: ("bad-value",)}


FAILURES: Json = {
    "/api/v1/failures": {
        "get": operation(
            "Failures", "listFailures", "Failures, newest first",
            [
                answer(200, "Failures", "A page; it may be short and yet have a next one.", {
                    "failures": [examples.FAILURE], "next": None,
                }),
                problems({
                    400: ("bad-state", "bad-batch", "bad-cursor", "bad-limit"), 422: ("bad-value",), **DATABASE_AWAY,
                }),
            ],
            description="A failure is open until it is retried or discarded; it is solved when its retry is stored.",
            parameters=[
                query("state", _STATE, "Where they stand."), BATCH_FILTER, query("code", STRING, "Why they failed."),
                query("recipe", STRING, "Under this recipe."), query("since", _TIME, "Accepted then or later."),
                query("until", _TIME, "Accepted earlier; a date includes that day."), AFTER, LIMIT,
            ],
        )
    },
    "/api/v1/failures/retry": {
        "post": operation(
            "Failures", "retryFailures", "Retry failures as one commit",
            [
                answer(200, "RetriedFailures", "What became of them.", {
                    "retried": [{"id": examples.ID, "retry": examples.NEW_ID}], "refused": [], "next": None,
                }),
                problems({**_WRONG, 400: (*_WRONG[400], "unknown-recipe", "bad-key"), 403: ("cross-site",),
                          429: ("too-many-jobs",), **TAKING}),
            ],
            description="Each is retried once, as a new picture in its batch. What fails again is a new failure.",
            parameters=[idempotency_key()],
            body=json_body(
                members(_CHOICE | {"recipe": STRING | {"description": "Another recipe than their own."}}),
                {"matching": {"code": "crashed", "batch": "holiday"}, "recipe": "thumbnail"},
            ),
        )
    },
    "/api/v1/failures/discard": {
        "post": operation(
            "Failures", "discardFailures", "Discard failures with a note",
            [
                answer(200, "DiscardedFailures", "What became of them.", {
                    "discarded": [examples.ID], "refused": [], "next": None,
                }),
                problems({**_WRONG, **CHANGING}),
            ],
            description="They stay failed and are counted so, but are open no more. Reopening takes it back.",
            body=json_body(
                members(_CHOICE | {"note": {"type": "string", "maxLength": 500, "description": "Why."}}),
                {"images": [examples.ID], "note": "A test card, not wanted."},
            ),
        )
    },
    "/api/v1/failures/reopen": {
        "post": operation(
            "Failures", "reopenFailures", "Take back that failures were discarded",
            [
                answer(200, "ReopenedFailures", "Those that were discarded.", {"reopened": [examples.ID]}),
                problems({400: ("bad-json",), 415: ("not-json",), 422: ("bad-value",), **CHANGING}),
            ],
            body=json_body(members({"images": _CHOICE["images"]}, "images"), {"images": [examples.ID]}),
        )
    },
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """What the routes of failures answer with."""
    refused = shape("A picture with which it could not be done.", {"id": ID, "code": ref("Code"), "detail": STRING})
    following: dict[str, Schema] = {"next": {"type": ["string", "null"], "description": "Where more of them begin."}}
    return {
        "Failures": page("failures", ref("Failure")),
        "NotDone": refused,
        "RetriedFailures": shape("What was retried.", {
            "retried": listed(shape("A failure and its retry.", {"id": ID, "retry": ID})),
            "refused": listed(ref("NotDone")), **following,
        }),
        "DiscardedFailures": shape("What was discarded.", {
            "discarded": listed(ID), "refused": listed(ref("NotDone")), **following,
        }),
        "ReopenedFailures": shape("What is open again.", {"reopened": listed(ID)}),
    }  # fmt: skip
