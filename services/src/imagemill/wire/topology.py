"""The one place which names exchanges, queues and bindings; `declaring` makes them. Pure.

Declaring is idempotent. Every queue has a bound. It runs on RabbitMQ 3.10 and 4.x.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.settings import MEBIBYTE, Settings
from imagemill.wire.broker import OwnQueue

IMAGES = "images"
RESULTS = "results"
OUTCOMES = "outcomes"
DEAD = "dead"
ACTIVITY = "activity"
FRAMES = "frames"
EVENTS = "events"
SNAPSHOTS = "looks"
REPLIES = "replies"

_RESULTS_BY_JOB = "results.by-job"

# The number is part of the layout: a queue that is not there any more would keep its results.
RESULTS_QUEUES = tuple(f"results.{number}" for number in range(4))
# Where results of earlier versions wait; nothing new comes to it.
EARLIER_RESULTS_QUEUE = "results.store"
JOURNAL_QUEUE = "activity.journal"
ALERTER_QUEUE = "events.alerter"

# A result is stored or retried by the writer itself, so only a crash counts as a delivery.
RESULTS_DELIVERY_LIMIT = 1000
DEAD_MAX_BYTES = 256 * MEBIBYTE
JOURNAL_MAX_BYTES = 64 * MEBIBYTE
EVENTS_MAX_BYTES = 64 * MEBIBYTE
# Bytes are those of bodies only: without a bound of their number, messages with empty ones would fill a disk.
MAX_LENGTH = 100_000
REPLICA_QUEUE_MAX_LENGTH = 2000
SNAPSHOTS_TTL_MS = 3000
# Somebody sits before a page and waits: there are few, and what was not begun soon is not wanted any more.
TRIALS_MAX_LENGTH = 32
TRIALS_TTL_MS = 10_000
EVENT_KEY_LETTERS = 50


@dataclass(frozen=True)
class Queue:
    """A queue with its arguments and bindings: (exchange, routing key)."""

    name: str
    arguments: Mapping[str, Any]
    bindings: tuple[tuple[str, str], ...] = ()
    unbindings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Exchange:
    """An exchange with its arguments, and the exchanges of which it gets every message."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topology:
    """All that has to exist before messages flow."""

    exchanges: Mapping[str, Exchange] = field(default_factory=dict)
    queues: tuple[Queue, ...] = ()


def work_queue(pool: str) -> str:
    """The queue from which a pool's workers take."""
    return f"work.{pool}"


def dead_queue(pool: str) -> str:
    """Where a pool's messages end which were delivered too often."""
    return f"dead.{pool}"


def trials_queue(pool: str) -> str:
    """Where recipes that are to be tried wait for a pool's workers, whose rights it falls under."""
    return f"{work_queue(pool)}.trials"


def frames_queue(partition: int) -> str:
    """The queue of one share of the cameras."""
    return f"frames.{partition}"


def event_key(source: str, kind: str, change: str) -> str:
    """Routing key of an event's change; keys are short in AMQP, so of a long name only its beginning is in it."""
    return f"{source[:EVENT_KEY_LETTERS].replace('.', '-')}.{kind}.{change}"


def reader_queue(instance: str) -> str:
    """The queue of one camera reader: who wants to see a camera's newest frame."""
    return f"camera.{instance}"


def image_key(recipe: str) -> str:
    """Routing key of a picture."""
    return f"image.{recipe}"


def replica_queue(instance: str) -> str:
    """The queue of one API process: outcomes, activity and replies."""
    return f"api.{instance}"


def pool_of(recipe: str, pools: Mapping[str, list[str]]) -> str:
    """The pool which works on a recipe: the one which names it, else the one which takes `*`."""
    named = [pool for pool, recipes in pools.items() if recipe in recipes]
    return named[0] if named else next(pool for pool, recipes in pools.items() if "*" in recipes)


def shared(settings: Settings, recipes: Iterable[str]) -> Topology:
    """What all programs use."""
    names = list(recipes)
    pools = [queue for pool in settings.pools for queue in _pool_queues(pool, settings, names)]
    return Topology(
        exchanges={
            IMAGES: Exchange("topic"),
            RESULTS: Exchange("topic"),
            _RESULTS_BY_JOB: Exchange("x-consistent-hash", {"hash-property": "message_id"}, (RESULTS,)),
            OUTCOMES: Exchange("topic"),
            DEAD: Exchange("direct"),
            ACTIVITY: Exchange("topic"),
            FRAMES: Exchange("x-consistent-hash"),
            EVENTS: Exchange("topic"),
            SNAPSHOTS: Exchange("fanout"),
            REPLIES: Exchange("direct"),
        },
        queues=(*pools, *_results_queues(settings), _journal_queue(), *_frames_queues(settings), _alerter_queue()),
    )


def replica(instance: str) -> OwnQueue:
    """The queue of one API process. Replies come to it by its name, through an exchange of their own.

    Who answers must not be able to publish to any queue there is, as the default exchange would let it.
    """
    arguments = {"x-max-length": REPLICA_QUEUE_MAX_LENGTH, "x-overflow": "drop-head"}
    return OwnQueue(arguments, ((OUTCOMES, "#"), (ACTIVITY, "#"), (EVENTS, "#"), (REPLIES, replica_queue(instance))))


def reader() -> OwnQueue:
    """The queue of one camera reader. Nobody waits long for a snapshot, so old requests are not answered."""
    arguments = {
        "x-max-length": REPLICA_QUEUE_MAX_LENGTH,
        "x-overflow": "drop-head",
        "x-message-ttl": SNAPSHOTS_TTL_MS,
    }
    return OwnQueue(arguments, ((SNAPSHOTS, ""),))


def _pool_queues(pool: str, settings: Settings, recipes: list[str]) -> list[Queue]:
    own = tuple((IMAGES, image_key(name)) for name in recipes if pool_of(name, settings.pools) == pool)
    others = tuple((IMAGES, image_key(name)) for name in recipes if pool_of(name, settings.pools) != pool)
    work = {
        **_quorum(settings.work_max_bytes, settings.delivery_limit),
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": pool,
        "x-dead-letter-strategy": "at-least-once",
    }
    trials = {
        **_quorum(MEBIBYTE, settings.delivery_limit), "x-max-length": TRIALS_MAX_LENGTH, "x-message-ttl": TRIALS_TTL_MS
    }  # fmt: skip
    return [
        # First, so that at-least-once dead-lettering always finds its target.
        Queue(dead_queue(pool), _quorum(DEAD_MAX_BYTES, RESULTS_DELIVERY_LIMIT), ((DEAD, pool),)),
        Queue(work_queue(pool), work, (*own, (IMAGES, work_queue(pool))), unbindings=others),
        Queue(trials_queue(pool), trials, ((IMAGES, trials_queue(pool)),)),
    ]


def _results_queues(settings: Settings) -> list[Queue]:
    # Results of one job are in one queue, and one writer at a time takes from it: of two, the first one counts.
    each = settings.results_max_bytes // len(RESULTS_QUEUES)
    arguments = {**_quorum(each, RESULTS_DELIVERY_LIMIT), "x-single-active-consumer": True}
    by_job = [Queue(name, arguments, ((_RESULTS_BY_JOB, "10"),)) for name in RESULTS_QUEUES]
    earlier = _quorum(settings.results_max_bytes, RESULTS_DELIVERY_LIMIT)
    return [*by_job, Queue(EARLIER_RESULTS_QUEUE, earlier, unbindings=((RESULTS, "#"),))]


def _journal_queue() -> Queue:
    # The journal is a convenience, not the truth: under pressure the oldest records go.
    arguments = {
        "x-queue-type": "quorum",
        "x-max-length-bytes": JOURNAL_MAX_BYTES,
        "x-max-length": MAX_LENGTH,
        "x-overflow": "drop-head",
    }
    return Queue(JOURNAL_QUEUE, arguments, ((ACTIVITY, "#"),))


def _frames_queues(settings: Settings) -> list[Queue]:
    # A frame that is late is worth nothing: the oldest go first, by bytes and by age. One consumer at a time keeps a
    # camera's frames in order; the routing key is the camera, and "10" its queue's share of the hash ring.
    arguments = {
        "x-queue-type": "quorum",
        "x-max-length-bytes": settings.frames_max_bytes,
        "x-max-length": MAX_LENGTH,
        "x-overflow": "drop-head",
        "x-message-ttl": int(settings.frames_ttl_seconds * 1000),
        "x-single-active-consumer": True,
    }
    return [Queue(frames_queue(number), arguments, ((FRAMES, "10"),)) for number in range(settings.frame_partitions)]


def _alerter_queue() -> Queue:
    # One consumer at a time: rules count earlier alerts, so an event is judged after those before it.
    arguments = {**_quorum(EVENTS_MAX_BYTES, RESULTS_DELIVERY_LIMIT), "x-single-active-consumer": True}
    return Queue(ALERTER_QUEUE, arguments, ((EVENTS, "#"),))


def _quorum(max_bytes: int, delivery_limit: int) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-max-length-bytes": max_bytes,
        "x-max-length": MAX_LENGTH,
        "x-overflow": "reject-publish",
        "x-delivery-limit": delivery_limit,
    }
