"""Several pictures at once: their results as a file, and their originals under another recipe."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.operations import (
    TAKING,
    answer,
    idempotency_key,
    json_body,
    members,
    operation,
    problems,
)
from imagemill.api.web.openapi.schemas import ID, STRING, Schema, listed, ref, shape

Json = dict[str, Any]
_IMAGES: Schema = listed(ID) | {"maxItems": 500}
_WRONG = {400: ("bad-json",), 415: ("not-json",), 422: ("bad-value",)}


SELECTION: Json = {
    "/api/v1/images/again": {
        "post": operation(
            "Pictures", "remakeImages", "Work on originals again, under another recipe",
            [
                answer(200, "MadeAgain", "What became of them.", {
                    "made": [{"id": examples.ID, "again": examples.NEW_ID}], "refused": [],
                }),
                problems({**_WRONG, 400: ("bad-json", "unknown-recipe", "bad-key"), 403: ("cross-site",),
                          429: ("too-many-jobs",), **TAKING}),
            ],
            description="Each becomes a new picture of its batch; nothing is uploaded again, and all are one commit.",
            parameters=[idempotency_key()],
            body=json_body(
                members({"images": _IMAGES, "recipe": STRING}, "images", "recipe"),
                {"images": [examples.ID], "recipe": "webp"},
            ),
        )
    },
    "/api/v1/images/results.zip": {
        "post": operation(
            "Pictures", "downloadImages", "The results of some pictures as a ZIP",
            [
                {"200": {"description": "Made while it is read, with `manifest.csv`.", "content": {
                    "application/zip": {"schema": {"type": "string", "format": "binary"}},
                }}},
                problems({**_WRONG, 403: ("cross-site",), 404: ("unknown-image",),
                          503: ("unavailable", "too-many-archives")}),
            ],
            body=json_body(members({"images": _IMAGES}, "images"), {"images": [examples.ID]}),
        )
    },
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """What the routes answer with."""
    made = shape("A picture, and the new one of its original.", {"id": ID, "again": ID})
    return {
        "MadeAgain": shape("What was made again.", {"made": listed(made), "refused": listed(ref("NotDone"))}),
    }
