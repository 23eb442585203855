"""Small bodies of requests: bounded before they are in memory, and JSON of any depth is read or refused."""

from typing import Any

from flask import json, request

from imagemill.api.web.problems import Problem

Json = dict[str, Any]
_MAX_BYTES = 256 * 1024


def parse_object(text: str | bytes) -> Json | None:
    """Parse a JSON object; None when it is anything else, or nested deeper than Python goes."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def json_body(refusal: str) -> Json:
    """Read the body as a JSON object; raises Problem with that sentence."""
    request.max_content_length = _MAX_BYTES
    _must_be_json()
    found = parse_object(request.get_data(cache=False))
    if found is None:
        raise Problem(400, "bad-json", refusal)
    return found


def _must_be_json() -> None:
    # Browsers send this type to another site only after asking whether they may.
    if not request.is_json:
        raise Problem(415, "not-json", "Say that the body is JSON: send the header Content-Type: application/json.")


def optional_body() -> Json:
    """Read the body as a JSON object, a form, or nothing; raises Problem."""
    request.max_content_length = _MAX_BYTES
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return request.form.to_dict()
    data = request.get_data(cache=False).strip()
    if data:
        _must_be_json()
    found = parse_object(data or b"{}")
    if found is None:
        raise Problem(400, "bad-json", "The body must be a JSON object, or empty.")
    return found
