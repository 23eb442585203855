"""One picture's work: from a delivery to an outcome."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import structlog
from prometheus_client import Counter, Gauge, Histogram

from imagemill.domain.ids import timestamp
from imagemill.domain.images import ImageInfo, Outcome, TraceStep
from imagemill.domain.previews import Previews, is_light
from imagemill.recipes import ImageError, Picture, Recipe, RecipeError, from_canonical
from imagemill.wire.broker import Delivery
from imagemill.wire.work import WorkItem, info_of, work_item
from imagemill.worker.isolation import Crashed, IsolatedWorker, IsolatedWorkers

log = structlog.get_logger(__name__)

_DAMAGED = "Some of its pixels are missing or wrong: the file was damaged on its way or on a disk."
BUSY = Gauge("imagemill_worker_busy", "Pictures in work now")
THREADS = Gauge("imagemill_worker_threads", "Pictures which can be in work at the same time")
NO_PREVIEW = Counter("imagemill_worker_no_preview", "Originals and results of which no preview could be made")
SECONDS = Histogram(
    "imagemill_worker_image_seconds",
    "Busy seconds per picture",
    ["recipe"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)


@dataclass(frozen=True)
class Finished:
    """What became of a work item: an outcome, the bytes of the result (empty when it failed), and previews."""

    item: WorkItem
    outcome: Outcome
    data: bytes
    previews: Previews = field(default_factory=dict)


class RecipeRunner:
    """Applies recipes to pictures. Stateless but for the child processes, and safe to use from many threads.

    Without `contained` a first attempt is made in the calling thread, and its crash is that of the worker.
    """

    def __init__(
        self,
        isolated: IsolatedWorker,
        by: str,
        damaged_fail: bool = False,
        preview_pixels: int = 0,
        contained: IsolatedWorkers | None = None,
    ) -> None:
        self._isolated, self._contained, self._by, self._damaged_fail = isolated, contained, by, damaged_fail
        self._preview_pixels = preview_pixels

    def has_time_limit(self, item: WorkItem) -> bool:
        """Is it worked on in a child process, which can be ended?"""
        return item.suspicious or self._contained is not None

    def taken(self, item: WorkItem) -> TraceStep:
        """The mark that a picture was taken from its queue now."""
        return self._step("taken", item)

    def work_on(self, item: WorkItem, original: bytes, taken: TraceStep, begin: Callable[[], None]) -> Finished:
        """Ends in an outcome. `begin` comes before work on a suspicious picture, or one that took a child down.

        Raises what `begin` raises, NotStarted when there is no child process, and Stopped at the shutdown.
        """
        try:
            picture = self._picture(item, original, begin)
        except ImageError as error:
            return self.failed(item, taken, error.code, error.detail)
        except Crashed as error:
            return self.failed(item, taken, "crashed", str(error))
        if picture.is_damaged and self._damaged_fail:
            return self.failed(item, taken, "damaged", _DAMAGED)
        trace = [item.job.accepted_step(), taken, self._step("done", item)]
        result = info_of(picture.data, picture.content_type, picture.width, picture.height)
        outcome = Outcome(
            id=item.job.id, batch=item.job.batch, recipe=item.job.recipe, status="stored", result=result, trace=trace,
            warnings=["damaged"] if picture.is_damaged else [],
        )  # fmt: skip
        return Finished(item, outcome, picture.data, self._previews(item, picture, result))

    def _previews(self, item: WorkItem, picture: Picture, result: ImageInfo) -> Previews:
        made = {item.job.original: picture.preview_of_original, result: picture.preview}
        for info in [info for info, preview in made.items() if preview is None and self._wants(info)]:
            NO_PREVIEW.inc()
            log.warning("no preview could be made", image=item.job.id, of=info.sha256, content_type=info.content_type)
        return {info.sha256: preview for info, preview in made.items() if preview is not None}

    def _wants(self, info: ImageInfo) -> bool:
        return self._preview_pixels > 0 and not is_light(info.content_type, info.bytes)

    def _picture(self, item: WorkItem, original: bytes, begin: Callable[[], None]) -> Picture:
        recipe = recipe_of(item.job.recipe, item.job.recipe_steps)
        began = time.monotonic()
        picture = self._applied(recipe, item, original, begin)
        SECONDS.labels(recipe.name).observe(time.monotonic() - began)
        return picture

    def _applied(self, recipe: Recipe, item: WorkItem, original: bytes, begin: Callable[[], None]) -> Picture:
        if item.suspicious:
            return self._isolated.apply(recipe, original, begin)
        if self._contained is not None:
            return self._contained.apply_first(recipe, original, begin)
        return recipe.apply(original, self._preview_pixels)

    def failed(self, item: WorkItem, taken: TraceStep, code: str, reason: str) -> Finished:
        """The outcome of a picture that ends here without a result."""
        log.warning("picture failed", image=item.job.id, recipe=item.job.recipe, code=code, reason=reason)
        trace = [item.job.accepted_step(), taken, self._step("done", item)]
        outcome = Outcome(
            id=item.job.id, batch=item.job.batch, recipe=item.job.recipe, status="failed", code=code, reason=reason,
            trace=trace,
        )  # fmt: skip
        return Finished(item, outcome, b"")

    def _step(self, step: str, item: WorkItem) -> TraceStep:
        return TraceStep(step=step, at=timestamp(), by=self._by, attempt=item.attempt)


@lru_cache(maxsize=256)
def recipe_of(name: str, steps: str) -> Recipe:
    """The recipe as a job carries it: a change of recipes never changes what was accepted before. Raises ImageError."""
    try:
        return from_canonical(name, steps)
    except RecipeError as error:
        raise ImageError("unknown-recipe", f"this worker cannot do recipe {name!r}: {error}") from error


def read_item(delivery: Delivery) -> WorkItem | None:
    """The work item, None (and a log entry) when the message is not one."""
    try:
        return work_item(delivery)
    except ValueError as error:
        log.error("not a work message", message_id=delivery.properties.message_id, error=str(error))
        return None
