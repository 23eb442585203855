"""The page of pictures as a list to work with: filters in its address, and forms for those selected."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.images import archive, erasing, listing, retry
from imagemill.api.images.failure_filter import ids_of
from imagemill.api.images.image_filter import FIELDS
from imagemill.api.services import Services
from imagemill.api.web.layout import address_of
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.ids import is_batch_name
from imagemill.domain.images import Image

_KEPT = ("state", "batch", *FIELDS)


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/pictures", pictures_page, Permission.VIEW),
        ("/pictures/results.zip", zip_form, Permission.VIEW, "POST"),
        ("/pictures/again", again_many_form, Permission.OPERATE, "POST"),
        ("/pictures/erase", erase_many_form, Permission.OPERATE, "POST"),
    )


def pictures_page() -> str:
    """Pictures by state, batch and filter, newest first; those refused at the door are listed without a picture."""
    mill, batch = services(), request.args.get("batch", "").strip()
    shown_batch = batch if is_batch_name(batch) else None
    if request.args.get("state") == "rejected":
        rejections, cursor = listing.page_of_rejections(mill)
        return render_template(
            "rejected.html", rejections=rejections, cursor=cursor, batch=shown_batch, state="rejected"
        )
    images, cursor = listing.page_of_images(mill)
    given = {name: request.args.get(name, "").strip() for name in FIELDS}
    return render_template(
        "pictures.html", images=images, cursor=cursor, batch=shown_batch, state=request.args.get("state") or None,
        filters={name: value for name, value in given.items() if value}, recipes=sorted(mill.recipes),
        kept={name: request.args[name] for name in _KEPT if request.args.get(name)},
    )  # fmt: skip


def zip_form() -> AnyResponse:
    """The results of those selected as a ZIP."""
    return archive.zip_of(services(), ids_of(_selected()))


def again_many_form() -> AnyResponse:
    """The originals of those selected under another recipe; then what is in flight."""
    mill, recipe = services(), request.form.get("recipe", "")
    report = retry.all_under_recipe(mill, _images(mill), recipe)
    if not report.retried:
        raise next(iter(report.refused.values()))
    return redirect("/pictures?state=in_flight", HTTPStatus.SEE_OTHER)


def erase_many_form() -> AnyResponse:
    """Those selected are erased; then the list again."""
    mill = services()
    report = erasing.erase(mill, _images(mill))
    if not report.erased:
        raise next(iter(report.refused.values()))
    kept = {name: request.form.get("kept_recipe" if name == "recipe" else name) for name in _KEPT}
    return redirect(address_of("/pictures", **kept), HTTPStatus.SEE_OTHER)


def _images(mill: Services) -> list[Image]:
    images = mill.stores.ledger.images(ids_of(_selected()))
    if not images:
        raise Problem(404, "unknown-image", "None of these pictures was ever accepted.")
    return images


def _selected() -> list[str]:
    wanted = request.form.getlist("image")
    if not wanted:
        raise Problem(400, "none-selected", "No picture was selected; tick some in the list first.")
    return wanted
