"""Previews of results and originals, which lists show in their place, and where they are on the page."""

from flask import Blueprint, Response, request

from imagemill.api.access.permissions import may, needs
from imagemill.api.images.bytes_there import with_bytes
from imagemill.api.images.reads import image_of, result_of
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import picture, services
from imagemill.domain.access import Permission
from imagemill.domain.images import Image, ImageInfo
from imagemill.domain.previews import CONTENT_TYPE, is_light

blueprint = Blueprint("previews", __name__)

OF = ("result", "original")
# So long a browser does not ask again for what is missing.
_MISSING = {"Cache-Control": "private, max-age=600"}


@blueprint.get("/api/v1/images/<image_id>/preview")
@needs(Permission.VIEW)
def preview(image_id: str) -> Response:
    """A picture of a few kilobytes: of the result, or with `of=original` for those who may see originals."""
    of = request.args.get("of", "result")
    if of not in OF:
        raise Problem(400, "bad-of", f"There is no preview of {of!r}; use {' or '.join(OF)}.")
    mill = services()
    if of == "result":
        found = image_of(mill, image_id)
        return _shown(mill, found, result_of(found))
    # A recipe may have cut off or blurred what is not for every viewer's eyes.
    mill.guard.demand(Permission.ORIGINALS)
    found = with_bytes(image_of(mill, image_id))
    response = _shown(mill, found, found.job.original)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def address(image: Image) -> str | None:
    """What a list shows of a picture: its result, as long as it has none its original; None where nothing is light."""
    if image.erasure:
        return None
    if image.outcome and image.outcome.result:
        return f"/api/v1/images/{image.job.id}/preview"
    return address_of_original(image) if _is_light(image.job.original) else None


def address_of_original(image: Image) -> str | None:
    """The original's preview; None for those who may not see it, or where there is surely none."""
    has_one = not image.erasure and (bool(image.outcome and image.outcome.result) or _is_light(image.job.original))
    return f"/api/v1/images/{image.job.id}/preview?of=original" if has_one and may("originals") else None


def _is_light(info: ImageInfo) -> bool:
    return is_light(info.content_type, info.bytes)


def _shown(mill: Services, image: Image, info: ImageInfo) -> Response:
    if _is_light(info):
        return picture(mill, info)
    result = image.outcome.result if image.outcome else None
    data = mill.stores.blobs.preview(result.sha256, info.sha256) if result else None
    if data is None:
        detail = "There is no preview: none was made, or the picture was stored before there were any."
        raise Problem(404, "no-preview", detail, _MISSING, image=image.job.id)
    # Its own hash would have to be read first; the name of what it shows, which never changes, does as well.
    shown = info.model_copy(
        update={"sha256": f"{info.sha256}-preview", "bytes": len(data), "content_type": CONTENT_TYPE}
    )
    return picture(mill, shown, data)
