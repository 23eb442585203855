"""The routes which take pictures in."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.codes import DOOR, FAILED
from imagemill.api.web.openapi.operations import (
    LOCATION,
    PICTURE_TYPES,
    TAKING,
    answer,
    idempotency_key,
    json_body,
    members,
    operation,
    picture_answers,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import BATCH, SHA256, STRING, listed, nullable
from imagemill.domain.names import MAX_PATH_LENGTH

Json = dict[str, Any]

_PRIORITY: Json = {"type": "integer", "minimum": 0, "maximum": 9, "default": 0}
WAIT: Json = {"type": "number", "minimum": 0, "default": 0}
_RECIPES: Json = {"type": "array", "items": STRING}
_KEYS: Json = {"type": "array", "items": STRING | {"maxLength": 200}}
_PATHS: Json = {"type": "array", "items": STRING | {"maxLength": MAX_PATH_LENGTH}}
_FIELDS: dict[str, tuple[Json, str]] = {
    "recipe": (_RECIPES, "What to do; repeat it for several. Without one it is the default recipe."),
    "batch": (BATCH, "Counts are kept per batch. Without a name the upload is a batch of its own."),
    "source": (STRING | {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}, "The camera or feed it comes from."),
    "priority": (_PRIORITY, "9 goes first."),
    "key": (_KEYS, "As the header `Idempotency-Key`; with several pictures one for each, in their order."),
    "path": (_PATHS, "Where each file lies in its folder, as `trip/IMG_1.jpg`, in their order: it is its name."),
    "callback": (STRING, "The receiver that is told of each picture's outcome, by name; see Webhooks."),
    "batch_callback": (STRING, "The receiver that is told when the batch is complete, by name."),
    "wait": (WAIT, "Seconds to wait for the result itself; one picture and one recipe only."),
}
_NAME = query("name", STRING, "The name of a picture sent as the raw body.")
_PARAMETERS = [idempotency_key(), _NAME, *(query(name, schema, text) for name, (schema, text) in _FIELDS.items())]
_PLAIN_NAMES = ("Idempotency-Key", "name", "recipe", "batch")

_REFUSED = {
    400: ("no-file", "unknown-field", "unknown-recipe", "bad-batch", "bad-source", "bad-priority", "bad-wait",
          "unknown-callback", "bad-key", "wait-needs-one", "empty", "all-rejected", "bad-request"),
    403: ("cross-site",),
    408: ("too-slow",),
    413: ("too-many-files", "too-many-recipes", "request-too-large", "all-rejected", *DOOR),
    415: ("all-rejected", *DOOR),
    422: tuple(dict.fromkeys(("all-rejected", "bad-path", *DOOR, *FAILED))),
    429: ("too-many-jobs", "too-many-requests"),
    503: (*TAKING[503], "too-many-uploads"),
}  # fmt: skip

_DESCRIPTION = """Pictures as form fields `file` (repeated), or one as the raw body.

202 means: kept for good, and it will end in exactly one outcome, `stored` or `failed`, whatever is killed on the way.
It is answered when anything was accepted; what was refused is in `rejected`. When nothing was accepted the answer is a
problem with the same `rejected`. 503 `unavailable` means that nothing was accepted: send the same request again. After
503 `accept-unknown`, or no answer at all, that is not known: with the same `Idempotency-Key` a repeat counts once.

    curl -F file=@beach.jpg -F recipe=gray http://127.0.0.1:8080/api/v1/images
    curl -H 'Content-Type: image/jpeg' --data-binary @beach.jpg -o gray.png \\
      'http://127.0.0.1:8080/api/v1/images?name=beach.jpg&wait=10'
"""


def _form() -> Json:
    file = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    described = {name: schema | {"description": text} for name, (schema, text) in _FIELDS.items()}
    schema = {"type": "object", "required": ["file"], "properties": {"file": file, **described}}
    # Repeated fields rather than one with commas.
    encoding = {name: {"style": "form", "explode": True} for name in ("recipe", "key", "path")}
    return {"multipart/form-data": {"schema": schema, "encoding": encoding}}


def _raw() -> Json:
    bytes_: Json = {"schema": {"type": "string", "format": "binary"}}
    return dict.fromkeys((*PICTURE_TYPES, "application/octet-stream"), bytes_)


UPLOAD = operation(
    "Upload", "uploadImages", "Takes pictures in",
    [
        picture_answers("With `wait`: the result itself; `Location` names the picture."),
        answer(202, "Uploaded", "Something was accepted.", examples.UPLOADED, LOCATION),
        problems({**_REFUSED, 410: ("original-missing", "blob-missing")}),
    ],
    description=_DESCRIPTION, parameters=_PARAMETERS, body={"required": True, "content": _form() | _raw()},
)  # fmt: skip

_PLAIN = """For the plainest client, which sends a picture and waits for its result at the `Location` of the answer:

    curl -i -H 'Content-Type: image/jpeg' --data-binary @beach.jpg http://127.0.0.1:8080/image
    curl -o gray.png 'http://127.0.0.1:8080/image/ID?wait=30'
"""
PLAIN_UPLOAD = operation(
    "Plain", "plainUpload", "Takes one picture in: the raw body",
    [
        answer(
            202, "PlainUploaded", "Accepted; the result will be at `Location`.",
            {"id": examples.ID, "url": f"/image/{examples.ID}"}, LOCATION,
        ),
        problems(_REFUSED),
    ],
    description=_PLAIN,
    parameters=[parameter for parameter in _PARAMETERS if parameter["name"] in _PLAIN_NAMES],
    body={"required": True, "content": _raw()},
)  # fmt: skip

_NAMED: Json = {
    "type": "object", "required": ["sha256"],
    "properties": {"sha256": SHA256, "name": STRING, "path": nullable(STRING), "key": nullable(STRING)},
}  # fmt: skip
_KNOWN: Json = {
    "pictures": listed(_NAMED) | {"minItems": 1, "maxItems": 500},
    "recipes": listed(STRING) | {"description": "As the field `recipe` of an upload; so are the next five."},
    "batch": BATCH,
    "source": STRING | {"description": "With a source nothing is known: its pictures are analyzed too."},
    "priority": _PRIORITY,
    "callback": STRING,
    "batch_callback": STRING,
    "check": {"type": "boolean", "default": False, "description": "Accept nothing; only tell what is known."},
}
_KNOWN_REFUSED = {
    400: ("bad-json", "unknown-recipe", "bad-batch", "bad-source", "bad-priority", "unknown-callback", "bad-key"),
    403: ("cross-site",), 413: ("too-many-recipes",), 415: ("not-json",), 422: ("bad-value", "bad-path"),
    429: ("too-many-jobs",), **TAKING,
}  # fmt: skip

KNOWN = operation(
    "Upload", "takeKnown", "Hash first: takes in what is stored already",
    [
        answer(200, "Known", "What was accepted, and what must be sent.", {
            "batch": examples.BATCH, "accepted": examples.UPLOADED["accepted"], "rejected": [], "known": [0],
            "unknown": [1],
        }),
        problems(_KNOWN_REFUSED),
    ],
    description="""Pictures whose originals are stored are accepted as if they were uploaded; nothing is sent again.
`known` and `unknown` are places in `pictures`, from 0; the unknown ones are uploaded as usual.

    curl -H 'Content-Type: application/json' http://127.0.0.1:8080/api/v1/known \\
      -d "{\"pictures\": [{\"sha256\": \"$(sha256sum beach.jpg | cut -c1-64)\", \"name\": \"beach.jpg\"}]}"
""",
    body=json_body(
        members(_KNOWN, "pictures"),
        {"pictures": [{"sha256": examples.ORIGINAL["sha256"], "name": "beach.jpg"}], "recipes": ["gray"]},
    ),
)  # fmt: skip
