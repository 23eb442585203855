"""Small builders of which the descriptions of routes are made."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from imagemill.api.web.openapi import codes
from imagemill.api.web.openapi.schemas import BATCH, Schema, ref

Json = dict[str, Any]

PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff")
_TEMPORARY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
BYTES: Schema = {"type": "string", "format": "binary"}
# These can happen to every request, and are listed once, in the response `Unexpected`.
EVERYWHERE = {"default": {"$ref": "#/components/responses/Unexpected"}}


def operation(
    tag: str,
    operation_id: str,
    summary: str,
    answers: Iterable[Json],
    *,
    description: str = "",
    parameters: Iterable[Json] = (),
    body: Json | None = None,
) -> Json:
    """One method of a path; `answers` are merged in their order."""
    responses: Json = {}
    for answer in answers:
        responses |= answer
    found: Json = {"tags": [tag], "operationId": operation_id, "summary": summary}
    found |= {"description": description} if description else {}
    found |= {"parameters": list(parameters)} if parameters else {}
    found |= {"requestBody": body} if body else {}
    return found | {"responses": responses | EVERYWHERE}


def query(name: str, schema: Schema, description: str) -> Json:
    """An optional parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def etag(what: str) -> Json:
    """The header that tells a revision."""
    return {"ETag": header(f"The {what}'s revision, in quotes.")}


def if_match() -> Json:
    """The header that says which revision is changed."""
    description = "The ETag of the revision that is changed; `*` changes whatever is there."
    return {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": description}


def idempotency_key() -> Json:
    """The header that makes a repeat of a request the same job."""
    description = (
        "A repeat with the same key is the same job and counts once. Up to 200 visible characters of ASCII; a UUID of "
        "version 7, made when it is first sent, costs nothing."
    )
    return {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}, "description": description}


def in_path(name: str, schema: Schema, description: str) -> Json:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def answer(status: int, schema: str, description: str, example: Any = None, headers: Json | None = None) -> Json:
    """A JSON answer."""
    content: Json = {"schema": ref(schema)} | ({} if example is None else {"example": example})
    response: Json = {"description": description, "content": {"application/json": content}}
    return {str(status): response | ({"headers": headers} if headers else {})}


def picture_answers(description: str) -> Json:
    """A picture's bytes: immutable, so that 304 and 206 are answered too."""
    headers = {
        "ETag": header("The SHA-256 of the bytes, in quotes."),
        "Cache-Control": header("Immutable: the bytes at this address never change."),
    }
    content = {media_type: {"schema": BYTES} for media_type in PICTURE_TYPES}
    return {
        "200": {"description": description, "headers": headers, "content": content},
        "206": {"description": "The part which `Range` asks for.", "content": content},
        "304": {"description": "The client has these bytes already (`If-None-Match`)."},
    }


def problems(wanted: Mapping[int, tuple[str, ...]]) -> Json:
    """Problem answers: for each status the codes that come with it."""
    return {str(status): _problem(status, codes.at(status, names)) for status, names in sorted(wanted.items())}


def _problem(status: int, found: tuple[codes.Code, ...]) -> Json:
    meanings = "\n".join(f"- `{code.name}`: {code.meaning}" for code in found)
    headers = {"Retry-After": header("Seconds.")} if status in _TEMPORARY else {}
    example = {
        "type": f"urn:imagemill:problem:{found[0].name}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": found[0].name,
        "detail": found[0].meaning,
    }
    content = {"application/problem+json": {"schema": ref("Problem"), "example": example}}
    return {"description": meanings, "content": content} | ({"headers": headers} if headers else {})


def json_body(schema: Schema, example: Json, required: bool = True) -> Json:
    """A body of JSON."""
    return {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}


def members(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object with these members."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    return schema | ({"required": list(required)} if required else {})


def header(description: str) -> Json:
    """A header of a response."""
    return {"description": description, "schema": {"type": "string"}}


LOCATION = {"Location": header("Where to look next.")}
IMAGE_ID = in_path("image_id", {"type": "string", "format": "uuid"}, "The id which the upload answered.")
BATCH_FILTER = query("batch", BATCH, "Only pictures of this batch.")
AFTER = query("after", {"type": "string"}, "The `next` of the page before.")
LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, "Most entries of the page.")
DATABASE_AWAY = {503: ("unavailable",)}
# Of what may have been taken although no answer came.
TAKING: dict[int, tuple[str, ...]] = {
    503: ("unavailable", "accept-unknown", "being-erased", "too-many-in-flight", "clock-differs"),
}
# Of every change that a page of another site may not ask for.
CHANGING: dict[int, tuple[str, ...]] = {403: ("cross-site",), **DATABASE_AWAY}
UNKNOWN_IMAGE = {404: ("unknown-image",)}


def removal(tag: str, operation_id: str, summary: str, unknown: str, parameters: Iterable[Json]) -> Json:
    """DELETE over the revision that is named, if one is; `unknown` is the code of what is not there."""
    done = {"204": {"description": "Removed."}}
    refused = problems({404: (unknown,), 412: ("changed-meanwhile",), **CHANGING})
    return operation(tag, operation_id, summary, [done, refused], parameters=parameters)
