"""`python -m imagemill.writer`: stores results and outcomes, records dead letters, re-drives lost jobs."""

import threading
from collections.abc import Callable
from functools import partial

import pika
import structlog

from imagemill import recipes
from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.concurrency.loop import Loop
from imagemill.domain.images import Job
from imagemill.domain.purging import PurgeTimes
from imagemill.process.program import Program, run
from imagemill.process.stores import Stores
from imagemill.settings import Settings
from imagemill.store.blobs.moving import MovingBlobs
from imagemill.store.conflicts import Conflicts
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.store.held_jobs import HeldJobs
from imagemill.store.leases import Lease
from imagemill.store.purges import PurgeWatch
from imagemill.wire import declaring, topology
from imagemill.wire.broker import Delivery, parameters_of
from imagemill.wire.work import ClaimCheck
from imagemill.writer.eraser import Eraser
from imagemill.writer.former_pools import FormerPools
from imagemill.writer.held import Held
from imagemill.writer.image_retention import ImageRetention
from imagemill.writer.redrive import Redrive
from imagemill.writer.retention import retention_of
from imagemill.writer.store import OutcomeWriter

log = structlog.get_logger(__name__)
_LONE_SECONDS = 0.005
_DEFERRED_SECONDS = 20.0
_PASSING = (StoreUnavailable, Conflict)


def main(settings: Settings, stopping: threading.Event) -> int:
    """Run until told to stop."""
    program = Program("writer", settings, stopping)
    stores, broker, activity = program.stores, program.broker, program.activity
    claims = ClaimCheck(stores.blobs, settings.inline_max_bytes)
    at_once = settings.couchdb_connections // 2 or 1
    purges = PurgeWatch(stores.couch, PurgeTimes.by(settings.couchdb_timeout_seconds))
    watching = Loop("purges", purges.refresh, every_seconds=purges.refresh_seconds, passing=_PASSING)
    store = OutcomeWriter(
        stores.blobs, stores.ledger, claims, broker, activity, settings.instance, at_once, stopping, purges,
        lambda delivery: _defer(grouper, delivery),
    )  # fmt: skip
    # One group after the other: each finds in the ledger what the one before it wrote, and what comes meanwhile makes
    # the next one larger. A bulk write costs CouchDB about as much for one image as for ten.
    grouper = Grouper[Delivery](store.handle, _bounds(settings), weigh=_weight, name="store")
    queues = (*topology.RESULTS_QUEUES, topology.EARLIER_RESULTS_QUEUE, *map(topology.dead_queue, settings.pools))
    for queue in queues:
        broker.consume(queue, grouper.put, settings.writer_prefetch)
    retention = Loop(
        "retention", retention_of(settings, stores.admin, activity).round,
        every_seconds=settings.retention_every_seconds, passing=_PASSING,
    )  # fmt: skip
    restoring = Loop(
        "queues", _restoring(program), every_seconds=settings.redrive_every_seconds, at_once=False,
        passing=(pika.exceptions.AMQPError, OSError),
    )  # fmt: skip
    image_retention = Loop(
        "image-retention", _image_retention(program).round, every_seconds=settings.retention_every_seconds,
        passing=_PASSING,
    )  # fmt: skip
    loops = (
        watching,
        image_retention,
        restoring, _redrive(program, claims, store), _conflicts(program), _former_pools(program), _eraser(program),
    )  # fmt: skip
    return program.run(retention, program.databases, grouper, *loops)


def _former_pools(program: Program) -> Loop:
    settings = program.settings
    parameters = parameters_of(
        settings.amqp_url.get_secret_value(), f"former pools {settings.instance}", settings.tls_ca_file
    )
    lease = Lease(program.stores.couch, "former-pools", settings.instance, settings.lease_seconds)
    known = recipes.names(settings.recipes_file)
    pools = {
        pool: [name for name in known if topology.pool_of(name, settings.pools) == pool] for pool in settings.pools
    }
    former = FormerPools(program.stores.couch, program.broker, parameters, pools)
    return Loop(
        "former-pools", lambda: settings.prepare and program.broker.ready and lease.hold() and former.round(),
        every_seconds=settings.redrive_every_seconds, passing=(*_PASSING, pika.exceptions.AMQPError, OSError),
    )  # fmt: skip


def _conflicts(program: Program) -> Loop:
    settings, couch = program.settings, program.stores.couch
    lease = Lease(couch, "conflicts", settings.instance, settings.lease_seconds)
    conflicts = Conflicts(couch)
    return Loop(
        "conflicts", lambda: lease.hold() and conflicts.round(), every_seconds=settings.redrive_every_seconds,
        at_once=False, passing=_PASSING,
    )  # fmt: skip


def _defer(grouper: Grouper[Delivery], delivery: Delivery) -> None:
    timer = threading.Timer(_DEFERRED_SECONDS, grouper.put, (delivery,))
    timer.daemon = True
    timer.start()


def _image_retention(program: Program) -> ImageRetention:
    settings, stores = program.settings, program.stores
    lease = Lease(stores.couch, "image-retention", settings.instance, settings.lease_seconds)
    return ImageRetention(
        stores.couch, stores.ledger, lease, program.activity, settings.image_retention_days,
        settings.erasure_grace_hours,
    )  # fmt: skip


def _eraser(program: Program) -> Loop:
    settings, stores = program.settings, program.stores
    times = PurgeTimes.by(settings.couchdb_timeout_seconds)
    lease = Lease(stores.couch, "erase", settings.instance, settings.lease_seconds)
    may_remove = partial(_may_remove, stores)
    eraser = Eraser(stores.couch, stores.ledger, stores.blobs, lease, program.activity, times, may_remove)
    return Loop("erase", eraser.turn, every_seconds=times.settle / 15, at_once=False, passing=_PASSING)


def _may_remove(stores: Stores) -> bool:
    """Not while bytes move: whoever moves them may have read what is removed, and would store it anew."""
    return stores.admin.is_whole() and not isinstance(stores.blobs, MovingBlobs)


def _restoring(program: Program) -> Callable[[], None]:
    """Declare queues that were deleted: other programs may not, and re-drive publishes what was in them.

    Only those that are absent in two rounds: of a queue that is declared anew at once the broker may never tell its
    consumers that they lost it (seen with RabbitMQ 3.10).
    """
    before: set[str] = set()

    def restore() -> None:
        nonlocal before
        absent = program.absent_queues()
        if absent & before:
            log.warning("queues were deleted and are declared anew", queues=sorted(absent))
            program.declare()
        before = absent

    return restore


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        settings.writer_group_entries, settings.writer_group_seconds, settings.writer_group_bytes,
        lone_seconds=min(_LONE_SECONDS, settings.writer_group_seconds),
    )  # fmt: skip


def _weight(delivery: Delivery) -> int:
    return len(delivery.body)


def _redrive(program: Program, claims: ClaimCheck, store: OutcomeWriter) -> Loop:
    settings, stores = program.settings, program.stores
    lease = Lease(stores.couch, "redrive", settings.instance, settings.lease_seconds)
    redrive = Redrive(
        stores.couch, stores.ledger, claims, program.broker, program.activity, lease, settings.redrive_after_seconds,
        _waiting(settings), lambda job: _frontier(store.frontier, job, settings),
        lambda recipe: topology.work_queue(topology.pool_of(recipe, settings.pools)), _held(program),
    )  # fmt: skip
    return Loop(
        "redrive", redrive.turn, every_seconds=settings.redrive_every_seconds, at_once=False, at_end=lease.release,
        passing=_PASSING,
    )  # fmt: skip


def _held(program: Program) -> Held:
    settings = program.settings
    return Held(
        HeldJobs(program.stores.couch), lambda recipe: topology.pool_of(recipe, settings.pools),
        settings.lease_seconds, settings.dispatch_share,
    )  # fmt: skip


def _frontier(newest: dict[tuple[str, int, str | None], str], job: Job, settings: Settings) -> str:
    """The newest job which has its outcome of those that may not overtake this one: same pool, priority and owner."""
    pool = topology.pool_of(job.recipe, settings.pools)
    same = [
        found
        for (recipe, priority, owner), found in list(newest.items())
        if (priority, owner) == (job.priority, job.owner) and topology.pool_of(recipe, settings.pools) == pool
    ]
    return max(same, default="")


def _waiting(settings: Settings) -> Callable[[str], int | None]:
    """Messages which wait in a recipe's queue, and for the writer; None when the broker does not tell."""
    parameters = parameters_of(
        settings.amqp_url.get_secret_value(), f"redrive {settings.instance}", settings.tls_ca_file
    )

    def waiting(recipe: str) -> int | None:
        work = topology.work_queue(topology.pool_of(recipe, settings.pools))
        queues = [work, *topology.RESULTS_QUEUES, topology.EARLIER_RESULTS_QUEUE]
        try:
            return declaring.ready_at(parameters, queues)
        except pika.exceptions.AMQPError as error:
            log.warning("queue length unknown", queues=queues, error=repr(error))
            return None

    return waiting


if __name__ == "__main__":
    run("writer", main)
