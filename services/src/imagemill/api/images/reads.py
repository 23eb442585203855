"""GET: pictures, batches, totals, recipes and events."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import requests
from flask import Blueprint, Response, json, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.images import retry, views
from imagemill.api.live.event_stream import shape
from imagemill.api.live.listeners import TooManyStreams
from imagemill.api.live.ring import sse
from imagemill.api.services import Services
from imagemill.api.web.idempotency import header_key
from imagemill.api.web.paging import MAX_PAGE, cursor, page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import failure, picture, result_name, services
from imagemill.domain.access import Permission
from imagemill.domain.ids import floor_at, is_batch_name, is_uuid
from imagemill.domain.images import Counts, Image, ImageInfo, Rejection
from imagemill.store import activity_log
from imagemill.store.watermark import Watermark
from imagemill.wire import topology

blueprint = Blueprint("reads", __name__)

# Ids, and where the next page begins; None at the end.
Page = tuple[list[str], str | None]

STATES = ("accepted", "in_flight", "stored", "failed", "duplicate", "damaged")
# For one request so many portions of a list are looked through.
_MOST_PORTIONS = 4
_POOLS_TIMEOUT_SECONDS = 3
_LATEST = floor_at(2**47 / 1000)


@blueprint.get("/api/v1/images/<image_id>")
@needs(Permission.VIEW)
def image(image_id: str) -> Response:
    """Status and trace."""
    return jsonify(views.image(image_of(services(), image_id)))


@blueprint.get("/api/v1/images/<image_id>/original")
@needs(Permission.ORIGINALS)
def original(image_id: str) -> Response:
    """The original's bytes."""
    found = image_of(services(), image_id)
    response = picture(services(), found.job.original, name=found.job.name)
    # Whoever logs in next in this browser may be one who may not see it.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/api/v1/images/<image_id>/result")
@needs(Permission.VIEW)
def result(image_id: str) -> Response:
    """The result's bytes."""
    found = image_of(services(), image_id)
    return picture(services(), result_of(found), name=result_name(found.job))


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


def _accepted_again(new_id: str, retry_of: str | None = None) -> Response:
    url = f"/api/v1/images/{new_id}"
    response = jsonify({"id": new_id, "retry_of": retry_of, "url": url})
    response.status_code, response.headers["Location"] = 202, url
    return response


@blueprint.get("/image/<image_id>")
@needs(Permission.VIEW)
def plain(image_id: str) -> Response:
    """The transformed picture itself; 202 while it is on its way."""
    found = image_of(services(), image_id)
    if found.outcome is None:
        response = jsonify({"id": image_id, "status": "accepted"})
        response.status_code, response.headers["Retry-After"] = 202, "1"
        return response
    if found.outcome.result is None:
        raise failure(found.outcome, image_id)
    return picture(services(), found.outcome.result, name=result_name(found.job))


@blueprint.get("/api/v1/images")
@needs(Permission.VIEW)
def images() -> Response:
    """Pictures, newest first, a page at a time."""
    mill = services()
    found, following = page_of_images(mill)
    return jsonify({"images": [views.image(item) for item in found], "next": following})


def page_of_images(mill: Services, always: str | None = None) -> tuple[list[Image], str | None]:
    """The page which the request's `batch`, `state`, `source`, `after` and `limit` describe, and the next cursor.

    `always` is a state which stands above the request's.
    """
    batch, state, after = _batch(), always or request.args.get("state") or None, cursor()
    if state is not None and state not in STATES:
        raise Problem(400, "bad-state", f"There is no state {state!r}; there are {', '.join(STATES)}.")
    limit, source = page_limit(), request.args.get("source") or None
    if source is not None:
        return _of_source(mill, source, lambda after, most: _ids(mill, batch, state, most, after), limit, after)
    ids, following = _ids(mill, batch, state, limit, after)
    return mill.stores.ledger.images(ids), following


def _of_source(
    mill: Services, source: str, older: Callable[[str | None, int], Page], limit: int, after: str | None
) -> tuple[list[Image], str | None]:
    """Only so many are looked at for one request: no view is kept for what few ask for."""
    found: list[str] = []
    for _ in range(_MOST_PORTIONS):
        ids, after = older(after, MAX_PAGE)
        jobs = mill.stores.ledger.jobs(ids)
        found += [image_id for image_id in ids if image_id in jobs and jobs[image_id].source == source]
        if len(found) >= limit:
            return mill.stores.ledger.images(found[:limit]), found[limit - 1]
        if after is None:
            break
    return mill.stores.ledger.images(found), after


def _ids(mill: Services, batch: str | None, state: str | None, limit: int, after: str | None) -> Page:
    ledger = mill.stores.ledger
    if state in ("accepted", "in_flight"):
        return _in_flight(mill, batch, limit, after)
    if state is None and batch is None:
        return _first(ledger.newest_ids(limit + 1, after), limit)
    return _first(ledger.listed_ids(batch, state or "accepted", limit + 1, after), limit)


def _first(ids: list[str], limit: int, more: str | None = None) -> Page:
    """A page of ids of which there are one more if there is another page, or whose end is `more`."""
    return ids[:limit], ids[limit - 1] if len(ids) > limit else more


def _in_flight(mill: Services, batch: str | None, limit: int, after: str | None) -> Page:
    """Newest first. A page may be short, or empty, and yet have a next one: only so many are looked at."""
    ledger, oldest = mill.stores.ledger, Watermark(mill.stores.couch).read()
    found: list[str] = []
    before: str | None = after or _LATEST
    for _ in range(_MOST_PORTIONS):
        if before is None or len(found) > limit:
            break
        if batch is None:
            ids, before = ledger.newest_in_flight(before, oldest)
        else:
            listed = [job_id for job_id in ledger.listed_ids(batch, "accepted", MAX_PAGE, before) if job_id >= oldest]
            ids, before = ledger.without_outcome(listed), listed[-1] if len(listed) == MAX_PAGE else None
        found += ids
    return _first(found, limit, before)


@blueprint.get("/api/v1/rejections")
@needs(Permission.VIEW)
def rejections() -> Response:
    """Pictures refused at the door, newest first."""
    found, following = page_of_rejections(services())
    return jsonify({"rejections": [views.rejection(item) for item in found], "next": following})


def page_of_rejections(mill: Services) -> tuple[list[Rejection], str | None]:
    """The page which the request's `batch`, `after` and `limit` describe, and the next cursor."""
    limit = page_limit()
    ids = mill.stores.ledger.listed_ids(_batch(), "rejected", limit + 1, cursor())
    return mill.stores.ledger.rejections(ids[:limit]), ids[limit - 1] if len(ids) > limit else None


@blueprint.get("/api/v1/batches")
@needs(Permission.VIEW)
def batches() -> Response:
    """Batches with their counts."""
    found, following = page_of_batches(services())
    return jsonify({"batches": [shape(name, counts) for name, counts in found], "next": following})


def page_of_batches(mill: Services) -> tuple[Sequence[tuple[str, Counts]], str | None]:
    """The page which the request's `prefix`, `after` and `limit` describe, and the next cursor."""
    limit, prefix = page_limit(), request.args.get("prefix", "").strip()
    if prefix and not is_batch_name(prefix):
        raise Problem(400, "bad-batch", f"No batch has a name that begins with {prefix!r}.")
    found = mill.stores.batches(limit + 1, request.args.get("after") or None, prefix)
    return found[:limit], found[limit - 1][0] if len(found) > limit else None


@blueprint.get("/api/v1/batches/<batch>")
@needs(Permission.VIEW)
def one_batch(batch: str) -> Response:
    """The exact counts of a batch."""
    counts = services().counters.reading(batch)
    if not counts.offered:
        raise Problem(404, "unknown-batch", f"Nothing was ever offered under the batch {batch!r}.")
    return jsonify(shape(batch, counts))


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


@blueprint.get("/api/v1/pools")
@needs(Permission.VIEW)
def pools() -> Response:
    """The worker pools, as their scaler sees them."""
    return jsonify(pools_now(services()))


def pools_now(mill: Services) -> Any:
    """What the scaler's /pools says; raises Problem when there is no scaler or no answer."""
    url = mill.settings.pools_url
    if url is None:
        detail = "No scaler is known to this API; set IMAGEMILL_POOLS_URL to the scaler's /pools."
        raise Problem(404, "no-scaler", detail)
    try:
        token = mill.settings.pools_token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        answer = requests.get(url, headers=headers, timeout=_POOLS_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()
    except (requests.RequestException, ValueError) as error:
        raise Problem(503, "scaler-unavailable", f"The scaler does not answer: {type(error).__name__}.") from error


@blueprint.get("/api/v1/events")
@needs(Permission.VIEW)
def events() -> Response:
    """Server-sent events: `outcome`, `activity`, `totals`, and `lost` when some were missed."""
    mill = services()
    body = _event_body(mill, _batch(), mill.guard.still_allowed())
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
    """Its result; raises Problem when there is none yet, or never will be."""
    if image.outcome is None:
        detail = "The picture is still in flight; ask again in a moment."
        raise Problem(404, "no-result-yet", detail, {"Retry-After": "1"}, image=image.job.id)
    if image.outcome.result is None:
        raise failure(image.outcome, image.job.id)
    return image.outcome.result


def _batch() -> str | None:
    batch = request.args.get("batch") or None
    if batch is not None and not is_batch_name(batch):
        raise Problem(400, "bad-batch", f"{batch!r} cannot be the name of a batch.")
    return batch
