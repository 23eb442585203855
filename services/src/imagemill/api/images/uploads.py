"""POST: pictures come in."""

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from flask import Blueprint, Response, json, request
from werkzeug.datastructures import FileStorage

from imagemill.api.access.permissions import needs
from imagemill.api.images.callbacks import callbacks_of
from imagemill.api.images.intake import PORTION_BYTES, UploadAnswer, UploadOptions, order_of, take_in
from imagemill.api.images.offers import Offer, offered
from imagemill.api.images.waiting import outcome_within, wait_seconds_of
from imagemill.api.services import Services
from imagemill.api.web.idempotency import checked_key, header_key
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import failure, picture, services
from imagemill.api.web.spool import claim_memory, takes_pictures
from imagemill.domain.access import Permission
from imagemill.domain.errors import Invalid
from imagemill.domain.keys import key_of_file
from imagemill.domain.names import display_name, path_name
from imagemill.store.couch import StoreUnavailable

log = structlog.get_logger(__name__)
blueprint = Blueprint("uploads", __name__)

_PLAIN_FIELDS = ("name", "recipe", "batch", "key", "file")
_CALLBACKS = ("callback", "batch_callback")
_FIELDS = (*_PLAIN_FIELDS, "path", "source", "priority", "wait", *_CALLBACKS)
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@blueprint.post("/api/v1/images")
@needs(Permission.UPLOAD)
@takes_pictures
def upload() -> Response:
    """Pictures as multipart fields `file`, or one as the raw body."""
    mill = services()
    _check_fields(_FIELDS)
    keys = keys_of(mill)
    offers = _offers(mill, keys)
    recipes = request.values.getlist("recipe")
    callbacks = callbacks_of(mill, {name: _value(name) for name in _CALLBACKS})
    order = order_of(mill, recipes, _value("batch"), _value("source"), _value("priority"), keys[0], callbacks)
    wait_seconds = wait_seconds_of(mill, _value("wait"))
    if not wait_seconds:
        return _answered(take_in(mill, order, offers))
    if len(order.recipes) != 1 or (request.mimetype in _FORMS and len(_files(mill)) != 1):
        raise Problem(400, "wait-needs-one", "With wait= send one picture and one recipe; else as many as you like.")
    return _waited(mill, order, offers, wait_seconds)


@blueprint.post("/image")
@needs(Permission.UPLOAD)
@takes_pictures
def plain_upload() -> Response:
    """The raw body in, 202 and `Location` out."""
    mill = services()
    _check_fields(_PLAIN_FIELDS)
    keys = keys_of(mill)
    order = order_of(mill, request.args.getlist("recipe"), request.args.get("batch", ""), "", "", keys[0])
    answer = take_in(mill, order, _offers(mill, keys))
    if not answer.accepted:
        return _answered(answer)
    location = f"/image/{answer.accepted[0]['id']}"
    return _json({"id": answer.accepted[0]["id"], "url": location}, 202, {"Location": location})


def _check_fields(known: Sequence[str]) -> None:
    """A misspelt field must not be passed over: the picture would end under another recipe, or in no batch."""
    for name in (*request.values, *request.files):
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
            raise Problem(400, "unknown-field", f"There is no field {name!r}; {meant}")


def _value(name: str) -> str:
    return request.values.get(name, "").strip()


def keys_of(mill: Services) -> list[str | None]:
    """A key for each picture: the fields `key`, or made of the header Idempotency-Key; raises Problem."""
    count = len(_files(mill)) if request.mimetype in _FORMS else 1
    header = header_key()
    given = request.values.getlist("key") or ([header] if header else [])
    if not given:
        return [None] * count
    if len(given) == 1 and count > 1:
        return [key_of_file(checked_key(given[0]), index) for index in range(count)]
    if len(given) != count:
        raise Problem(400, "bad-key", f"There are {len(given)} keys for {count} pictures; send one for each, or one.")
    return [checked_key(key) for key in given]


def _offers(mill: Services, keys: list[str | None]) -> Iterable[Offer]:
    if request.mimetype not in _FORMS:
        return [_raw_offer(mill, keys[0])]
    return offers_of_form(mill, keys)


def offers_of_form(mill: Services, keys: list[str | None]) -> Iterable[Offer]:
    """The files of the form field `file`; raises Problem when there are none, or too many."""
    # Read one by one: a portion of them is in memory at a time, the rest in a temporary file.
    limit, files = mill.settings.max_image_bytes, _files(mill)
    claim_memory(min(request.content_length or sys.maxsize, PORTION_BYTES + limit))
    return (
        offered(name, file.stream, limit, index, key, getattr(file.stream, "size_bytes", 0))
        for index, (file, name, key) in enumerate(zip(files, _names(files), keys, strict=True))
    )


def _names(files: Sequence[FileStorage]) -> list[str]:
    """What the files are called: by their fields `path`, where there are any, an empty one is none; raises Invalid."""
    paths = request.values.getlist("path") or [""] * len(files)
    if len(paths) != len(files):
        sentence = f"There are {len(paths)} paths for {len(files)} files; send one for each, in their order, or none."
        raise Invalid("bad-path", sentence, "path")
    return [path_name(path) if path else display_name(file.filename) for file, path in zip(files, paths, strict=True)]


def _raw_offer(mill: Services, key: str | None) -> Offer:
    limit = mill.settings.max_image_bytes
    announced = request.content_length or 0
    if not announced and "name" not in request.args and "Transfer-Encoding" not in request.headers:
        raise Problem(400, "no-file", "The request has no body; send a picture in it, or in a form field named 'file'.")
    claim_memory(min(announced or sys.maxsize, limit))
    path = request.args.get("path")
    name = path_name(path) if path else display_name(request.args.get("name"))
    return offered(name, request.stream, limit, key=key, announced_bytes=announced)


def _files(mill: Services) -> list[FileStorage]:
    files = request.files.getlist("file")
    limit = mill.settings.max_request_files
    if len(files) > limit:
        raise Problem(413, "too-many-files", f"{len(files):,} files in one request; at most {limit:,} at a time.")
    if not files:
        raise Problem(
            400, "no-file", "There is no file in the request; send each picture in a form field named 'file'."
        )
    return files


def _answered(answer: UploadAnswer) -> Response:
    if answer.accepted:
        location = answer.accepted[0]["url"] if len(answer.accepted) == 1 else f"/api/v1/batches/{answer.batch}"
        return _json(answer.body(), 202, {"Location": location})
    first = answer.rejected[0]
    detail = first["detail"] if len(answer.rejected) == 1 else f"All {len(answer.rejected)} pictures were refused."
    code = first["code"] if len({item["code"] for item in answer.rejected}) == 1 else "all-rejected"
    raise Problem(answer.status, code, detail, batch=answer.batch, rejected=answer.rejected)


def _waited(mill: Services, order: UploadOptions, offers: Iterable[Offer], wait_seconds: float) -> Response:
    answer = take_in(mill, order, offers, wait=True)
    if not answer.accepted:
        return _answered(answer)
    image_id = answer.accepted[0]["id"]
    try:
        found = outcome_within(mill, image_id, wait_seconds)
        if found is None:
            return _answered(answer)
        outcome, data = found
        if outcome.result is None:
            raise failure(outcome, image_id)
        response = picture(mill, outcome.result, data)
    except StoreUnavailable as error:
        # It is accepted, whatever the database does now: no 503, after which it would be sent again.
        log.warning("answered without the result", image=image_id, error=str(error))
        return _answered(answer)
    response.headers["Location"] = answer.accepted[0]["url"]
    return response


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Response:
    return Response(json.dumps(body), status, dict(headers), mimetype="application/json")
