"""The page: HTML made on the server, complete without any script; small modules in `static/js` bring it to life."""

import time
from http import HTTPStatus

from flask import Blueprint, Flask, current_app, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access import page as access_pages
from imagemill.api.access.permissions import may, needs
from imagemill.api.alerts import page as alerts_pages
from imagemill.api.cameras import page as camera_pages
from imagemill.api.images import (
    batch_rows,
    erasing_pages,
    failure_pages,
    failures,
    listing,
    previews,
    reads,
    retry,
    selection_pages,
    view_models,
)
from imagemill.api.images.intake import order_of, take_in
from imagemill.api.images.uploads import keys_of, offers_of_form
from imagemill.api.live import page as live_pages
from imagemill.api.pools import page as pool_pages
from imagemill.api.rules import page as rule_pages
from imagemill.api.web import docs, formatting, layout, search
from imagemill.api.web.described import described
from imagemill.api.web.paging import PAGE, cursor_in
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.api.web.spool import takes_pictures
from imagemill.api.webhooks import page as webhook_pages
from imagemill.domain.access import Permission
from imagemill.domain.failures import advice
from imagemill.domain.ids import is_batch_name, uuid7
from imagemill.domain.images import Image

blueprint = Blueprint("pages", __name__)
layout.add_to(blueprint)
access_pages.add_to(blueprint)
alerts_pages.add_to(blueprint)
camera_pages.add_to(blueprint)
rule_pages.add_to(blueprint)
webhook_pages.add_to(blueprint)
live_pages.add_to(blueprint)
pool_pages.add_to(blueprint)
failure_pages.add_to(blueprint)
erasing_pages.add_to(blueprint)
selection_pages.add_to(blueprint)

_FILTERS = {
    "preview": previews.address,
    "took": view_models.whole_milliseconds,
    "preview_of_original": previews.address_of_original,
    "spans": docs.spans,
    "schema_words": docs.schema_words,
    "example_text": docs.example_text,
}


def install(app: Flask) -> None:
    """Adds the page to the app."""
    formatting.install(app)
    app.jinja_env.filters.update(_FILTERS)
    app.register_blueprint(blueprint)
    app.register_error_handler(NotFound, layout.not_found)


# --- sections -----------------------------------------------------------------------------------------------------


@blueprint.get("/")
@needs(Permission.VIEW)
def upload_page() -> str:
    """Upload, the start page."""
    mill = services()
    recipes = sorted(mill.recipes.values(), key=lambda recipe: recipe.name)
    return render_template("upload.html", recipes=recipes, settings=mill.settings, batch=_batch() or "", key=uuid7())


@blueprint.post("/upload")
@needs(Permission.UPLOAD)
@takes_pictures
def upload_form() -> AnyResponse:
    """The form of a browser without scripts: the same intake, and then the batch's page."""
    mill = services()
    batch, recipes = request.form.get("batch", "").strip(), request.form.getlist("recipe")
    keys = keys_of(mill)
    order = order_of(mill, recipes, batch, "", "", keys[0])
    answer = take_in(mill, order, offers_of_form(mill, keys))
    return redirect(f"/batches/{answer.batch}", HTTPStatus.SEE_OTHER)


@blueprint.get("/pictures/<image_id>")
@needs(Permission.VIEW)
def picture_page(image_id: str) -> str:
    """One picture: before and after, facts, the way it took."""
    mill = services()
    image = reads.image_of(mill, image_id)
    recipes = sorted(name for name in mill.recipes if name != image.job.recipe)
    trace = image.outcome.trace if image.outcome else [image.job.accepted_step()]
    newer, older = listing.neighbours(mill, image.job)
    return render_template(
        "picture.html", newer=newer, older=older, image=image, job=image.job, outcome=image.outcome, recipes=recipes,
        hops=view_models.hops(trace), whole=view_models.whole_milliseconds(trace),
        failure=failures.described(mill, [image])[0] if image.status == "failed" else None, advice=advice,
        all_recipes=sorted(mill.recipes),
        autopsy=_autopsy(image) if image.status == "failed" and may("originals") and not image.erasure else None,
        pin=mill.stores.erasures.pins([image_id]).get(image_id),
        undoable=bool(image.erasure and image.erasure.can_be_undone(time.time())),
        grace_hours=mill.settings.erasure_grace_hours,
        origin=request.host_url.rstrip("/"),
    )  # fmt: skip


def _autopsy(image: Image) -> view_models.Autopsy | None:
    try:
        return view_models.autopsy(services().stores.blobs.get(image.job.original.sha256))
    except LookupError:
        return None


@blueprint.post("/pictures/<image_id>/again")
@needs(Permission.OPERATE)
def again_form(image_id: str) -> AnyResponse:
    """The same original under another recipe, then its page."""
    mill = services()
    new_id = retry.under_recipe(mill, reads.image_of(mill, image_id), request.form.get("recipe", ""))
    return redirect(f"/pictures/{new_id}", HTTPStatus.SEE_OTHER)


@blueprint.post("/pictures/<image_id>/retry")
@needs(Permission.OPERATE)
def retry_form(image_id: str) -> AnyResponse:
    """A failed picture again, under its recipe or another one, then its new page."""
    mill = services()
    made = retry.retried(mill, reads.image_of(mill, image_id), request.form.get("with") or None)
    return redirect(f"/pictures/{made}", HTTPStatus.SEE_OTHER)


@blueprint.get("/batches")
@needs(Permission.VIEW)
def batches_page() -> str:
    """Batches with their equations."""
    mill = services()
    found, cursor = listing.page_of_batches(mill)
    return render_template("batches.html", batches=batch_rows.with_samples(mill, found), cursor=cursor)


@blueprint.get("/batches/<batch>")
@needs(Permission.VIEW)
def batch_page(batch: str) -> str:
    """One batch with its own equation and its newest pictures."""
    mill = services()
    counts = mill.counters.now(batch)
    if not counts.offered:
        raise Problem(404, "unknown-batch", f"Nothing was ever offered under the batch {batch!r}.")
    ledger = mill.stores.ledger
    images = ledger.images(ledger.listed_ids(batch, "accepted", PAGE))
    rejections = ledger.rejections(ledger.listed_ids(batch, "rejected", PAGE)) if counts.rejected else []
    (row,) = batch_rows.with_samples(mill, batch_rows.rows_of(mill, [(batch, counts)]))
    return render_template(
        "batch.html", batch=batch, row=row, batch_counts=counts, images=images, rejections=rejections,
        grace_hours=mill.settings.erasure_grace_hours, more=cursor_in(request.args.get("more")),
        erased=request.args.get("erased", type=int), undone=request.args.get("undone", type=int),
    )  # fmt: skip


@blueprint.get("/api/docs")
@needs(Permission.VIEW)
def docs_page() -> str:
    """The OpenAPI document, for people."""
    document = described(current_app)
    return render_template(
        "docs.html", document=document, about=docs.blocks(document["info"].get("description", "")),
        operations=docs.operations(document, request.host_url.rstrip("/")),
        schemas=document.get("components", {}).get("schemas", {}),
    )  # fmt: skip


@blueprint.get("/find")
@needs(Permission.VIEW)
def find_page() -> AnyResponse | str:
    """The finder: straight to the one thing meant, else a list of what may be."""
    query = request.args.get("q", "").strip()
    finding = search.find(services(), query, request.args.get("after"))
    if finding.address:
        return redirect(finding.address)
    return render_template("found.html", query=query, finding=finding, images=finding.images)


def _batch() -> str | None:
    batch = request.args.get("batch", "").strip()
    return batch if is_batch_name(batch) else None
