"""Erasing over the API: one picture, several, or a batch."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.images import erasing, views
from imagemill.api.images.failure_filter import ids_of
from imagemill.api.images.reads import image_of
from imagemill.api.services import Services
from imagemill.api.web.bodies import json_body, optional_body
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.errors import Invalid
from imagemill.domain.ids import is_batch_name, is_uuid
from imagemill.domain.images import Image

blueprint = Blueprint("erasures", __name__)
_BODY = "The body must be a JSON object that names pictures in `images`, or a `batch`."


@blueprint.delete("/api/v1/images/<image_id>")
@needs(Permission.OPERATE)
def erase_image(image_id: str) -> Response:
    """Erase a picture: its bytes are not served any more, and go when that cannot be undone any more."""
    mill, at_once = services(), request.args.get("at_once") == "true"
    _check_at_once(mill, at_once)
    found = image_of(mill, image_id)
    report = erasing.erase(mill, [found], request.args.get("note", "").strip(), at_once)
    if refusal := report.refused.get(image_id):
        raise refusal
    return jsonify(views.image(found.model_copy(update={"erasure": report.erased[0]})))


@blueprint.post("/api/v1/erasures")
@needs(Permission.OPERATE)
def erase_images() -> Response:
    """Erase pictures, or the next ones of a batch."""
    mill, body = services(), json_body(_BODY)
    at_once = body.get("at_once") is True
    _check_at_once(mill, at_once)
    images, unknown, following = _chosen(mill, body)
    report = erasing.erase(mill, images, str(body.get("note") or "").strip(), at_once)
    refused = [{"id": one, "code": no.code, "detail": no.detail} for one, no in report.refused.items()]
    erased = [erasure.model_dump(exclude={"batch"}) for erasure in report.erased]
    return jsonify({"erased": erased, "refused": refused + _missing(unknown), "next": following})


@blueprint.post("/api/v1/erasures/undo")
@needs(Permission.OPERATE)
def undo_erasures() -> Response:
    """Take it back, for all for which that can be done."""
    mill, body = services(), json_body(_BODY)
    images, unknown, following = _chosen(mill, body)
    back = erasing.undo(mill, images)
    late = [
        {"id": image.job.id, "code": "erased", "detail": "Its bytes are going, or gone."}
        for image in images
        if image.erasure and image.job.id not in back
    ]
    return jsonify({"undone": back, "refused": late + _missing(unknown), "next": following})


@blueprint.put("/api/v1/images/<image_id>/pin")
@needs(Permission.OPERATE)
def pin_image(image_id: str) -> Response:
    """Keep a picture: nobody can erase it until the pin is taken away."""
    mill, body = services(), optional_body()
    kept = erasing.pin(mill, image_of(mill, image_id), str(body.get("note") or "").strip())
    return jsonify(kept.model_dump(exclude={"id", "batch"}))


@blueprint.delete("/api/v1/images/<image_id>/pin")
@needs(Permission.OPERATE)
def unpin_image(image_id: str) -> Response:
    """Take a pin away; nothing happens when there is none."""
    mill = services()
    erasing.unpin(mill, image_of(mill, image_id))
    return Response(status=204)


def _check_at_once(mill: Services, at_once: bool) -> None:
    if at_once:
        mill.guard.demand(Permission.ADMINISTER)


def _chosen(mill: Services, body: dict[str, Any]) -> tuple[list[Image], list[str], str | None]:
    """The pictures of `images`, or the next ones of `batch`; ids that are unknown; where to go on."""
    ids, batch, after = body.get("images"), body.get("batch"), body.get("after")
    if (ids is None) == (batch is None):
        raise Invalid("bad-value", "Name the pictures in `images`, or the `batch`, not both.", "images")
    if batch is not None:
        if not isinstance(batch, str) or not is_batch_name(batch):
            raise Problem(400, "bad-batch", f"{batch!r} cannot be the name of a batch.")
        if after is not None and not (isinstance(after, str) and is_uuid(after)):
            raise Problem(400, "bad-cursor", f"after={after!r} is no cursor; use the `next` of the answer before.")
        images, following = erasing.portion_of(mill, batch, after)
        return images, [], following
    wanted = ids_of(ids)
    images = mill.stores.ledger.images(wanted)
    known = {image.job.id for image in images}
    return images, [one for one in wanted if one not in known], None


def _missing(unknown: list[str]) -> list[dict[str, str]]:
    sentence = "No picture with this id was ever accepted."
    return [{"id": one, "code": "unknown-image", "detail": sentence} for one in unknown]
