"""Failures over the API: list, retry, discard, reopen."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.images import failures, retry, views
from imagemill.api.images.failure_filter import chosen, filter_of, ids_of
from imagemill.api.web.bodies import json_body
from imagemill.api.web.idempotency import header_key
from imagemill.api.web.paging import cursor, page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission

blueprint = Blueprint("failures", __name__)
_BODY = "The body must be a JSON object that names pictures in `images` or describes them in `matching`."


@blueprint.get("/api/v1/failures")
@needs(Permission.VIEW)
def list_failures() -> Response:
    """Failures, newest first, with where each stands and what to do."""
    found, following = failures.page(services(), filter_of(request.args), page_limit(), cursor())
    return jsonify({"failures": [views.failure(item) for item in found], "next": following})


@blueprint.post("/api/v1/failures/retry")
@needs(Permission.OPERATE)
def retry_failures() -> Response:
    """Failures again, as one commit, under their own recipes or another one."""
    mill, body = services(), json_body(_BODY)
    images, unknown, following = chosen(mill, body)
    report = retry.retry_all(mill, images, str(body.get("recipe") or "") or None, header_key())
    made = [{"id": failed, "retry": new} for failed, new in report.retried.items()]
    return jsonify({"retried": made, "refused": _refused(report.refused, unknown), "next": following})


@blueprint.post("/api/v1/failures/discard")
@needs(Permission.OPERATE)
def discard_failures() -> Response:
    """Failures that nothing more is to be done about, with a note."""
    mill, body = services(), json_body(_BODY)
    images, unknown, following = chosen(mill, body)
    refused = failures.discard(mill, images, str(body.get("note") or "").strip())
    gone = [image.job.id for image in images if image.job.id not in refused]
    return jsonify({"discarded": gone, "refused": _refused(refused, unknown), "next": following})


@blueprint.post("/api/v1/failures/reopen")
@needs(Permission.OPERATE)
def reopen_failures() -> Response:
    """Discarded failures are open again."""
    ids = ids_of(json_body("The body must be a JSON object that names pictures in `images`.").get("images"))
    return jsonify({"reopened": failures.reopen(services(), ids)})


def _refused(refused: dict[str, Problem], unknown: list[str]) -> list[dict[str, Any]]:
    missing = [
        {"id": one, "code": "unknown-image", "detail": "No picture with this id was ever accepted."} for one in unknown
    ]
    return [{"id": one, "code": no.code, "detail": no.detail} for one, no in refused.items()] + missing
