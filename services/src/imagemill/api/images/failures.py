"""Failures: which there are, where each stands, and discarding them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from imagemill.api.access.permissions import principal
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.domain.errors import Invalid
from imagemill.domain.failures import MAX_NOTE_LENGTH, FailureState, Resolution, ResolutionKind, failure_state
from imagemill.domain.ids import floor_at, timestamp
from imagemill.domain.images import Image
from imagemill.store.ledger_views import failed_list

MAX_AT_ONCE = 500
_PORTION = 500
# For one request so many portions of the index are looked through, besides a first one that mostly is enough.
_MORE_PORTIONS = (_PORTION,) * 3
_COUNTED_PORTIONS = (_PORTION,)
_MAX_CHAIN = 20
_LATEST = floor_at(2**47 / 1000)
_KINDS: Mapping[FailureState, ResolutionKind] = {
    "retried": "retried", "solved": "retried", "discarded": "discarded",
}  # fmt: skip


@dataclass(frozen=True)
class FailureFilter:
    """Which failures are meant; times are Unix seconds, of when the picture was accepted. No state means all."""

    state: FailureState | None = None
    batch: str | None = None
    code: str | None = None
    recipe: str | None = None
    since: float | None = None
    until: float | None = None

    def is_plain(self) -> bool:
        """Does every failure in the state match, of the batch if one is named?"""
        return replace(self, state=None, batch=None) == FailureFilter()

    def matches(self, image: Image) -> bool:
        """Is it one of them, its state left aside? Only failed pictures are failures."""
        outcome = image.outcome
        return (
            outcome is not None
            and outcome.status == "failed"
            and self.batch in (None, image.job.batch)
            and self.code in (None, outcome.code)
            and self.recipe in (None, image.job.recipe)
        )


@dataclass(frozen=True)
class Failure:
    """A failed picture, the answer to it if there is one, the end of its retries, and which try it was."""

    image: Image
    resolution: Resolution | None
    last_retry: Image | None
    tries: int

    @property
    def state(self) -> FailureState:
        """Where it stands."""
        return failure_state(self.resolution, self.last_retry)


def page(
    mill: Services, wanted: FailureFilter, limit: int, after: str | None = None
) -> tuple[list[Failure], str | None]:
    """The next failures that match, newest first, and the cursor of those behind them, None at the end.

    Only so many are looked at for one request: a page may be short and yet have a next one.
    """
    found: list[Failure] = []
    before: str | None = None
    for candidates, following in _portions(mill, wanted, after, (min(2 * limit, _PORTION), *_MORE_PORTIONS)):
        before = following
        while candidates and len(found) <= limit:
            images = [image for image in mill.stores.ledger.images(candidates[: limit + 1]) if wanted.matches(image)]
            found += [item for item in described(mill, images) if wanted.state in (None, item.state)]
            del candidates[: limit + 1]
        if len(found) > limit:
            return found[:limit], found[limit - 1].image.job.id
    return found, before


def count(mill: Services, wanted: FailureFilter) -> tuple[int, bool]:
    """How many open failures match, and whether that is all of them or just how far they were counted."""
    if wanted.is_plain():
        return mill.stores.counts(wanted.batch).failed_open, True
    portions = list(_portions(mill, wanted, None, _COUNTED_PORTIONS))
    return sum(len(ids) for ids, _ in portions), not portions or portions[-1][1] is None


def _portions(
    mill: Services, wanted: FailureFilter, after: str | None, sizes: Sequence[int]
) -> Iterator[tuple[list[str], str | None]]:
    """Ids of failures that may match, newest first, by portions of what an index lists; each with where to go on."""
    until = floor_at(wanted.until) if wanted.until is not None else _LATEST
    oldest = floor_at(wanted.since) if wanted.since is not None else ""
    before: str | None = min(after or _LATEST, until)
    # Those that were answered long ago are not gone through once all open ones are found.
    left = mill.stores.counts(wanted.batch).failed_open if wanted.state == "open" else None
    for size in sizes:
        if before is None or left == 0:
            return
        ids, before = _portion(mill, wanted, before, size)
        within = [failed for failed in ids if failed >= oldest]
        if left is not None:
            within, left = within[:left], max(left - len(within), 0)
        before = before if left != 0 and len(within) == len(ids) and (before or "") >= oldest else None
        yield within, before


def _portion(mill: Services, wanted: FailureFilter, before: str, size: int) -> tuple[list[str], str | None]:
    kind, resolutions = _KINDS.get(wanted.state) if wanted.state else None, mill.stores.resolutions
    if kind and wanted == FailureFilter(wanted.state, since=wanted.since, until=wanted.until):
        answered, following = resolutions.newest_first(kind, size, before)
        return [item.id for item in answered], following
    ids = mill.stores.ledger.listed_ids(wanted.batch, failed_list(wanted.code, wanted.recipe), size, before)
    following = ids[-1] if len(ids) == size else None
    if wanted.state == "open":
        gone = resolutions.answered(ids)
        return [failed for failed in ids if failed not in gone], following
    if kind:
        of_kind = {failed for failed, item in resolutions.of(ids).items() if item.kind == kind}
        return [failed for failed in ids if failed in of_kind], following
    return ids, following


def described(mill: Services, images: Sequence[Image]) -> list[Failure]:
    """Where failed pictures stand."""
    ids = [image.job.id for image in images]
    resolutions = mill.stores.resolutions.of(ids)
    ends, tries = _ends(mill, resolutions), _tries(mill, images)
    return [
        Failure(image, resolutions.get(one), ends.get(one), tries[one]) for one, image in zip(ids, images, strict=True)
    ]


def _ends(mill: Services, resolutions: Mapping[str, Resolution]) -> dict[str, Image]:
    """Of each failure that was retried the last retry, which was retried no more."""
    ends: dict[str, Image] = {}
    following = {failed: item.retry for failed, item in resolutions.items() if item.retry}
    for _ in range(_MAX_CHAIN):
        images = {image.job.id: image for image in mill.stores.ledger.images(sorted(following.values()))}
        ends |= {failed: images[retry] for failed, retry in following.items() if retry in images}
        again = mill.stores.resolutions.of([one for one, image in images.items() if image.status == "failed"])
        following = {
            failed: again[retry].retry or "" for failed, retry in following.items()
            if retry in again and again[retry].retry
        }  # fmt: skip
        if not following:
            break
    return ends


def _tries(mill: Services, images: Sequence[Image]) -> dict[str, int]:
    """Which try of its original each is: 1, and one more for each failure that it retries."""
    tries = dict.fromkeys((image.job.id for image in images), 1)
    earlier = {image.job.id: image.job.retry_of for image in images if image.job.retry_of}
    for _ in range(_MAX_CHAIN):
        if not earlier:
            break
        jobs = mill.stores.ledger.jobs(sorted(set(earlier.values())))
        tries |= {one: tries[one] + 1 for one in earlier}
        earlier = {
            one: found.retry_of for one, before in earlier.items() if (found := jobs.get(before)) and found.retry_of
        }
    return tries


def discard(mill: Services, images: Sequence[Image], note: str) -> dict[str, Problem]:
    """Discard failures, with a note that says why; returns why some were not. Raises Invalid."""
    if len(note) > MAX_NOTE_LENGTH:
        sentence = f"The note has {len(note):,} characters; at most {MAX_NOTE_LENGTH} are kept."
        raise Invalid("bad-value", sentence, "note")
    resolutions = mill.stores.resolutions.of([image.job.id for image in images])
    refused = {image.job.id: no for image in images if (no := _undiscardable(image, resolutions.get(image.job.id)))}
    now, by = timestamp(), principal().name
    gone = [image.job for image in images if image.job.id not in refused]
    mill.stores.resolutions.add([
        Resolution(id=job.id, batch=job.batch, kind="discarded", at=now, by=by, note=note) for job in gone
    ])  # fmt: skip
    for job in gone:
        mill.activity.note("discarded", job.id, batch=job.batch, name=job.name)
    if gone:
        mill.record(
            "failures.discard",
            _named([job.id for job in gone]),
            after={"note": note, "pictures": [job.id for job in gone]},
        )
    return refused


def _undiscardable(image: Image, resolution: Resolution | None) -> Problem | None:
    if image.status != "failed":
        return Problem(409, "not-failed", f"Only failed pictures are discarded; this one is {image.status}.")
    if resolution and resolution.kind == "retried":
        sentence = f"It was retried already, as {resolution.retry}; if that failed too, discard that one."
        return Problem(409, "already-retried", sentence, image=resolution.retry)
    return None


def reopen(mill: Services, ids: Sequence[str]) -> list[str]:
    """Take back that failures were discarded; returns those that were."""
    before = mill.stores.resolutions.of(ids)
    gone = mill.stores.resolutions.reopen(ids)
    for failed in gone:
        mill.activity.note("reopened", failed, batch=before[failed].batch)
    if gone:
        mill.record("failures.reopen", _named(gone), before={"notes": {one: before[one].note for one in gone}})
    return gone


def _named(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{len(ids)} pictures"
