"""A recipe tried on an original: a worker makes the result, whoever asked is shown it, and nothing is stored."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imagemill.api.images.bytes_there import with_bytes
from imagemill.api.live.questions import Questions, StillAllowed, everybody
from imagemill.api.web.problems import Problem
from imagemill.domain.errors import Busy, NoAnswer
from imagemill.domain.ids import uuid7
from imagemill.domain.images import Image
from imagemill.domain.previews import CONTENT_TYPE as PREVIEW_TYPE
from imagemill.recipes import Recipe
from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing, Refused, Unroutable
from imagemill.wire.trials import TrialFacts, TrialFailure, TrialReply, TrialRequest, parse_reply, request_message

# Each holds a thread of the API.
_AT_ONCE = 4
# What waits longer in its queue is dropped there.
_BEGIN_SECONDS = topology.TRIALS_TTL_MS / 1000 + 1
_STATUS = {"original-missing": 410, "unavailable": 503}


@dataclass(frozen=True)
class Trial:
    """The bytes of a result, or of its preview when it is too large, and the facts about it."""

    facts: TrialFacts
    data: bytes

    @property
    def content_type(self) -> str:
        """What the bytes are."""
        return PREVIEW_TYPE if self.facts.is_preview else self.facts.result.content_type

    def told(self) -> dict[str, Any]:
        """The facts as the API tells them."""
        result = self.facts.result
        return {
            "content_type": result.content_type, "width": result.width, "height": result.height,
            "bytes": result.bytes, "seconds": round(self.facts.seconds, 4),
            "warnings": ["damaged"] if self.facts.is_damaged else [], "is_preview": self.facts.is_preview,
        }  # fmt: skip


class Trials:
    """Has recipes tried, a few at a time, and waits for what comes of it; `pools` say which workers do what."""

    def __init__(
        self, reply_to: str, publish: Callable[[Outgoing], object], pools: Mapping[str, list[str]],
        limit_seconds: float, still_allowed: StillAllowed = everybody,
    ) -> None:  # fmt: skip
        self._reply_to, self._publish, self._pools, self._limit_seconds = reply_to, publish, pools, limit_seconds
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._questions: Questions[TrialReply] = Questions(still_allowed)

    def arrived(self, delivery: Delivery) -> None:
        """A worker's answer (in the connection's thread)."""
        self._questions.arrived(parse_reply(delivery))

    def tried(self, image: Image, recipe: Recipe) -> Trial:
        """What the recipe makes of the picture's original; raises Problem, Busy, NoAnswer or BrokerUnavailable."""
        original = with_bytes(image).job.original
        if not self._places.acquire(blocking=False):
            raise _busy(f"{_AT_ONCE} recipes are being tried already")
        try:
            pool = topology.pool_of(recipe.name, dict(self._pools))
            request = TrialRequest(
                id=uuid7(), original=original, recipe=recipe.name, recipe_steps=recipe.canonical,
                reply_to=self._reply_to,
            )  # fmt: skip
            return _trial_of(self._asked(request, pool), image.job.id, pool, self._limit_seconds)
        finally:
            self._places.release()

    def _asked(self, request: TrialRequest, pool: str) -> TrialReply | None:
        def publish() -> None:
            self._publish(request_message(request, pool))

        try:
            return self._questions.ask(request.id, publish, _BEGIN_SECONDS, self._limit_seconds)
        except Refused:
            raise _busy(f"As many recipes as may wait for the pool {pool!r} are to be tried already") from None
        except Unroutable:
            raise _no_worker(
                f"The pool {pool!r} has no queue for trials yet; its programs are being upgraded"
            ) from None


def _trial_of(reply: TrialReply | None, image_id: str, pool: str, limit_seconds: float) -> Trial:
    if reply is None:
        raise _no_worker(f"No worker of the pool {pool!r} was free to try it, or none runs")
    if isinstance(reply.facts, TrialFacts):
        return Trial(reply.facts, reply.data)
    if isinstance(reply.facts, TrialFailure):
        failure = reply.facts
        raise Problem(_STATUS.get(failure.code, 422), failure.code, failure.reason, image=image_id)
    raise _no_worker(f"The worker that tried it gave no answer within {limit_seconds:g} s, or is gone")


def _busy(what: str) -> Busy:
    return Busy("trials-busy", f"{what}; try again in a few seconds.")


def _no_worker(what: str) -> NoAnswer:
    return NoAnswer("no-worker", f"{what}; try again in a moment.")
