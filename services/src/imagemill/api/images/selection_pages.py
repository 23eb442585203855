"""The page of pictures as a list to work with: filters in its address, and forms for those selected."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
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

VIEWS = ("grid", "rows")
_KEPT = ("state", "batch", "view", *FIELDS)
_VIEW_COOKIE = "imagemill-view"
_VIEW_SECONDS = 365 * 86_400


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/pictures", pictures_page, Permission.VIEW),
        ("/pictures/results.zip", zip_form, Permission.VIEW, "POST"),
        ("/pictures/again", again_many_form, Permission.OPERATE, "POST"),
        ("/pictures/erase", erase_many_form, Permission.OPERATE, "POST"),
    )


def pictures_page() -> Response:
    """Pictures by state, batch and filter, newest first; those refused at the door are listed without a picture.

    As a grid or in rows: as the address says, which is remembered for addresses that do not.
    """
    mill, batch = services(), request.args.get("batch", "").strip()
    shown_batch = batch if is_batch_name(batch) else None
    given = {name: request.args.get(name, "").strip() for name in FIELDS}
    filters = {name: value for name, value in given.items() if value}
    shown: dict[str, Any] = {
        "batch": shown_batch, "state": request.args.get("state") or None, "filters": filters,
        "kept": {name: request.args[name] for name in _KEPT if request.args.get(name)},
        "tab_counts": None if filters else _tab_counts(mill, shown_batch),
    }  # fmt: skip
    if request.args.get("state") == "rejected":
        rejections, cursor = listing.page_of_rejections(mill)
        return make_response(render_template("rejected.html", rejections=rejections, cursor=cursor, **shown))
    images, cursor = listing.page_of_images(mill)
    view, page = _view(), {"images": images, "cursor": cursor, "recipes": sorted(mill.recipes)}
    response = make_response(render_template("pictures.html", view=view, **page, **shown))
    if request.args.get("view") == view != request.cookies.get(_VIEW_COOKIE):
        response.set_cookie(
            _VIEW_COOKIE, view, max_age=_VIEW_SECONDS, path="/pictures", secure=request.is_secure, httponly=True,
            samesite="Lax",
        )  # fmt: skip
    return response


def _view() -> str:
    wanted = (request.args.get("view"), request.cookies.get(_VIEW_COOKIE))
    return next((view for view in wanted if view in VIEWS), VIEWS[0])


def _tab_counts(mill: Services, batch: str | None) -> dict[str, int]:
    """What the lists of all states have, from memory; with a filter only reading all of them would tell."""
    counts = mill.counters.now(batch)
    return {**counts.model_dump(), "in_flight": counts.in_flight}


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
