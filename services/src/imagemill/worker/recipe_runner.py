"""One picture's work: from a delivery to an outcome."""

import time
from dataclasses import dataclass
from functools import lru_cache

import structlog
from prometheus_client import Gauge, Histogram

from imagemill.domain.ids import timestamp
from imagemill.domain.images import Outcome, TraceStep
from imagemill.recipes import ImageError, Picture, Recipe, RecipeError, from_canonical
from imagemill.wire.broker import Delivery
from imagemill.wire.work import ClaimCheck, WorkItem, info_of, work_item
from imagemill.worker.isolation import Crashed, IsolatedWorker

log = structlog.get_logger(__name__)

BUSY = Gauge("imagemill_worker_busy", "Pictures in work now")
THREADS = Gauge("imagemill_worker_threads", "Pictures which can be in work at the same time")
SECONDS = Histogram(
    "imagemill_worker_image_seconds",
    "Busy seconds per picture",
    ["recipe"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)


@dataclass(frozen=True)
class Finished:
    """What became of a work item: an outcome, and the bytes of the result (empty when it failed)."""

    item: WorkItem
    outcome: Outcome
    data: bytes


class RecipeRunner:
    """Applies recipes to deliveries. Stateless but for the child process, and safe to use from many threads."""

    def __init__(self, claims: ClaimCheck, isolated: IsolatedWorker, by: str) -> None:
        self._claims, self._isolated, self._by = claims, isolated, by

    def work_on(self, delivery: Delivery, item: WorkItem) -> Finished:
        """Ends in an outcome; raises StoreUnavailable when the original cannot be fetched now."""
        taken = self._step("taken", item)
        try:
            picture = self._picture(delivery, item)
        except ImageError as error:
            return self._failed(item, taken, error.code, error.detail)
        except Crashed as error:
            return self._failed(item, taken, "crashed", str(error))
        except LookupError as error:
            return self._failed(item, taken, "original-missing", str(error))
        trace = [item.job.accepted_step(), taken, self._step("done", item)]
        result = info_of(picture.data, picture.content_type, picture.width, picture.height)
        outcome = Outcome(
            id=item.job.id, batch=item.job.batch, recipe=item.job.recipe, status="stored", result=result, trace=trace
        )
        return Finished(item, outcome, picture.data)

    def _picture(self, delivery: Delivery, item: WorkItem) -> Picture:
        recipe = _recipe_of(item.job.recipe, item.job.recipe_steps)
        data = self._claims.check_out(delivery)
        began = time.monotonic()
        # Given out before and not settled: its worker may have died of it, so it is worked on at arm's length.
        suspicious = delivery.failed_deliveries > 0
        picture = self._isolated.apply(recipe, data) if suspicious else recipe.apply(data)
        SECONDS.labels(recipe.name).observe(time.monotonic() - began)
        return picture

    def _failed(self, item: WorkItem, taken: TraceStep, code: str, reason: str) -> Finished:
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
def _recipe_of(name: str, steps: str) -> Recipe:
    """The recipe as the job carries it: a change of recipes never changes what was accepted before."""
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
