"""Pictures once more: failed ones, or a stored original under another recipe. Nothing is uploaded again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.api.access.permissions import principal
from imagemill.api.access.rates import too_many_jobs
from imagemill.api.images.bytes_there import with_bytes
from imagemill.api.images.callbacks import NO_CALLBACKS, Callbacks
from imagemill.api.images.group_commit import NewJob
from imagemill.api.images.identity import Identity
from imagemill.api.images.intake import UploadOptions, new_job, room_for
from imagemill.api.images.shares import TooManyInFlight
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.domain.failures import Resolution
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Image
from imagemill.domain.keys import digest
from imagemill.recipes import Recipe

_RETRY = "retry"


@dataclass
class RetryReport:
    """What became of pictures that were to be retried: the new ids by the failed ones', and why the others were not."""

    retried: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Problem] = field(default_factory=dict)


def retried(mill: Services, found: Image, name: str | None = None, key: str | None = None) -> str:
    """Retry one failed picture; returns the new id, the same for the same key. Raises Problem."""
    report = retry_all(mill, [found], name, key)
    if refusal := report.refused.get(found.job.id):
        raise refusal
    return report.retried[found.job.id]


def retry_all(mill: Services, images: Sequence[Image], name: str | None = None, key: str | None = None) -> RetryReport:
    """Retry failed pictures as one group commit, with today's recipe of their own or of that name. Raises Problem.

    A failure is retried once: what fails again is a failure of its own, which can be retried in its turn.
    """
    report = RetryReport()
    wanted: dict[str, tuple[Image, Recipe]] = {}
    for image in images:
        try:
            wanted[image.job.id] = image, _recipe_for_retry(mill, image, name)
        except Problem as refusal:
            report.refused[image.job.id] = refusal
    if wanted:
        _retry(mill, wanted, key, report)
    return report


def _retry(mill: Services, wanted: dict[str, tuple[Image, Recipe]], key: str | None, report: RetryReport) -> None:
    _check_open(mill)
    ids = mill.identities.ids([_identity(key, image, recipe) for image, recipe in wanted.values()])
    ours = dict(zip(wanted, ids, strict=True))
    claimed = mill.stores.ledger.remember_keys({digest(_RETRY, failed): made for failed, made in ours.items()})
    first = {failed: claimed[digest(_RETRY, failed)] for failed in wanted}
    # Whoever was first may have ended before the job was written: then it is written now, under the same id.
    others = {failed: made for failed, made in first.items() if made != ours[failed]}
    there = mill.stores.ledger.accepted_ids(others.values())
    for failed, made in others.items():
        if made in there:
            sentence = f"It was retried already, as {made}; if that failed too, retry that one."
            report.refused[failed] = Problem(409, "already-retried", sentence, image=made)
    jobs = [
        _job(mill, image, recipe, first[failed], retry_of=failed)
        for failed, (image, recipe) in wanted.items()
        if failed not in report.refused
    ]
    if jobs:
        _commit(mill, jobs)
    by, now = principal().name, timestamp()
    mill.stores.resolutions.add([
        Resolution(id=failed, batch=image.job.batch, kind="retried", at=now, by=by, retry=first[failed])
        for failed, (image, _) in wanted.items()
    ])  # fmt: skip
    report.retried |= {new.job.retry_of: new.job.id for new in jobs if new.job.retry_of}
    _note(mill, jobs)


def _note(mill: Services, jobs: Sequence[NewJob]) -> None:
    """The counts of open failures have changed: that is told once it is so."""
    for new in jobs:
        mill.activity.note("retried", new.job.retry_of, batch=new.job.batch, name=new.job.name)
    if len(jobs) == 1:
        (job,) = (new.job for new in jobs)
        mill.record("image.retry", str(job.retry_of), after={"recipe": job.recipe, "as": job.id})
    elif jobs:
        after = {"pictures": {str(new.job.retry_of): new.job.id for new in jobs}}
        mill.record("failures.retry", f"{len(jobs)} pictures", after=after)


def _recipe_for_retry(mill: Services, found: Image, name: str | None) -> Recipe:
    with_bytes(found)
    if found.status != "failed":
        raise Problem(409, "not-failed", f"Only failed pictures are retried; this one is {found.status}.")
    recipe = known_recipe(mill, name) if name else mill.recipes.get(found.job.recipe)
    if recipe is None:
        raise Problem(409, "unknown-recipe", f"Recipe {found.job.recipe!r} is gone; retry it with another one.")
    check_allowed(found, recipe)
    return recipe


def under_recipe(mill: Services, found: Image, name: str, key: str | None = None) -> str:
    """Put its original under another recipe, in its batch; returns the new id as `retried` does. Raises Problem."""
    report = all_under_recipe(mill, [found], name, key)
    if refusal := report.refused.get(found.job.id):
        raise refusal
    return report.retried[found.job.id]


def all_under_recipe(mill: Services, images: Sequence[Image], name: str, key: str | None = None) -> RetryReport:
    """Put originals under another recipe, each in its batch, as one group commit. Raises Problem."""
    recipe, report = known_recipe(mill, name), RetryReport()
    wanted: list[Image] = []
    for image in images:
        try:
            check_allowed(with_bytes(image), recipe)
            wanted.append(image)
        except Problem as refusal:
            report.refused[image.job.id] = refusal
    if wanted:
        _check_open(mill)
        ids = mill.identities.ids([_identity(key, image, recipe) for image in wanted])
        _commit(mill, [_job(mill, image, recipe, new, None) for image, new in zip(wanted, ids, strict=True)])
        report.retried = {image.job.id: new for image, new in zip(wanted, ids, strict=True)}
        subject = wanted[0].job.id if len(wanted) == 1 else f"{len(wanted)} pictures"
        after = {"as": ids[0]} if len(wanted) == 1 else {"pictures": report.retried}
        mill.record("image.again", subject, after={"recipe": recipe.name, **after})
    return report


def check_allowed(image: Image, recipe: Recipe) -> None:
    """May whoever asks have this recipe applied to this picture? Raises Problem."""
    if refusal := principal().limits.refusal(image.job.source, [recipe.name], image.job.priority):
        raise Problem(403, "forbidden", f"{principal().name!r}: {refusal}.")


def known_recipe(mill: Services, name: str) -> Recipe:
    """The recipe of that name; raises Problem."""
    recipe = mill.recipes.get(name)
    if recipe is None:
        known = ", ".join(sorted(mill.recipes))
        raise Problem(400, "unknown-recipe", f"There is no recipe {name!r}; there are {known}.")
    return recipe


def _check_open(mill: Services) -> None:
    mill.admission.check()
    mill.group_commit.check_open()


def _commit(mill: Services, jobs: Sequence[NewJob]) -> None:
    try:
        with room_for(mill, len(jobs)):
            mill.group_commit.commit(jobs, [])
    except TooManyInFlight as error:
        raise too_many_jobs(principal(), error) from error


def _identity(key: str | None, found: Image, recipe: Recipe) -> Identity:
    return Identity(key, f"again:{found.job.id}:{recipe.name}")


def _job(mill: Services, found: Image, recipe: Recipe, job_id: str, retry_of: str | None) -> NewJob:
    job = found.job
    # Who was told that it failed is told of its retry too; another recipe's result is something else.
    callbacks = Callbacks(job.callback, job.batch_callback) if retry_of else NO_CALLBACKS
    options = UploadOptions(job.batch, [recipe], job.source, job.priority, callbacks)
    return new_job(mill, options, recipe, job_id, job.name, job.original, None, mill.purges.now(), retry_of=retry_of)
