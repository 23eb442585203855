"""Idempotency keys as requests bring them."""

from flask import request

from imagemill.api.web.problems import Problem
from imagemill.domain.keys import is_key


def header_key() -> str | None:
    """What the header Idempotency-Key says; raises Problem."""
    text = request.headers.get("Idempotency-Key", "").strip().strip('"')
    return checked_key(text) if text else None


def checked_key(key: str) -> str:
    """The key; raises Problem when it cannot be one."""
    if not is_key(key):
        raise Problem(400, "bad-key", f"{key!r} is no key; use up to 200 visible characters of ASCII, a UUID say.")
    return key
