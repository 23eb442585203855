"""The pages of lists, as a request's fields describe them."""

from collections.abc import Callable, Sequence

from flask import request

from imagemill.api.images.batch_rows import BatchRow, rows_of
from imagemill.api.images.image_filter import ImageFilter, filter_of
from imagemill.api.services import Services
from imagemill.api.web.paging import MAX_PAGE, cursor, page_limit
from imagemill.api.web.problems import Problem
from imagemill.domain.ids import floor_at, is_batch_name
from imagemill.domain.images import Image, Job, Rejection
from imagemill.store.watermark import Watermark

# Ids, and where the next page begins; None at the end.
Page = tuple[list[str], str | None]

STATES = ("accepted", "in_flight", "stored", "failed", "duplicate", "damaged", "erased")
# For one request so many portions of a list are looked through.
_MOST_PORTIONS = 4
_LATEST = floor_at(2**47 / 1000)


def page_of_images(mill: Services, always: str | None = None) -> tuple[list[Image], str | None]:
    """The page which the request's `batch`, `state`, `after`, `limit` and filter describe, and the next cursor.

    `always` is a state which stands above the request's.
    """
    batch, state, wanted = named_batch(), always or request.args.get("state") or None, filter_of(request.args)
    if state is not None and state not in STATES:
        raise Problem(400, "bad-state", f"There is no state {state!r}; there are {', '.join(STATES)}.")
    limit, after = page_limit(), wanted.begins(cursor())

    def older(after: str | None, most: int) -> Page:
        ids, following = _ids(mill, batch, state, most, after)
        kept = [image_id for image_id in ids if not wanted.is_past(image_id)]
        return kept, following if len(kept) == len(ids) else None

    if wanted.is_by_time:
        ids, following = older(after, limit)
        return mill.stores.ledger.images(ids), following
    return _matching(mill, wanted, older, limit, after)


def _matching(
    mill: Services, wanted: ImageFilter, older: Callable[[str | None, int], Page], limit: int, after: str | None
) -> tuple[list[Image], str | None]:
    """Only so many are looked at for one request: no view is kept for what few ask for."""
    found: list[Image] = []
    for _ in range(_MOST_PORTIONS):
        ids, after = older(after, MAX_PAGE)
        found += [image for image in mill.stores.ledger.images(ids) if wanted.matches(image)]
        if len(found) >= limit:
            return found[:limit], found[limit - 1].job.id
        if after is None:
            break
    return found, after


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


def neighbours(mill: Services, job: Job) -> tuple[str | None, str | None]:
    """The next newer and the next older picture of its batch."""
    newer, older = (
        mill.stores.ledger.listed_ids(job.batch, "accepted", 1, job.id, newer=is_newer) for is_newer in (True, False)
    )
    return next(iter(newer), None), next(iter(older), None)


def page_of_rejections(mill: Services) -> tuple[list[Rejection], str | None]:
    """The page which the request's `batch`, `after` and `limit` describe, and the next cursor."""
    limit = page_limit()
    ids = mill.stores.ledger.listed_ids(named_batch(), "rejected", limit + 1, cursor())
    return mill.stores.ledger.rejections(ids[:limit]), ids[limit - 1] if len(ids) > limit else None


def page_of_batches(mill: Services) -> tuple[Sequence[BatchRow], str | None]:
    """The page which the request's `prefix`, `after` and `limit` describe, and the next cursor.

    Newest first, but with a prefix the last name first.
    """
    limit, prefix = page_limit(), request.args.get("prefix", "").strip()
    if prefix and not is_batch_name(prefix):
        raise Problem(400, "bad-batch", f"No batch has a name that begins with {prefix!r}.")
    after = request.args.get("after") or None
    if prefix:
        found = rows_of(mill, mill.stores.batches(limit + 1, after, prefix))
    else:
        found = [BatchRow(*one) for one in mill.stores.newest_batches(limit + 1, after)]
    return found[:limit], found[limit - 1].name if len(found) > limit else None


def named_batch() -> str | None:
    """The request's `batch`; raises Problem when no batch can be called so."""
    batch = request.args.get("batch") or None
    if batch is not None and not is_batch_name(batch):
        raise Problem(400, "bad-batch", f"{batch!r} cannot be the name of a batch.")
    return batch
