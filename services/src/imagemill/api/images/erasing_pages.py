"""Forms of the page that erase, pin, and take either back; they work without scripts."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.images import erasing, reads
from imagemill.api.services import Services
from imagemill.api.web.layout import address_of
from imagemill.api.web.paging import cursor_in
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.images import Image

# For one request so many portions of a batch are erased.
_MOST_PORTIONS = 20


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/pictures/<image_id>/erase", _of_picture("erase_form", _erase), Permission.OPERATE, "POST"),
        ("/pictures/<image_id>/unerase", _of_picture("unerase_form", _unerase), Permission.OPERATE, "POST"),
        ("/pictures/<image_id>/pin", _of_picture("pin_picture_form", _pin), Permission.OPERATE, "POST"),
        ("/pictures/<image_id>/unpin", _of_picture("unpin_picture_form", _unpin), Permission.OPERATE, "POST"),
        ("/batches/<batch>/erase", erase_batch_form, Permission.OPERATE, "POST"),
        ("/batches/<batch>/unerase", unerase_batch_form, Permission.OPERATE, "POST"),
    )


def _of_picture(name: str, act: Callable[[Services, Image], object]) -> Callable[[str], AnyResponse]:
    """A form that does something with one picture, and shows its page afterwards."""

    def form(image_id: str) -> AnyResponse:
        mill = services()
        act(mill, reads.image_of(mill, image_id))
        return redirect(f"/pictures/{image_id}", HTTPStatus.SEE_OTHER)

    form.__name__, form.__doc__ = name, act.__doc__
    return form


def _erase(mill: Services, image: Image) -> None:
    """Erase a picture."""
    for refusal in erasing.erase(mill, [image], _note()).refused.values():
        raise refusal


def _unerase(mill: Services, image: Image) -> None:
    """Take back that a picture was erased; raises Problem when it is too late."""
    if image.erasure and not erasing.undo(mill, [image]):
        detail = "That cannot be undone any more: its bytes are going, or gone."
        raise Problem(409, "erased", detail, image=image.job.id)


def _pin(mill: Services, image: Image) -> None:
    """Keep a picture."""
    erasing.pin(mill, image, _note())


def _unpin(mill: Services, image: Image) -> None:
    """Take a pin away."""
    erasing.unpin(mill, image)


def erase_batch_form(batch: str) -> AnyResponse:
    """Erase a batch, as much of it as one request does, then its page."""
    mill, note = services(), _note()
    return _on_batch(mill, batch, "erased", lambda images: len(erasing.erase(mill, images, note).erased))


def unerase_batch_form(batch: str) -> AnyResponse:
    """Take back what can be taken back, then its page."""
    mill = services()
    return _on_batch(mill, batch, "undone", lambda images: len(erasing.undo(mill, images)))


def _on_batch(mill: Services, batch: str, word: str, act: Callable[[list[Image]], int]) -> AnyResponse:
    done, following = erasing.each_portion(mill, batch, cursor_in(request.form.get("after")), _MOST_PORTIONS, act)
    told = {word: str(done), "more": following}
    return redirect(address_of(f"/batches/{quote(batch)}", **told), HTTPStatus.SEE_OTHER)


def _note() -> str:
    return request.form.get("note", "").strip()
