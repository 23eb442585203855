"""From a request to the failures that it means; raises Problem and Invalid."""

from collections.abc import Mapping
from typing import Any

from imagemill.api.images.failures import MAX_AT_ONCE, FailureFilter, page
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.api.web.times import seconds
from imagemill.domain.errors import Invalid
from imagemill.domain.failures import STATES
from imagemill.domain.ids import is_batch_name, is_uuid
from imagemill.domain.images import Image

_ALL = "all"
_FIELDS = ("state", "batch", "code", "recipe", "since", "until")


def filter_of(values: Mapping[str, Any]) -> FailureFilter:
    """The filter that a query, a form or a JSON object describes; open failures unless it names another state."""
    given = {name: str(values.get(name) or "").strip() or None for name in _FIELDS}
    state, batch = given["state"] or "open", given["batch"]
    if state not in (*STATES, _ALL):
        raise Problem(400, "bad-state", f"There is no state {state!r}; there are {', '.join(STATES)} and {_ALL}.")
    if batch is not None and not is_batch_name(batch):
        raise Problem(400, "bad-batch", f"{batch!r} cannot be the name of a batch.")
    known = next((one for one in STATES if one == state), None)
    since, until = seconds("since", given["since"]), seconds("until", given["until"])
    return FailureFilter(known, batch, given["code"], given["recipe"], since, until)


def chosen(mill: Services, body: Mapping[str, Any]) -> tuple[list[Image], list[str], str | None]:
    """The pictures of `images`, or the next open failures of `matching`; ids that are unknown; where to go on."""
    ids, matching = body.get("images"), body.get("matching")
    if (ids is None) == (matching is None):
        raise Invalid("bad-value", "Name the pictures in `images`, or describe them in `matching`, not both.", "images")
    if matching is not None:
        if not isinstance(matching, Mapping):
            raise Invalid("bad-value", '`matching` must be an object, such as {"code": "crashed"}.', "matching")
        after = str(body.get("after") or "") or None
        if after is not None and not is_uuid(after):
            raise Problem(400, "bad-cursor", f"after={after!r} is no cursor; use the `next` of the answer before.")
        found, following = page(mill, filter_of({**matching, "state": "open"}), MAX_AT_ONCE, after)
        return [failure.image for failure in found], [], following
    images = mill.stores.ledger.images(ids_of(ids))
    known = {image.job.id for image in images}
    return images, [one for one in ids_of(ids) if one not in known], None


def ids_of(value: Any) -> list[str]:
    """A list of pictures' ids, each once; raises Invalid."""
    if not isinstance(value, list) or not all(isinstance(one, str) and is_uuid(one) for one in value):
        raise Invalid("bad-value", "`images` must be a list of ids.", "images")
    if not 0 < len(value) <= MAX_AT_ONCE:
        raise Invalid("bad-value", f"{len(value):,} pictures are named; name 1 to {MAX_AT_ONCE} at a time.", "images")
    return list(dict.fromkeys(value))
