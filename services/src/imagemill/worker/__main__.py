"""`python -m imagemill.worker`: works on the pictures of the pool which `IMAGEMILL_POOL` names."""

import os
import sys
import threading

import structlog

from imagemill import recipes
from imagemill.process import runtime
from imagemill.process.health import Check
from imagemill.settings import Settings
from imagemill.wire import topology
from imagemill.wire.work import ClaimCheck
from imagemill.worker.consumer_threads import ConsumerThreads
from imagemill.worker.freed import keep_freed_memory
from imagemill.worker.isolation import IsolatedWorker
from imagemill.worker.recipe_runner import THREADS, RecipeRunner

log = structlog.get_logger(__name__)
_WATCH_SECONDS = 1.0


def main(settings: Settings, stopping: threading.Event) -> int:
    """Runs until told to stop."""
    if settings.pool not in settings.pools:
        print(f"error: IMAGEMILL_POOL is {settings.pool!r}; pools are {', '.join(settings.pools)}", file=sys.stderr)
        return 2
    recipes.single_threaded()
    keep_freed_memory()
    THREADS.set(settings.worker_threads)
    stores = runtime.open_stores(settings)
    claims = ClaimCheck(stores.blobs, settings.inline_max_bytes)
    isolated = IsolatedWorker(settings.image_timeout_seconds)
    broker = runtime.open_broker(settings, f"worker-{settings.pool}")
    activity = runtime.open_activity(settings, "worker", broker).start()
    runner = RecipeRunner(claims, isolated, settings.instance)
    consumers = ConsumerThreads(runner, claims, broker, activity, settings.worker_threads)
    broker.consume(topology.work_queue(settings.pool), consumers.put, settings.prefetch)
    consumers.start()
    broker.start()
    health = runtime.serve_health(settings, runtime.health_of(broker, work=_not_stuck(consumers, settings)))
    _watch(consumers, settings, stopping)
    broker.stop_consuming()
    drained = consumers.drain(settings.drain_seconds)
    isolated.close()
    activity.close()
    broker.close()
    health.close()
    return 0 if drained else 1


def _not_stuck(consumers: ConsumerThreads, settings: Settings) -> Check:
    limit = settings.image_timeout_seconds
    return lambda: None if consumers.longest_work_seconds < limit else f"a picture is in work for more than {limit:g} s"


def _watch(consumers: ConsumerThreads, settings: Settings, stopping: threading.Event) -> None:
    # A thread inside OpenCV cannot be stopped. Without this process the broker gives the picture out again, and the
    # next worker works on it in a child process which it can end.
    while not stopping.wait(_WATCH_SECONDS):
        if consumers.longest_work_seconds > 1.5 * settings.image_timeout_seconds:
            log.error("a picture is stuck in work; this process ends itself", limit=settings.image_timeout_seconds)
            os._exit(70)


if __name__ == "__main__":
    runtime.run("worker", main)
