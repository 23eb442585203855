"""What can be done with several pictures at once, over the API; erasing and failures have rooms of their own."""

from flask import Blueprint, Response, jsonify

from imagemill.api.access.permissions import needs
from imagemill.api.images import archive, retry
from imagemill.api.images.failure_filter import ids_of
from imagemill.api.web.bodies import json_body
from imagemill.api.web.idempotency import header_key
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission

blueprint = Blueprint("selection", __name__)
_BODY = "The body must be a JSON object that names pictures in `images`."


@blueprint.post("/api/v1/images/again")
@needs(Permission.OPERATE)
def images_again() -> Response:
    """The originals of pictures under another recipe, as new pictures of their batches, as one commit."""
    mill, body = services(), json_body(_BODY)
    ids = ids_of(body.get("images"))
    report = retry.all_under_recipe(mill, mill.stores.ledger.images(ids), str(body.get("recipe") or ""), header_key())
    made = [{"id": one, "again": new} for one, new in report.retried.items()]
    refused = [{"id": one, "code": no.code, "detail": no.detail} for one, no in report.refused.items()]
    sentence = "No picture with this id was ever accepted."
    known = report.retried.keys() | report.refused.keys()
    unknown = [{"id": one, "code": "unknown-image", "detail": sentence} for one in ids if one not in known]
    return jsonify({"made": made, "refused": refused + unknown})


@blueprint.post("/api/v1/images/results.zip")
@needs(Permission.VIEW)
def results_of_images() -> Response:
    """The results of pictures as a ZIP, with a manifest."""
    return archive.zip_of(services(), ids_of(json_body(_BODY).get("images")))
