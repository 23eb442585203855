"""Which revision a request means to change: `If-Match`, as ETags tell it, or `revision` in the body."""

import re
from typing import Any

from flask import request

from imagemill.api.web.problems import Problem

_REVISION = re.compile(r"[0-9]+-[0-9a-f]+")


def seen_revision(what: str, given: Any = None, required: bool = True) -> str | None:
    """The revision that the client has seen; None for `*`, or where none is required. Raises Problem."""
    if "*" in request.if_match:
        return None
    found = next(iter(request.if_match.as_set()), None) or given
    if found is None and required:
        detail = f"Say which revision is changed: If-Match with the {what}'s ETag, or its revision in the body."
        raise Problem(428, "precondition-required", detail)
    if found is not None and not _REVISION.fullmatch(str(found)):
        raise Problem(412, "changed-meanwhile", f"{str(found)[:60]!r} is no revision of a {what}; read it again.")
    return str(found) if found else None
