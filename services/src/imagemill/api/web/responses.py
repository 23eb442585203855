"""Pictures' bytes as HTTP responses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import quote

from flask import Response, current_app, redirect, request

from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.domain.images import ImageInfo, Job, Outcome
from imagemill.domain.names import ENDINGS, folder_and_base, result_stem

# What is not safe between quotes and as a file's name everywhere.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,()+@=_-]")


def services() -> Services:
    """The services of the running app."""
    return cast(Services, current_app.extensions["imagemill"])


def picture(mill: Services, info: ImageInfo, data: bytes | None = None, name: str | None = None) -> Response:
    """A picture: immutable, with ETag, 304 and Range."""
    response = inert(info.content_type)
    response.set_etag(info.sha256)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    if name:
        response.headers["Content-Disposition"] = disposition(name, info, download="download" in request.args)
    if request.method != "HEAD" and not request.if_none_match.contains(info.sha256):
        response.set_data(_bytes(mill, info) if data is None else data)
    elif request.method == "HEAD":
        response.content_length = info.bytes
        return response
    return response.make_conditional(request, accept_ranges=True, complete_length=info.bytes)  # type: ignore[return-value]


def inert(content_type: str) -> Response:
    """A response for a picture, without its bytes yet. Nothing in it can run: uploads are hostile."""
    response = Response(mimetype=content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def picture_of_result(mill: Services, info: ImageInfo, job: Job) -> Response:
    """A job's result: its bytes, or where they are, when clients reach the place that has them."""
    seconds = mill.settings.s3_presigned_seconds
    # There nobody could give it the name under which it is to be kept, and an address is for GET alone.
    is_ours = "download" in request.args or request.method == "HEAD" or request.if_none_match.contains(info.sha256)
    address = None if is_ours else _address(mill, info, seconds)
    if address is None:
        return picture(mill, info, name=f"{result_stem(folder_and_base(job.name)[1], job.recipe)}.x")
    response = cast(Response, redirect(address))
    response.headers["Cache-Control"] = f"private, max-age={int(seconds / 2)}"
    return response


def disposition(name: str, info: ImageInfo, download: bool) -> str:
    """A file name whose ending fits the content (RFC 6266); in ASCII first, for curl -OJ knows no other."""
    stem = folder_and_base(name)[1].rsplit(".", 1)[0] or "picture"
    filename = f"{stem}.{ENDINGS.get(info.content_type, 'bin')}"
    plain = _NOT_PLAIN.sub("_", filename)
    how = "attachment" if download else "inline"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def failure(outcome: Outcome, image_id: str) -> Problem:
    """A failed picture as an error: 410 when its original is gone, else 422."""
    status = 410 if outcome.code == "original-missing" else 422
    return Problem(status, outcome.code or "failed", outcome.reason or "The picture failed.", image=image_id)


def _bytes(mill: Services, info: ImageInfo) -> bytes:
    with _missing_is_said():
        return mill.stores.blobs.get(info.sha256)


def _address(mill: Services, info: ImageInfo, seconds: float) -> str | None:
    with _missing_is_said():
        return mill.stores.blobs.address(info.sha256, seconds)


@contextmanager
def _missing_is_said() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise Problem(410, "blob-missing", str(error)) from error
