"""The shapes of answers as JSON Schema (2020-12): from the records where they are the answer, else spelled out."""

from typing import Any

from pydantic import BaseModel

from imagemill.api.cameras.status import CameraStatus
from imagemill.api.cameras.views import CameraReader
from imagemill.api.rules.views import ChannelTested, ChannelView
from imagemill.api.web.openapi import alert_schemas as alerts
from imagemill.api.web.openapi import codes, pools
from imagemill.api.web.openapi.models import components
from imagemill.domain.cameras import Camera
from imagemill.domain.failures import STATES
from imagemill.domain.images import ImageInfo, Outcome, Rejection, TraceStep
from imagemill.domain.rules import Rule

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "string", "format": "uuid", "description": "UUID version 7: ids sort by time."}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds."}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
URL: Schema = {"type": "string", "format": "uri-reference"}
BATCH: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
INDEX: Schema = {"type": "integer", "minimum": 0, "description": "The file's place in the request, from 0."}
STATUS: Schema = {"type": "string", "enum": ["accepted", "stored", "failed"]}


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def listed(schema: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": schema}


def shape(description: str, properties: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object; programs must pass over properties which they do not know: later versions may add some."""
    return {
        "type": "object",
        "description": description,
        "properties": properties | (optional or {}),
        "required": list(properties),
    }


def page(of: str, item: Schema) -> Schema:
    """A page of a list."""
    cursor = nullable(STRING) | {"description": "The next page's `after`; null on the last page."}
    return shape("A page.", {of: listed(item), "next": cursor})


def record(model: type[BaseModel], **better: Schema) -> Schema:
    """A record as it is sent: with all of its fields."""
    generated = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    properties = {
        name: {key: value for key, value in schema.items() if key not in ("title", "default")} | better.get(name, {})
        for name, schema in generated["properties"].items()
    }
    return shape(generated["description"], properties)


def _cameras() -> dict[str, Schema]:
    found = components(Camera, CameraStatus, CameraReader)
    members = found.pop("Camera")["properties"]
    return found | {
        "CameraSpec": shape("A camera as it is given.", {}, members),
        "Camera": shape("A camera.", members | {"status": ref("CameraStatus")}),
        "Cameras": shape("All cameras, their readers, and the names of credentials.", {
            "cameras": listed(ref("Camera")), "readers": listed(ref("CameraReader")), "credentials": listed(STRING),
        }),
    }  # fmt: skip


def _rules() -> dict[str, Schema]:
    return components(Rule, ChannelView, ChannelTested) | {
        "Rules": shape("All rules.", {"rules": listed(ref("Rule"))}),
        "Channels": shape("Channels by name; nothing of their addresses.", {"channels": listed(ref("ChannelView"))}),
    }


def _counts() -> dict[str, Schema]:
    names = ("offered", "accepted", "rejected", "stored", "duplicates", "damaged", "failed", "in_flight", "erased")
    return dict.fromkeys(names, COUNT) | {
        "failed_open": COUNT | {"description": "Failed, neither retried nor discarded."}
    }


_ARITHMETIC = "accepted = stored + failed + in_flight, and offered = accepted + rejected; duplicates are stored too."

_IMAGE: dict[str, Schema] = {
    "id": ID,
    "batch": BATCH,
    "name": STRING | {"description": "The file's name as a person may see it; never a path."},
    "recipe": STRING,
    "source": nullable(STRING) | {"description": "The camera or feed it came from."},
    "priority": {"type": "integer", "minimum": 0, "maximum": 9},
    "retry_of": nullable(ID) | {"description": "The failed picture which this one tries again."},
    "callback": nullable(STRING) | {"description": "The receiver that is told of its outcome."},
    "batch_callback": nullable(STRING) | {"description": "The receiver that is told when its batch is complete."},
    "status": STATUS | {"description": "`accepted` while it is in flight."},
    "duplicate": BOOLEAN | {"description": "The result was known: same original, same recipe."},
    "warnings": listed({"type": "string", "enum": ["damaged"]})
    | {"description": "`damaged`: the decoder said that some of the original's pixels are missing or wrong."},
    "code": nullable(STRING) | {"description": "Why it failed, for programs; see Code."},
    "reason": nullable(STRING) | {"description": "Why it failed, in words."},
    "accepted_at": TIME,
    "original": ref("ImageInfo"),
    "result": nullable(ref("ImageInfo")),
    "erasure": nullable(ref("Erasure")) | {"description": "That it was erased; it still counts as what it was."},
    "trace": listed(ref("TraceStep")),
}

_RESOLUTION = shape("How somebody answered a failure.", {
    "kind": {"type": "string", "enum": ["retried", "discarded"]}, "at": TIME, "by": STRING,
    "retry": nullable(ID) | {"description": "The picture that tries it again."}, "note": STRING,
})  # fmt: skip
_FAILURE: dict[str, Schema] = {
    "failure_state": {"type": "string", "enum": list(STATES)},
    "stage": STRING | {"description": "Where it failed, in words."},
    "failed_by": STRING | {"description": "The program that was at it."},
    "tries": {"type": "integer", "minimum": 1, "description": "Which try of its original it was, retries counted."},
    "advice": STRING | {"description": "What to do."},
    "resolution": nullable(ref("Resolution")),
    "last_retry": nullable(ref("LastRetry")) | {"description": "The end of its chain of retries."},
}

_ACCEPTED: dict[str, Schema] = {
    "id": ID,
    "name": STRING,
    "recipe": STRING,
    "sha256": SHA256,
    "duplicate": BOOLEAN | {"description": "Its result is there already; nothing is computed again."},
    "url": URL,
    "index": INDEX,
}

_REJECTED: dict[str, Schema] = {"name": STRING, "code": ref("Code"), "detail": STRING, "index": INDEX}

_PROBLEM: dict[str, Schema] = {
    "type": {"type": "string", "format": "uri", "description": "`urn:imagemill:problem:` and the code."},
    "title": STRING | {"description": "The status in words."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "code": ref("Code"),
    "detail": STRING | {"description": "What was wrong, with which value, and what to do."},
}

_RECIPE: dict[str, Schema] = {
    "name": STRING,
    "description": STRING,
    "content_type": STRING | {"description": "Of every result."},
    "digest": SHA256 | {"description": "Of the recipe's canonical JSON: equal digests give equal results."},
    "steps": listed({"type": "object", "minProperties": 1, "maxProperties": 1}),
    "pool": STRING | {"description": "The worker pool which works on it."},
}

_ACTIVITY = shape(
    "Something that happened, as the journal keeps it; what more it tells depends on its kind.",
    {"at": TIME, "kind": STRING, "program": STRING, "by": STRING},
    {"image": ID, "batch": BATCH},
)


_BATCH_TIMES: dict[str, Schema] = {
    "began_at": nullable(TIME) | {"description": "When its first picture was offered."},
    "ended_at": nullable(TIME) | {"description": "When its last one ended; null while some are in flight."},
    "recipes": {
        "type": "object", "additionalProperties": COUNT, "description": "How many of its pictures ask for each recipe.",
    },
}  # fmt: skip


def _code() -> Schema:
    described = [
        {"const": code.name, "description": f"{'/'.join(map(str, code.statuses))}: {code.meaning}"}
        for code in codes.ALL
    ]
    return {"type": "string", "description": "Why; stable, for programs.", "oneOf": described}


def _pictures() -> dict[str, Schema]:
    step = {"enum": ["accepted", "taken", "done", "stored"]}
    return {
        "ImageInfo": record(ImageInfo, sha256=SHA256, bytes=COUNT, width=COUNT, height=COUNT),
        "TraceStep": record(TraceStep, step=step, at=TIME, attempt={"minimum": 1}),
        "Image": shape(
            "A picture under a recipe.",
            _IMAGE,
            {
                "pin": nullable(ref("Pin")) | {"description": "Told of one picture, not in lists."},
            },
        ),
        "Failure": shape("A failed picture, and where its failure stands.", _IMAGE | _FAILURE),
        "Resolution": _RESOLUTION,
        "LastRetry": shape("A retry.", {"id": ID, "status": STATUS}),
        "Images": page("images", ref("Image")),
        "Story": shape("A picture with all that the journal knows of it.", _IMAGE | {"activity": listed(_ACTIVITY)}),
        "Activity": _ACTIVITY,
        "Outcome": record(Outcome, id=ID, batch=BATCH),
    }


def _uploads() -> dict[str, Schema]:
    return {
        "Accepted": shape("A picture that was taken in, once per recipe.", _ACCEPTED),
        "Rejected": shape("A picture that was refused at the door.", _REJECTED),
        "Uploaded": shape("What became of an upload.", {
            "batch": BATCH, "accepted": listed(ref("Accepted")), "rejected": listed(ref("Rejected")),
        }),
        "Known": shape("What became of pictures that were named by their hashes.", {
            "batch": BATCH, "accepted": listed(ref("Accepted")), "rejected": listed(ref("Rejected")),
            "known": listed(INDEX), "unknown": listed(INDEX),
        }),
        "PlainUploaded": shape("Where the result will be.", {"id": ID, "url": URL}),
        "InFlight": shape("The result is not there yet.", {"id": ID, "status": {"const": "accepted"}}),
        "Again": shape("The new picture.", {
            "id": ID, "retry_of": nullable(ID) | {"description": "The failed picture, of a retry."}, "url": URL,
        }),
        "Rejection": record(Rejection, id=ID, batch=BATCH, code=ref("Code") | {"type": "string"}, at=TIME),
        "Rejections": page("rejections", ref("Rejection")),
    }  # fmt: skip


def _overviews() -> dict[str, Schema]:
    return {
        "Batch": shape(f"A batch: {_ARITHMETIC}", {"id": BATCH} | _counts() | _BATCH_TIMES),
        "Batches": page("batches", ref("Batch")),
        "Totals": shape(f"The exact counts of everything: {_ARITHMETIC}", _counts()),
        "Recipe": shape("A named list of steps.", _RECIPE),
        "Recipes": shape("What can be asked for.", {"recipes": listed(ref("Recipe")), "default": STRING}),
    }


def _troubles() -> dict[str, Schema]:
    return {
        "Lost": shape("Why events are missing.", {"detail": STRING}),
        "Problem": shape("What went wrong (RFC 9457).", _PROBLEM, {
            "batch": BATCH, "rejected": listed(ref("Rejected")), "image": ID, "member": STRING,
        }),
        "Code": _code(),
    }  # fmt: skip


def all_schemas() -> dict[str, Schema]:
    """`components/schemas`."""
    own = _pictures() | _uploads() | _overviews() | _troubles()
    return own | pools.SCHEMAS | _cameras() | _rules() | alerts.SCHEMAS
