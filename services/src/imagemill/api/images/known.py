"""Hash first: pictures whose originals are stored already are taken in without their bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify

from imagemill.admission.validate import Rejected, validate
from imagemill.api.access.permissions import needs
from imagemill.api.images.callbacks import callbacks_of
from imagemill.api.images.intake import UploadAnswer, info_of_original, order_of, take_in
from imagemill.api.images.offers import Offer
from imagemill.api.services import Services
from imagemill.api.web.bodies import json_body
from imagemill.api.web.idempotency import checked_key
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.errors import Invalid
from imagemill.domain.images import ImageInfo
from imagemill.domain.names import display_name, path_name
from imagemill.recipes import Recipe
from imagemill.store.purges import Purges

blueprint = Blueprint("known", __name__)

MAX_AT_ONCE = 500
_TEXTS = ("batch", "source", "priority", "callback", "batch_callback")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BODY = 'The body must be a JSON object such as {"pictures": [{"sha256": "…", "name": "beach.jpg"}]}.'


@dataclass(frozen=True)
class _NamedPicture:
    """A picture of which only the name and the SHA-256 of its bytes are told."""

    index: int
    name: str
    sha256: str
    key: str | None

    def offer(self, info: ImageInfo, seen_at: float) -> Offer:
        return Offer(self.name, b"", info.bytes, self.index, self.key, info, seen_at)


@blueprint.post("/api/v1/known")
@needs(Permission.UPLOAD)
def take_known() -> Response:
    """Of pictures named by their SHA-256 those stored already are accepted; the others must be sent."""
    mill, body = services(), json_body(_BODY)
    wanted = _wanted(body.get("pictures"))
    recipes = body.get("recipes") or []
    if not isinstance(recipes, list) or not all(isinstance(name, str) for name in recipes):
        raise Invalid("bad-value", "`recipes` must be a list of names.", "recipes")
    text = {name: str(body.get(name) or "").strip() for name in _TEXTS}
    callbacks = callbacks_of(mill, text)
    order = order_of(mill, recipes, text["batch"], text["source"], text["priority"], wanted[0].key, callbacks)
    seen_at = mill.purges.now()
    # What has a source is analyzed too, for which its bytes are needed.
    found = {} if order.source else _originals(mill, {item.sha256 for item in wanted}, order.recipes)
    known = [item for item in wanted if item.sha256 in found]
    answer = UploadAnswer(order.batch)
    if known and body.get("check") is not True:
        answer = take_in(mill, order, [item.offer(found[item.sha256], seen_at) for item in known])
    here = {item.index for item in known}
    unknown = [item.index for item in wanted if item.index not in here]
    return jsonify(answer.body() | {"known": sorted(here), "unknown": unknown})


def _wanted(value: Any) -> list[_NamedPicture]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_AT_ONCE:
        raise Invalid("bad-value", f"`pictures` must be a list of 1 to {MAX_AT_ONCE} pictures.", "pictures")
    return [_named(index, item) for index, item in enumerate(value)]


def _named(index: int, item: Any) -> _NamedPicture:
    digest = item.get("sha256") if isinstance(item, dict) else None
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        sentence = f"Picture {index} has no `sha256`: 64 digits from 0 to f, of the whole file."
        raise Invalid("bad-value", sentence, "pictures")
    path, key = item.get("path"), item.get("key")
    name = path_name(str(path)) if path else display_name(str(item.get("name") or ""))
    return _NamedPicture(index, name, digest, checked_key(str(key)) if key else None)


def _originals(mill: Services, digests: set[str], recipes: Sequence[Recipe]) -> dict[str, ImageInfo]:
    """Facts about those of the originals that are stored; of those with a known result nothing is read."""
    results = mill.stores.ledger.known_results(f"{one}:{recipe.digest}" for one in digests for recipe in recipes)
    jobs = mill.stores.ledger.images([*{result.job for result in results.values()}])
    found = {image.job.original.sha256: image.job.original for image in jobs if not image.erasure}
    stored = mill.stores.blobs.listed(digests - found.keys())
    read = mill.uploads.map(lambda digest: _read(mill, digest), sorted(stored - _hidden(mill, stored)))
    return found | {info.sha256: info for info in read if info}


def _hidden(mill: Services, stored: set[str]) -> set[str]:
    """Those that only erased pictures have: who knows a hash from their records must not get the bytes by it."""
    if not stored or not mill.stores.ledger.listed_ids(None, "erased", 1):
        return set()
    # Until the index is built, who has them is not known soon enough; what is sent is taken all the same.
    return mill.stores.erasures.hidden(sorted(stored)) if Purges(mill.stores.couch).has_index() else stored


def _read(mill: Services, digest: str) -> ImageInfo | None:
    """None for bytes that are gone, or would not be accepted: they shall be sent, and get their answer."""
    try:
        data = mill.stores.blobs.get(digest)
        info = info_of_original(validate(data, mill.limits, len(data)), data)
    except (LookupError, Rejected):
        return None
    mill.stores.blobs.put_everywhere(digest, data, info.content_type)
    return info
