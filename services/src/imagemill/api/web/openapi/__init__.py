"""The API's description: an OpenAPI 3.1 document of every route.

A program's new routes get a module of their own beside `paths`, whose table is added to `_PATHS`; a test holds this
document against the routes which Flask knows.
"""

from importlib.metadata import version
from typing import Any

from imagemill.api.web.openapi import (
    access,
    alerts,
    batches,
    cameras,
    codes,
    erasures,
    failures,
    paths,
    selection,
    webhooks,
)
from imagemill.api.web.openapi.schemas import all_schemas, ref

_PATHS = (
    paths.PICTURES,
    failures.FAILURES,
    erasures.ERASURES,
    selection.SELECTION,
    batches.BATCHES,
    paths.COUNTS,
    paths.REST,
    paths.PLAIN,
    cameras.CAMERAS,
    alerts.ALERTS,
    alerts.RULES,
    webhooks.DELIVERIES,
    access.ACCESS,
)
_SCHEMAS = (
    all_schemas, access.schemas, failures.schemas, erasures.schemas, selection.schemas, webhooks.schemas,
)  # fmt: skip
_TAGS = {
    "Upload": "Pictures in.",
    "Pictures": "What became of them.",
    "Failures": "Those that are open, and how they end: retried until solved, or discarded.",
    "Erasures": "What is not to be kept any more.",
    "Counts": "accepted = stored + failed + in flight, and offered = accepted + rejected; always.",
    "Recipes": "What can be done to a picture.",
    "Pools": "Who does it.",
    "Cameras": "Where pictures come from by themselves.",
    "Alerts": "What happened before the cameras, by number, and who was told.",
    "Rules": "Which events become alerts, and whom they are told.",
    "Webhooks": "Which other programs are told of outcomes, and whether they were.",
    "Access": "Who may do what, and who did what.",
    "News": "What happens, as it happens.",
    "Plain": "Two addresses for the plainest client.",
    "Operation": "For those who run it.",
}
_ABOUT = """An image that was accepted (202) ends in exactly one outcome, `stored` or `failed` with a reason, whatever
is killed on the way.

Errors are problem details (RFC 9457, `application/problem+json`) with a stable `code`:

| code | status | meaning |
|---|---|---|
"""


def document() -> dict[str, Any]:
    """The document; a new one with every call, so that nobody's changes reach anybody else."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Imagemill",
            "version": version("imagemill"),
            "summary": "Takes in pictures, works on them in scaled workers, keeps originals and results for good.",
            "description": _ABOUT + "\n".join(_row(code) for code in codes.ALL) + "\n",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": {path: dict(methods) for table in _PATHS for path, methods in table.items()},
        "components": {
            "schemas": {name: schema for room in _SCHEMAS for name, schema in room().items()},
            "responses": {"Unexpected": _unexpected()},
        },
    }


def _row(code: codes.Code) -> str:
    return f"| `{code.name}` | {', '.join(map(str, code.statuses))} | {code.meaning} |"


def _unexpected() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {"description": "A problem, for instance `internal-error`.", "content": content}
