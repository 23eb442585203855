"""Our programs, made of our own classes; only what would be threads and sockets is the simulation's."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from imagemill.api.images.dispatch import Dispatcher
from imagemill.api.images.group_commit import CommitEntry, GroupCommit, NewJob
from imagemill.api.images.identity import Identities, Identity
from imagemill.api.images.shares import Shares
from imagemill.concurrency.grouping import Bounds
from imagemill.domain.blobs import sha256
from imagemill.domain.ids import timestamp
from imagemill.domain.images import ImageInfo, Job
from imagemill.domain.purging import PurgeTimes
from imagemill.recipes import Picture
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.conflicts import Conflicts
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.store.held_jobs import HeldJobs
from imagemill.store.leases import Lease
from imagemill.store.ledger import Ledger
from imagemill.store.purges import PurgeWatch
from imagemill.wire import topology
from imagemill.wire.broker import BrokerUnavailable, Delivery
from imagemill.wire.work import ClaimCheck, WorkItem
from imagemill.worker.consumer_threads import ConsumerThreads
from imagemill.worker.recipe_runner import RecipeRunner
from imagemill.writer.__main__ import _frontier
from imagemill.writer.eraser import Eraser
from imagemill.writer.held import Held
from imagemill.writer.redrive import Redrive
from imagemill.writer.store import OutcomeWriter
from simulation.patches import STAGE, Event
from simulation.rabbitmq import RESULTS_QUEUES
from simulation.scenario import Client
from simulation.scheduler import FOREVER

POOLS = {"default": ["*"], "heavy": ["heavy"]}
REDRIVE_AFTER_SECONDS = 300.0
_REDRIVE_EVERY_SECONDS = 150.0
_ERASE_EVERY_SECONDS = 30.0
_LEASE_SECONDS = 200.0
_INLINE_MAX_BYTES = 12
_PREFETCH = 1
_CRASH_LIMIT = 3
_SETTLING_SECONDS = 20.0
PURGE_TIMES = PurgeTimes(150.0)
_PASSING = (StoreUnavailable, Conflict, BrokerUnavailable)
# So small that a few pictures of one owner have to wait.
_SHARE = 1
_SHARE_SECONDS = 60.0
_DISPATCH_EVERY_SECONDS = 50.0
ACTIVITY: Any = SimpleNamespace(note=lambda *_, **__: None)


def _pool_of(recipe: str) -> str:
    return topology.pool_of(recipe, POOLS)


class Parts:
    """What each program has: its connections, and the stores on top of them."""

    def __init__(self, world: Any, process: Any) -> None:
        self.world, self.process = world, process
        self.couch: Any = world.couch_of(process)
        self.broker: Any = world.broker_of(process)
        self.ledger, self.blobs = Ledger(self.couch), CouchBlobs(self.couch)
        self.claims = ClaimCheck(self.blobs, _INLINE_MAX_BYTES)
        self.purges = PurgeWatch(self.couch, PURGE_TIMES, clock=STAGE.monotonic)

    def loop(self, turn: Callable[[], Any], every_seconds: float) -> None:
        """As `Loop` does it: what passes is tried again; by anything else the program ends, and is started again."""

        def again() -> None:
            STAGE.sleep(every_seconds * 0.5)
            while True:
                try:
                    turn()
                except _PASSING as error:
                    self.world.scheduler.tell(f"tries again later: {error!r}")
                STAGE.sleep(every_seconds)

        self.world.scheduler.spawn(self.process, again)

    def consume(self, queue: str, on_delivery: Callable[[Delivery], None]) -> None:
        """A consumer in a thread of its own."""
        self.world.scheduler.spawn(
            self.process, lambda: self.world.rabbit.consume(self.process, queue, _PREFETCH, on_delivery)
        )


class Api:
    """Takes pictures in."""

    def __init__(self, world: Any, process: Any) -> None:
        parts = self._parts = Parts(world, process)
        self._identities = Identities(parts.ledger, clock=STAGE.time)
        self.dispatcher = Dispatcher(
            Shares(_SHARE, _SHARE_SECONDS, clock=STAGE.monotonic), parts.ledger, parts.broker, parts.claims,
            HeldJobs(parts.couch), process.name, _LEASE_SECONDS, _pool_of,
        )  # fmt: skip
        self._commit = GroupCommit(
            parts.ledger, parts.broker, parts.claims, ACTIVITY, self.dispatcher, process.name, Bounds(10, 1),
            _SETTLING_SECONDS, parts.purges,
        )  # fmt: skip
        parts.loop(self.dispatcher._round, _DISPATCH_EVERY_SECONDS)

    def take(self, client: Client) -> str:
        """The steps of `intake`, for one picture; raises what they raise."""
        data, recipe, key = client.data, client.recipe, client.key
        self._commit.check_open()
        info = ImageInfo(sha256=sha256(data), bytes=len(data), width=1, height=1, content_type="image/png")
        seen_at = self._parts.purges.now()
        self._parts.purges.check([info.sha256], seen_at)
        is_new = self._parts.blobs.put(info.sha256, data, info.content_type)
        (job_id,) = self._identities.ids([Identity(key, f"{info.sha256}:{recipe}")])
        job = Job(
            id=job_id, batch="batch", name=str(client.number), recipe=recipe, recipe_steps="[]", recipe_digest=recipe,
            original=info, accepted_at=timestamp(), by=self._parts.process.name, priority=client.priority,
            owner=client.owner,
        )  # fmt: skip
        inline = data if len(data) <= _INLINE_MAX_BYTES else None
        entry = CommitEntry([NewJob(job, inline, seen_at, None, is_new)], [])
        self._commit._handle([entry])
        entry.committed.result(0)
        return job_id


class ModelRunner(RecipeRunner):
    """Takes its time and returns a picture; a suspicious one is counted before, as ever."""

    def __init__(self, by: str, seconds: float) -> None:
        super().__init__(None, by)  # type: ignore[arg-type]
        self._seconds = seconds

    def _picture(self, item: WorkItem, original: bytes, begin: Callable[[], None]) -> Picture:
        if item.suspicious:
            begin()
        STAGE.sleep(self._seconds)
        result = b"done " + original
        return Picture(result, "image/png", 1, 1, preview=b"small " + result, preview_of_original=b"small " + original)


def worker(world: Any, process: Any, pool: str) -> None:
    """Works on the pictures of a pool."""
    parts = Parts(world, process)
    stores: Any = SimpleNamespace(ledger=parts.ledger, couch=parts.couch)
    consumers = ConsumerThreads(
        ModelRunner(process.name, world.work_seconds), parts.claims, stores, parts.broker, ACTIVITY, 0, _CRASH_LIMIT,
        parts.purges,
    )  # fmt: skip
    inbox: list[Delivery] = []

    def work() -> None:
        while True:
            if inbox:
                consumers._take(inbox.pop(0))
                world.scheduler.ring()  # the result may wait to be stored now
            world.scheduler.pause(FOREVER, until=lambda: inbox)

    def store() -> None:
        while True:
            if not consumers._outbox.empty():
                consumers._hand_over(*consumers._outbox.get(), attempt=1)
            world.scheduler.pause(FOREVER, until=lambda: not consumers._outbox.empty())

    parts.consume(topology.work_queue(pool), inbox.append)
    for thread in (work, store, store):
        world.scheduler.spawn(process, thread)


def writer(world: Any, process: Any) -> None:
    """Stores results, publishes again what was lost, and removes second versions."""
    parts = Parts(world, process)
    inbox: list[Delivery] = []

    def defer(delivery: Delivery) -> None:
        world.scheduler.spawn(process, lambda: (inbox.append(delivery), world.scheduler.ring()), after=20.0)

    store = OutcomeWriter(
        parts.blobs, parts.ledger, parts.claims, parts.broker, ACTIVITY, process.name, 1, Event(),  # type: ignore[arg-type]
        parts.purges, defer,
    )  # fmt: skip
    queues = (*RESULTS_QUEUES, *map(topology.dead_queue, POOLS))
    for queue in queues:
        parts.consume(queue, inbox.append)

    def group() -> None:
        while True:
            if inbox:
                taken, inbox[:] = inbox[:], []
                store.handle(taken)
            world.scheduler.pause(FOREVER, until=lambda: inbox)

    world.scheduler.spawn(process, group)

    def waiting(recipe: str) -> int | None:
        names = [topology.work_queue(_pool_of(recipe)), *RESULTS_QUEUES]
        return int(world.rabbit.ready_in(names))

    def lease(duty: str) -> Lease:
        return Lease(parts.couch, duty, process.name, _LEASE_SECONDS, clock=STAGE.monotonic)

    settings: Any = SimpleNamespace(pools=POOLS)
    redrive = Redrive(
        parts.couch, parts.ledger, parts.claims, parts.broker, ACTIVITY, lease("redrive"), REDRIVE_AFTER_SECONDS,
        waiting, lambda job: _frontier(store.frontier, job, settings),
        lambda recipe: topology.work_queue(_pool_of(recipe)),
        Held(HeldJobs(parts.couch), _pool_of, _LEASE_SECONDS, _SHARE, clock=STAGE.monotonic),
    )  # fmt: skip
    parts.loop(redrive.turn, _REDRIVE_EVERY_SECONDS)
    if any(client.erases_after is not None for client in world.clients):
        _erase(world, parts, lease("erase"))
    conflicts, duty = Conflicts(parts.couch), lease("conflicts")
    parts.loop(lambda: duty.hold() and conflicts.round(), _REDRIVE_EVERY_SECONDS)


def _erase(world: Any, parts: Parts, lease: Lease) -> None:
    eraser = Eraser(
        parts.couch, parts.ledger, parts.blobs, lease, ACTIVITY, PURGE_TIMES, world.couch.is_whole,
        clock=STAGE.monotonic,
    )  # fmt: skip
    parts.loop(eraser.turn, _ERASE_EVERY_SECONDS)
