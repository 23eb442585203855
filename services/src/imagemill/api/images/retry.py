"""Pictures once more: a failed one, or a stored original under another recipe. Nothing is uploaded again."""

from imagemill.api.access.permissions import principal
from imagemill.api.access.rates import too_many_jobs
from imagemill.api.images.identity import Identity
from imagemill.api.images.intake import UploadOptions, new_job, room_for
from imagemill.api.images.shares import TooManyInFlight
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.domain.images import Image
from imagemill.recipes import Recipe


def retried(mill: Services, found: Image, key: str | None = None) -> str:
    """A failed picture as a new job with today's recipe of that name; tells its id, the same for the same key.

    Raises Problem.
    """
    if found.status != "failed":
        raise Problem(409, "not-failed", f"Only failed pictures are retried; this one is {found.status}.")
    recipe = mill.recipes.get(found.job.recipe)
    if recipe is None:
        raise Problem(
            409, "unknown-recipe", f"Recipe {found.job.recipe!r} is gone; upload the picture with another one."
        )
    return _committed(mill, found, recipe, key, retry_of=found.job.id)


def under_recipe(mill: Services, found: Image, name: str, key: str | None = None) -> str:
    """The same original under another recipe, in the same batch; tells the id as `retried` does. Raises Problem."""
    recipe = mill.recipes.get(name)
    if recipe is None:
        known = ", ".join(sorted(mill.recipes))
        raise Problem(400, "unknown-recipe", f"There is no recipe {name!r}; there are {known}.")
    return _committed(mill, found, recipe, key, retry_of=None)


def _committed(mill: Services, found: Image, recipe: Recipe, key: str | None, retry_of: str | None) -> str:
    job = found.job
    order = UploadOptions(job.batch, [recipe], job.source, job.priority)
    if refusal := principal().limits.refusal(job.source, [recipe.name], job.priority):
        raise Problem(403, "forbidden", f"{principal().name!r}: {refusal}.")
    mill.admission.check()
    mill.group_commit.check_open()
    (job_id,) = mill.identities.ids([Identity(key, f"again:{job.id}:{recipe.name}")])
    new = new_job(mill, order, recipe, job_id, job.name, job.original, None, retry_of=retry_of)
    try:
        with room_for(mill, 1):
            mill.group_commit.commit([new], [])
    except TooManyInFlight as error:
        raise too_many_jobs(principal(), error) from error
    mill.record("image.retry" if retry_of else "image.again", job.id, after={"recipe": recipe.name, "as": new.job.id})
    return new.job.id
