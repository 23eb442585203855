"""Pages of lists: how long, and from where on."""

from flask import request

from imagemill.api.web.problems import Problem
from imagemill.domain.ids import is_uuid

PAGE = 50
MAX_PAGE = 500


def cursor() -> str | None:
    """The request's `after`, the `next` of the page before."""
    after = request.args.get("after") or None
    if after is not None and not is_uuid(after):
        raise Problem(400, "bad-cursor", f"after={after!r} is no cursor; use the `next` of the page before.")
    return after


def cursor_in(text: str | None) -> str | None:
    """A cursor of ours; None for anything else, which then means the beginning."""
    return text if text and is_uuid(text) else None


def page_limit() -> int:
    """The request's `limit`."""
    text = request.args.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PAGE):
        raise Problem(400, "bad-limit", f"limit={text} is not possible; use 1 to {MAX_PAGE}.")
    return int(text)
