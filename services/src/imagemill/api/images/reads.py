"""GET: pictures, batches, totals, recipes and events."""

from collections.abc import Callable, Iterable

from flask import Blueprint, Response, json, jsonify, request

from imagemill.api.access.permissions import needs, principal
from imagemill.api.images import batch_rows, listing, retry, views
from imagemill.api.images.bytes_there import with_bytes
from imagemill.api.images.waiting import outcome_within, wait_seconds_of
from imagemill.api.live.event_stream import shape
from imagemill.api.live.listeners import TooManyStreams
from imagemill.api.live.ring import sse
from imagemill.api.services import Services
from imagemill.api.web.idempotency import header_key
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import failure, inert, picture, picture_of_result, services
from imagemill.domain.access import Permission
from imagemill.domain.ids import is_uuid
from imagemill.domain.images import Image, ImageInfo
from imagemill.store import activity_log
from imagemill.wire import topology

blueprint = Blueprint("reads", __name__)


@blueprint.get("/api/v1/images/<image_id>")
@needs(Permission.VIEW)
def image(image_id: str) -> Response:
    """Status and trace."""
    mill = services()
    found = image_of(mill, image_id)
    pin = mill.stores.erasures.pins([image_id]).get(image_id)
    return jsonify(views.image(found) | {"pin": pin.model_dump(exclude={"id", "batch"}) if pin else None})


@blueprint.get("/api/v1/images/<image_id>/original")
@needs(Permission.ORIGINALS)
def original(image_id: str) -> Response:
    """The original's bytes."""
    found = with_bytes(image_of(services(), image_id))
    response = picture(services(), found.job.original, name=found.job.name)
    # Whoever logs in next in this browser may be one who may not see it.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/api/v1/images/<image_id>/result")
@needs(Permission.VIEW)
def result(image_id: str) -> Response:
    """The result's bytes."""
    found = image_of(services(), image_id)
    return picture_of_result(services(), result_of(found), found.job)


@blueprint.get("/api/v1/images/<image_id>/story")
@needs(Permission.VIEW)
def story(image_id: str) -> Response:
    """Everything the journal knows of a picture."""
    mill = services()
    found = image_of(mill, image_id)
    return jsonify(views.image(found) | {"activity": activity_log.story(mill.stores.couch, image_id)})


@blueprint.post("/api/v1/images/<image_id>/retry")
@needs(Permission.OPERATE)
def retry_image(image_id: str) -> Response:
    """A failed picture again, as a new job with today's recipe of its own or of `recipe=`."""
    mill = services()
    recipe = request.values.get("recipe") or None
    return _accepted_again(retry.retried(mill, image_of(mill, image_id), recipe, header_key()), image_id)


@blueprint.post("/api/v1/images/<image_id>/again")
@needs(Permission.OPERATE)
def under_recipe(image_id: str) -> Response:
    """The same original under the recipe of `recipe=`, as a new picture of the same batch."""
    mill = services()
    found = image_of(mill, image_id)
    return _accepted_again(retry.under_recipe(mill, found, request.values.get("recipe", ""), header_key()))


@blueprint.post("/api/v1/images/<image_id>/trial")
@needs(Permission.UPLOAD)
def trial(image_id: str) -> Response:
    """What the recipe of `recipe=` would make of the original; nothing is stored."""
    mill = services()
    found, recipe = image_of(mill, image_id), retry.known_recipe(mill, request.values.get("recipe", ""))
    retry.check_allowed(found, recipe)
    if not principal().may(Permission.VIEW):
        raise Problem(403, "forbidden", f"{principal().name!r} may only upload, and not see pictures.")
    made = mill.trials.tried(found, recipe)
    response = inert(made.content_type)
    response.set_data(made.data)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Imagemill-Trial"] = json.dumps(made.told())
    return response


def _accepted_again(new_id: str, retry_of: str | None = None) -> Response:
    url = f"/api/v1/images/{new_id}"
    response = jsonify({"id": new_id, "retry_of": retry_of, "url": url})
    response.status_code, response.headers["Location"] = 202, url
    return response


@blueprint.get("/image/<image_id>")
@needs(Permission.VIEW)
def plain(image_id: str) -> Response:
    """The transformed picture itself, also as soon as it is there (`wait`); 202 while it is on its way."""
    mill = services()
    seconds = wait_seconds_of(mill, request.args.get("wait", ""))
    found = with_bytes(image_of(mill, image_id))
    if found.outcome is None and seconds and outcome_within(mill, image_id, seconds):
        found = with_bytes(image_of(mill, image_id))
    if found.outcome is None:
        response = jsonify({"id": image_id, "status": "accepted"})
        response.status_code, response.headers["Retry-After"] = 202, "1"
        return response
    if found.outcome.result is None:
        raise failure(found.outcome, image_id)
    return picture_of_result(mill, found.outcome.result, found.job)


@blueprint.get("/api/v1/images")
@needs(Permission.VIEW)
def images() -> Response:
    """Pictures, newest first, a page at a time."""
    mill = services()
    found, following = listing.page_of_images(mill)
    return jsonify({"images": [views.image(item) for item in found], "next": following})


@blueprint.get("/api/v1/rejections")
@needs(Permission.VIEW)
def rejections() -> Response:
    """Pictures refused at the door, newest first."""
    found, following = listing.page_of_rejections(services())
    return jsonify({"rejections": [views.rejection(item) for item in found], "next": following})


@blueprint.get("/api/v1/batches")
@needs(Permission.VIEW)
def batches() -> Response:
    """Batches with their counts, times and recipes: newest first, or with `prefix` by name."""
    found, following = listing.page_of_batches(services())
    return jsonify({"batches": [batch_rows.told(row) for row in found], "next": following})


@blueprint.get("/api/v1/batches/<batch>")
@needs(Permission.VIEW)
def one_batch(batch: str) -> Response:
    """The exact counts of a batch, with its times and recipes."""
    mill = services()
    counts = mill.counters.reading(batch)
    if not counts.offered:
        raise Problem(404, "unknown-batch", f"Nothing was ever offered under the batch {batch!r}.")
    (row,) = batch_rows.rows_of(mill, [(batch, counts)])
    return jsonify(batch_rows.told(row))


@blueprint.get("/api/v1/totals")
@needs(Permission.VIEW)
def totals() -> Response:
    """The exact counts of everything."""
    return jsonify(shape(None, services().counters.reading()))


@blueprint.get("/api/v1/recipes")
@needs(Permission.VIEW)
def recipes() -> Response:
    """What can be asked for."""
    mill = services()
    known = [
        {
            "name": recipe.name,
            "description": recipe.description,
            "content_type": recipe.content_type,
            "digest": recipe.digest,
            "steps": json.loads(recipe.canonical),
            "pool": topology.pool_of(recipe.name, mill.settings.pools),
        }
        for recipe in sorted(mill.recipes.values(), key=lambda recipe: recipe.name)
    ]
    return jsonify({"recipes": known, "default": mill.settings.default_recipe})


@blueprint.get("/api/v1/events")
@needs(Permission.VIEW)
def events() -> Response:
    """Server-sent events: `outcome`, `activity`, `totals`, and `lost` when some were missed."""
    mill = services()
    body = _event_body(mill, listing.named_batch(), mill.guard.still_allowed())
    response = Response(body, mimetype="text/event-stream", direct_passthrough=True)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _event_body(mill: Services, batch: str | None, still_allowed: Callable[[], bool]) -> Iterable[bytes]:
    try:
        after = request.headers.get("Last-Event-ID")
        return mill.hub.stream(batch, request.remote_addr or "", after, still_allowed)
    except TooManyStreams:
        return [b"retry: 15000\n\n", sse("busy", {"detail": "too many pages are open; this one is not live"})]


def image_of(mill: Services, image_id: str) -> Image:
    found = mill.stores.ledger.image(image_id) if is_uuid(image_id) else None
    if found is None:
        raise Problem(404, "unknown-image", f"No picture with the id {image_id!r} was ever accepted.")
    return found


def result_of(image: Image) -> ImageInfo:
    """Its result; raises Problem when there is none yet, or never will be, or none any more."""
    with_bytes(image)
    if image.outcome is None:
        detail = "The picture is still in flight; ask again in a moment."
        raise Problem(404, "no-result-yet", detail, {"Retry-After": "1"}, image=image.job.id)
    if image.outcome.result is None:
        raise failure(image.outcome, image.job.id)
    return image.outcome.result
