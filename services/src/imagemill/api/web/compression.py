"""Answers are compressed where that helps and betrays nothing.

How well an answer compresses tells what it has in common with itself. Whoever can have a browser ask for a page with
words of theirs in it, and sees how long the answers are, finds out what else is on it, letter by letter (BREACH). So
nothing is compressed that another site's page asked for, and no page with a form's token unless the browser says that
ours did.
"""

import gzip

from flask import Flask, Response, g, request

LEAST_BYTES = 1024
_LEVEL = 5
_KINDS = frozenset({
    "text/html", "text/css", "text/javascript", "text/plain", "text/csv", "application/json",
    "application/problem+json", "image/svg+xml",
})  # fmt: skip
_OURS = ("same-origin", "none")


def is_compressible(mimetype: str | None, size_bytes: int) -> bool:
    """Does it become smaller? Pictures do not, nor does what fits into one packet anyway."""
    return mimetype in _KINDS and size_bytes >= LEAST_BYTES


def betrays_nothing(asked_by: str | None, has_form_token: bool) -> bool:
    """May the length of the answer be seen by anybody? `asked_by` is what the browser says of the page that asks.

    >>> betrays_nothing("cross-site", False), betrays_nothing(None, False), betrays_nothing(None, True)
    (False, True, False)
    """
    return asked_by in _OURS or (asked_by is None and not has_form_token)


def compressed(data: bytes) -> bytes:
    """As gzip, the same bytes for the same bytes."""
    return gzip.compress(data, _LEVEL, mtime=0)


def install(app: Flask) -> None:
    """Compress the app's answers; must come before all that changes answers, so that it is done after them."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.is_streamed or response.direct_passthrough or "Content-Encoding" in response.headers:
        return response
    data = response.get_data()
    if not is_compressible(response.mimetype, len(data)) or response.status_code == 206:
        return response
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    # A form takes an ETag of what it was made of back as it is: those answers are short.
    if response.get_etag()[0] or request.accept_encodings["gzip"] <= 0:
        return response
    if betrays_nothing(
        request.headers.get("Sec-Fetch-Site"), g.get("form_token") is not None and response.mimetype == "text/html"
    ):
        response.set_data(compressed(data))
        response.headers["Content-Encoding"] = "gzip"
    return response
