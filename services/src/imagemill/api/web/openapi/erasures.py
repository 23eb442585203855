"""Erasing: a picture, several, a batch; and taking it back."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.operations import (
    CHANGING,
    IMAGE_ID,
    UNKNOWN_IMAGE,
    answer,
    json_body,
    members,
    operation,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import BATCH, BOOLEAN, ID, STRING, TIME, Schema, listed, ref, shape
from imagemill.domain.erasures import MAX_NOTE_LENGTH

Json = dict[str, Any]
_NOTE: Schema = {"type": "string", "maxLength": MAX_NOTE_LENGTH, "description": "Why."}
_AT_ONCE = BOOLEAN | {"description": "Without the time in which it can be undone; only admins may."}
_CHOICE: dict[str, Schema] = {
    "images": listed(ID) | {"maxItems": 500},
    "batch": BATCH,
    "after": STRING | {"description": "The `next` of the answer before: of a batch 500 at a time are taken."},
}
_WRONG = {400: ("bad-json", "bad-batch", "bad-cursor"), 415: ("not-json",), 422: ("bad-value",)}
_ABOUT = (
    "From then on its original, result and previews are answered with 410 `erased`. For `erasure_grace_hours` that can "
    "be undone; then the bytes are removed, unless another picture has the same ones. The ledger keeps the record, and "
    "all counts stay. What is in flight cannot be erased."
)
DELETE_IMAGE: Json = operation(
    "Erasures", "eraseImage", "Erase a picture",
    [
        answer(200, "Image", "The picture as it is now.", examples.IMAGE | {"erasure": examples.ERASURE}),
        problems({
            **CHANGING, **UNKNOWN_IMAGE, 403: ("cross-site", "forbidden"), 409: ("in-flight", "pinned"),
            422: ("bad-value",),
        }),
    ],
    description=_ABOUT,
    parameters=[IMAGE_ID, query("note", _NOTE, "Why."), query("at_once", _AT_ONCE, "Cannot be undone.")],
)  # fmt: skip


ERASURES: Json = {
    "/api/v1/erasures": {
        "post": operation(
            "Erasures", "eraseImages", "Erase pictures, or a batch",
            [
                answer(200, "Erased", "What became of them.", {
                    "erased": [{"id": examples.ID, **examples.ERASURE}], "refused": [], "next": None,
                }),
                problems({**_WRONG, **CHANGING, 403: ("cross-site", "forbidden")}),
            ],
            description=_ABOUT,
            body=json_body(
                members(_CHOICE | {"note": _NOTE, "at_once": _AT_ONCE}), {"batch": "holiday", "note": "Not wanted."},
            ),
        )
    },
    "/api/v1/images/{image_id}/pin": {
        "put": operation(
            "Erasures", "pinImage", "Keep a picture",
            [
                answer(200, "Pin", "The pin; one that was there before stays as it was.", examples.PIN),
                problems({
                    **CHANGING, **UNKNOWN_IMAGE, 400: ("bad-json",), 410: ("erased",), 415: ("not-json",),
                    422: ("bad-value",),
                }),
            ],
            description="It cannot be erased, by nobody and no retention, until the pin is taken away.",
            parameters=[IMAGE_ID],
            body=json_body(members({"note": _NOTE}), {"note": "Evidence."}, required=False),
        ),
        "delete": operation(
            "Erasures", "unpinImage", "Take a pin away",
            [
                {"204": {"description": "There is no pin any more."}},
                problems({**CHANGING, **UNKNOWN_IMAGE}),
            ],
            parameters=[IMAGE_ID],
        ),
    },
    "/api/v1/erasures/undo": {
        "post": operation(
            "Erasures", "undoErasures", "Take back that pictures were erased",
            [
                answer(200, "Undone", "What became of them.", {
                    "undone": [examples.ID], "refused": [], "next": None,
                }),
                problems({**_WRONG, **CHANGING}),
            ],
            body=json_body(members(_CHOICE), {"images": [examples.ID]}),
        )
    },
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """What the routes answer with."""
    following: dict[str, Schema] = {
        "refused": listed(ref("NotDone")),
        "next": {"type": ["string", "null"], "description": "Where more of the batch begins."},
    }
    members: dict[str, Schema] = {
        "at": TIME, "by": STRING, "due": TIME | {"description": "When its bytes go."}, "note": STRING,
        "state": {"type": "string", "enum": ["pending", "purging", "purged"]},
    }  # fmt: skip
    return {
        "Pin": shape("That a picture must be kept.", {"at": TIME, "by": STRING, "note": STRING}),
        "Erasure": shape("That a picture was erased; `pending` can be undone until shortly before `due`.", members),
        "Erased": shape("What was erased.", {
            "erased": listed(shape("An erased picture.", {"id": ID, **members})), **following,
        }),
        "Undone": shape("What is served again.", {"undone": listed(ID), **following}),
    }  # fmt: skip
