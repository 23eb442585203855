"""The page of failures: open ones first, filtered by the address; forms that work without scripts."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.images import failures, retry
from imagemill.api.images.failure_filter import chosen, filter_of, ids_of
from imagemill.api.services import Services
from imagemill.api.web.layout import address_of
from imagemill.api.web.openapi.codes import EARLIER_FAILURES, FAILURES
from imagemill.api.web.paging import cursor, page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.failures import MAX_NOTE_LENGTH, advice, failed_at
from imagemill.domain.images import Image

_CODES = tuple(code.name for code in (*FAILURES, *EARLIER_FAILURES))
_FILTERS = ("batch", "code", "recipe", "since", "until")


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/failures", failures_page, Permission.VIEW),
        ("/failures/retry", retry_many_form, Permission.OPERATE, "POST"),
        ("/failures/discard", discard_many_form, Permission.OPERATE, "POST"),
        ("/failures/reopen", reopen_many_form, Permission.OPERATE, "POST"),
    )


def failures_page() -> str:
    """Failed pictures, to be looked at, retried and discarded."""
    mill = services()
    given = {name: request.args.get(name, "").strip() for name in ("state", *_FILTERS)}
    wanted = filter_of(given)
    found, following = failures.page(mill, wanted, page_limit(), cursor())
    matching = failures.count(mill, wanted) if wanted.state == "open" and found else (len(found), True)
    return render_template(
        "failures.html", failures=found, cursor=following, matching=matching[0], counted_all=matching[1],
        state=given["state"] or "open", batch=wanted.batch, filters={n: given[n] for n in _FILTERS if given[n]},
        done=request.args.get("done", type=int),
        codes=_CODES, recipes=sorted(mill.recipes), advice=advice, failed_at=failed_at, note_length=MAX_NOTE_LENGTH,
    )  # fmt: skip


def retry_many_form() -> AnyResponse:
    """Those selected, or the next portion of all that match, again; then what is in flight, or what is left."""
    recipe = request.form.get("with") or None

    def act(mill: Services, images: list[Image]) -> Mapping[str, Problem]:
        return retry.retry_all(mill, images, recipe).refused

    done, following = _portion(act)
    if following:
        return _back("open", after=following, done=str(done))
    return redirect("/pictures?state=in_flight", HTTPStatus.SEE_OTHER)


def discard_many_form() -> AnyResponse:
    """Those selected, or the next portion of all that match, discarded with the note; then the open ones."""
    done, following = _portion(
        lambda mill, images: failures.discard(mill, images, request.form.get("note", "").strip())
    )
    return _back("open", after=following, done=str(done) if following else None)


def reopen_many_form() -> AnyResponse:
    """Discarded ones are open again; then the open ones."""
    failures.reopen(services(), ids_of(_selected()))
    return _back("open")


def _portion(act: Callable[[Services, list[Image]], Mapping[str, Problem]]) -> tuple[int, str | None]:
    """Do it to those selected, or to so many of all that match as one request does; raises Problem if it did nothing.

    Returns to how many it was done until now, those of the requests before included, and where to go on.
    """
    mill, form = services(), request.form
    matching: dict[str, object] = {"matching": dict(form), "after": form.get("after")}
    images, _, following = chosen(mill, matching if "all" in form else {"images": _selected()})
    refused = act(mill, images)
    if refused and len(refused) == len(images) and not following:
        raise next(iter(refused.values()))
    before = form.get("done", "")
    return (int(before) if before.isdecimal() else 0) + len(images) - len(refused), following


def _selected() -> list[str]:
    wanted = request.form.getlist("image")
    if not wanted:
        raise Problem(400, "none-selected", "No picture was selected; tick some in the list first.")
    return wanted


def _back(state: str, **more: str | None) -> AnyResponse:
    filters = {name: request.form.get(name) for name in _FILTERS}
    return redirect(address_of("/failures", state=state, **filters, **more), HTTPStatus.SEE_OTHER)
