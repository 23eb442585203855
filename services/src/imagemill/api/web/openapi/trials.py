"""A recipe tried on a picture."""

from typing import Any

from imagemill.api.web.openapi.codes import FAILED
from imagemill.api.web.openapi.operations import (
    BYTES,
    IMAGE_ID,
    PICTURE_TYPES,
    UNKNOWN_IMAGE,
    header,
    operation,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import STRING

Json = dict[str, Any]

_TRIED: Json = {
    "200": {
        "description": "The result; or its preview, as WebP, when it has more than 8 MiB.",
        "headers": {
            "Imagemill-Trial": header(
                "Facts about the result as JSON: `content_type`, `width`, `height`, `bytes`, `seconds` of work, "
                "`warnings`, and `is_preview`: are the bytes those of its preview?"
            )
        },
        "content": {media_type: {"schema": BYTES} for media_type in PICTURE_TYPES},
    }
}

TRIAL: Json = operation(
    "Pictures", "tryRecipe", "Try a recipe on the original, and store nothing",
    [
        _TRIED,
        problems({
            400: ("unknown-recipe",), 403: ("cross-site",), **UNKNOWN_IMAGE,
            410: ("original-missing", "erased"), 422: (*FAILED, "result-too-large"),
            503: ("unavailable", "trials-busy"), 504: ("no-worker",),
        }),
    ],
    description="The answer is what the recipe makes of it. A worker of the recipe's pool does it before what "
    "waits in its queue, a few at a time; pools that are scaled to zero are not woken. Nothing is counted. "
    "A token that is bound to a source may not see it.",
    parameters=[IMAGE_ID, query("recipe", STRING, "What to try; also taken from a form.") | {"required": True}],
)  # fmt: skip
