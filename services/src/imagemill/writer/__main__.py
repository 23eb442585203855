"""`python -m imagemill.writer`: stores results and outcomes, records dead letters, re-drives lost jobs."""

import threading
from collections.abc import Callable

import pika
import structlog

from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.process import runtime
from imagemill.settings import Settings
from imagemill.store.couch import StoreUnavailable
from imagemill.store.leases import Lease
from imagemill.wire import topology
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, Delivery, parameters_of
from imagemill.wire.work import ClaimCheck
from imagemill.writer.redrive import Redrive
from imagemill.writer.retention import retention_of
from imagemill.writer.store import OutcomeWriter

log = structlog.get_logger(__name__)
_OVERLAPPING_GROUPS = 2
_PREPARE_EVERY_SECONDS = 3600


def main(settings: Settings, stopping: threading.Event) -> int:
    """Runs until told to stop."""
    stores = runtime.open_stores(settings)
    claims = ClaimCheck(stores.blobs, settings.inline_max_bytes)
    at_once = settings.couchdb_connections // 2 or 1
    broker = runtime.open_broker(settings, "writer")
    activity = runtime.open_activity(settings, "writer", broker)
    store = OutcomeWriter(stores.blobs, stores.ledger, claims, broker, activity, settings.instance, at_once, stopping)
    grouper: Grouper[Delivery] = Grouper(store.handle, _bounds(settings), _OVERLAPPING_GROUPS, _weight, "store")
    for queue in (topology.RESULTS_QUEUE, *map(topology.dead_queue, settings.pools)):
        broker.consume(queue, grouper.put, settings.writer_prefetch)
    health = runtime.serve_health(settings, runtime.health_of(broker, stores.couch))
    runtime.wait_for_stores(stores, settings, stopping)
    activity.start()
    grouper.start()
    broker.start()
    redriving = _start_redrive(settings, _redrive(settings, stores, claims, store), broker, activity, stopping)
    _start_retention(settings, stores, activity, stopping)
    while not stopping.wait(_PREPARE_EVERY_SECONDS):
        _prepare_next_month(stores, settings)
    broker.stop_consuming()
    drained = grouper.close(settings.drain_seconds)
    redriving.join(settings.drain_seconds)
    activity.close()
    broker.close()
    health.close()
    return 0 if drained else 1


def _prepare_next_month(stores: runtime.Stores, settings: Settings) -> None:
    try:
        if settings.prepare:
            stores.prepare()
    except StoreUnavailable as error:
        log.warning("next month's database not created yet; tried again later", error=str(error))


def _start_redrive(
    settings: Settings, redrive: Redrive, broker: Broker, activity: Activity, stopping: threading.Event
) -> threading.Thread:
    arguments = (broker, activity, settings.redrive_every_seconds, stopping)
    thread = threading.Thread(target=redrive.run, args=arguments, name="redrive")
    thread.start()
    return thread


def _start_retention(settings: Settings, stores: runtime.Stores, activity: Activity, stopping: threading.Event) -> None:
    """A daemon: it may be in the middle of a long copy, and what it does not finish it does after the next start."""
    arguments = (activity, settings.retention_every_seconds, stopping)
    retention = retention_of(settings, stores.couch)
    threading.Thread(target=retention.run, args=arguments, name="retention", daemon=True).start()


def _bounds(settings: Settings) -> Bounds:
    return Bounds(settings.writer_group_entries, settings.writer_group_seconds, settings.writer_group_bytes)


def _weight(delivery: Delivery) -> int:
    return len(delivery.body)


def _redrive(settings: Settings, stores: runtime.Stores, claims: ClaimCheck, store: OutcomeWriter) -> Redrive:
    lease = Lease(stores.couch, "redrive", settings.instance, settings.lease_seconds)
    return Redrive(
        stores.couch, stores.ledger, claims, lease, settings.redrive_after_seconds,
        _waiting(settings), lambda recipe: _frontier(store.frontier, recipe, settings),
    )  # fmt: skip


def _frontier(by_recipe: dict[str, str], recipe: str, settings: Settings) -> str:
    pool = topology.pool_of(recipe, settings.pools)
    same = [newest for name, newest in by_recipe.items() if topology.pool_of(name, settings.pools) == pool]
    return max(same, default="")


def _waiting(settings: Settings) -> Callable[[str], int | None]:
    """Messages which wait in a recipe's queue, and for the writer; None when the broker does not tell."""
    parameters = parameters_of(settings.amqp_url.get_secret_value(), f"redrive {settings.instance}")

    def waiting(recipe: str) -> int | None:
        queues = [topology.work_queue(topology.pool_of(recipe, settings.pools)), topology.RESULTS_QUEUE]
        try:
            return topology.ready_at(parameters, queues)
        except pika.exceptions.AMQPError as error:
            log.warning("queue length unknown", queues=queues, error=repr(error))
            return None

    return waiting


if __name__ == "__main__":
    runtime.run("writer", main)
