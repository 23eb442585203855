"""`python -m imagemill.worker`: works on the pictures of the pool which `IMAGEMILL_POOL` names."""

import os
import sys
import threading

import structlog

from imagemill import recipes
from imagemill.concurrency.loop import Loop
from imagemill.domain.purging import PurgeTimes
from imagemill.process.program import Program, run
from imagemill.settings import Settings
from imagemill.store.couch import StoreUnavailable
from imagemill.store.purges import PurgeWatch
from imagemill.wire import topology
from imagemill.wire.work import ClaimCheck
from imagemill.worker.confinement import hide_secrets
from imagemill.worker.consumer_threads import ConsumerThreads
from imagemill.worker.isolation import IsolatedWorker, IsolatedWorkers, WorkLimits
from imagemill.worker.recipe_runner import THREADS, RecipeRunner
from imagemill.worker.trials import TrialConsumer

log = structlog.get_logger(__name__)
_WATCH_SECONDS = 1.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    if settings.pool not in settings.pools:
        print(f"error: IMAGEMILL_POOL is {settings.pool!r}; pools are {', '.join(settings.pools)}", file=sys.stderr)
        return 2
    recipes.single_threaded()
    THREADS.set(settings.worker_threads)
    program = Program("worker", settings, stopping, connection_name=f"worker-{settings.pool}")
    # Only now: the client of S3 has read what the platform gives a pod. No child process is there yet.
    hide_secrets()
    claims = ClaimCheck(program.stores.blobs, settings.result_inline_max_bytes)
    limits = WorkLimits(
        settings.max_image_pixels,
        settings.image_timeout_seconds,
        settings.image_cpu_seconds_per_megapixel,
        settings.preview_pixels,
    )
    isolated = IsolatedWorker(limits)
    contained = IsolatedWorkers(limits, settings.worker_threads) if settings.contained_decoding else None
    fails = settings.damaged_images == "fail"
    runner = RecipeRunner(isolated, settings.instance, fails, settings.preview_pixels, contained)
    purges = PurgeWatch(program.stores.couch, PurgeTimes.by(settings.couchdb_timeout_seconds))
    watching = Loop("purges", purges.refresh, every_seconds=purges.refresh_seconds, passing=StoreUnavailable)
    consumers = ConsumerThreads(
        runner, claims, program.stores, program.broker, program.activity, settings.worker_threads,
        settings.crash_limit, purges,
    )  # fmt: skip
    program.broker.consume(topology.work_queue(settings.pool), consumers.put, settings.prefetch)
    trials = TrialConsumer(contained or isolated, program.stores.blobs, program.broker.submit)
    program.broker.consume(topology.trials_queue(settings.pool), trials.put, prefetch=1)
    limit = settings.image_timeout_seconds
    watch = Loop("watch", lambda: _end_if_stuck(consumers, 1.5 * limit), every_seconds=_WATCH_SECONDS)

    def stuck() -> str | None:
        return None if consumers.longest_work_seconds < limit else f"a picture is in work for more than {limit:g} s"

    children = [isolated] if contained is None else [isolated, contained]
    return program.run(watching, *children, consumers, trials, watch, needs_stores=False, work=stuck)


def _end_if_stuck(consumers: ConsumerThreads, limit_seconds: float) -> None:
    # A thread inside OpenCV cannot be stopped. Without this process the broker delivers the picture again, and the
    # next worker works on it in a child process which it can end.
    if consumers.longest_work_seconds > limit_seconds:
        log.error("a picture is stuck in work; this process ends itself", limit=limit_seconds)
        os._exit(70)


if __name__ == "__main__":
    run("worker", main)
