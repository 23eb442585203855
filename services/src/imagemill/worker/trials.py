"""Trials: a recipe is tried on an original for somebody who waits. Nothing of it is stored or counted."""

import contextlib
import queue
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from prometheus_client import Counter

from imagemill.concurrency.loop import Loop, each
from imagemill.concurrency.retry import Stopped
from imagemill.domain.blobs import BlobStore
from imagemill.recipes import ImageError, Picture, Recipe
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.broker import BrokerUnavailable, Delivery, Outgoing
from imagemill.wire.trials import (
    RESULT_MAX_BYTES,
    TrialFacts,
    TrialFailure,
    TrialReply,
    TrialRequest,
    parse_request,
    reply_message,
)
from imagemill.wire.work import info_of
from imagemill.worker.isolation import Crashed, NotStarted
from imagemill.worker.recipe_runner import recipe_of

log = structlog.get_logger(__name__)
TRIALS = Counter("imagemill_worker_trials", "Recipes tried on originals, without storing anything", ["result"])
_GOODBYE_SECONDS = 1.0
_AWAY = TrialFailure(code="unavailable", reason="The worker does not reach the originals now; try again in a moment.")


class Children(Protocol):
    """Child processes that apply recipes."""

    def apply_first(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        """See IsolatedWorker."""


class TrialConsumer:
    """One at a time, in a child process whatever the settings say: a picture may be the one that takes workers down.

    The children are those of the pictures in work, so that a trial never takes more memory than they do.
    """

    def __init__(self, children: Children, blobs: BlobStore, submit: Callable[[Outgoing], object]) -> None:
        self._children, self._blobs, self._submit = children, blobs, submit
        self._inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._loop = Loop("trials", each(self._inbox, self._take))

    def start(self) -> None:
        """Begin to try."""
        self._loop.start()

    def put(self, delivery: Delivery) -> None:
        """Take a request in (in the connection's thread)."""
        self._inbox.put(delivery)

    def close(self, timeout_seconds: float) -> bool:
        """End. A trial in work is not waited for long: pictures in work are what the time is for."""
        self._loop.close(min(timeout_seconds, _GOODBYE_SECONDS))
        return True

    def _take(self, delivery: Delivery) -> None:
        # Settled first: who waits is told if this goes wrong, and one that ends its worker must not end the next one.
        delivery.ack()
        try:
            request = parse_request(delivery)
        except ValueError as error:
            log.error("not a trial", message_id=delivery.properties.message_id, error=str(error))
            return
        self._answer(request, TrialReply(request.id, "begun"))
        reply = self._tried(request)
        TRIALS.labels(reply.kind).inc()
        self._answer(request, reply)

    def _answer(self, request: TrialRequest, reply: TrialReply) -> None:
        with contextlib.suppress(BrokerUnavailable):  # whoever waits is told that nobody answered
            self._submit(reply_message(reply, request.reply_to))

    def _tried(self, request: TrialRequest) -> TrialReply:
        try:
            return self._made(request)
        except ImageError as error:
            failure = TrialFailure(code=error.code, reason=error.detail)
        except Crashed as error:
            failure = TrialFailure(code="crashed", reason=str(error))
        except LookupError as error:
            failure = TrialFailure(code="original-missing", reason=str(error))
        except (StoreUnavailable, NotStarted, Stopped) as error:
            log.warning("a trial could not be made", trial=request.id, error=str(error))
            failure = _AWAY
        return TrialReply(request.id, "failed", failure)

    def _made(self, request: TrialRequest) -> TrialReply:
        recipe = recipe_of(request.recipe, request.recipe_steps)
        original = self._blobs.get(request.original.sha256)
        began = time.monotonic()
        picture = self._children.apply_first(recipe, original, _never_again)
        seconds = time.monotonic() - began
        result = info_of(picture.data, picture.content_type, picture.width, picture.height)
        data, is_preview = _sendable(picture)
        facts = TrialFacts(result=result, seconds=seconds, is_damaged=picture.is_damaged, is_preview=is_preview)
        return TrialReply(request.id, "made", facts, data)


def _never_again() -> None:
    raise Crashed("the picture ended the process that tried the recipe on it")


def _sendable(picture: Picture) -> tuple[bytes, bool]:
    """The bytes, or those of the preview; whether it is that."""
    if len(picture.data) <= RESULT_MAX_BYTES:
        return picture.data, False
    if picture.preview is None:
        size = f"{len(picture.data) / 1e6:.1f} MB"
        raise ImageError("result-too-large", f"The result has {size}, too many to be shown without storing it.")
    return picture.preview, True
