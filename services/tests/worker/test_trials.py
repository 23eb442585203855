"""What a worker does with recipes that are to be tried."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from imagemill import recipes
from imagemill.concurrency.retry import Stopped
from imagemill.domain.blobs import BlobStore
from imagemill.domain.images import ImageInfo
from imagemill.recipes import ImageError, Picture, Recipe
from imagemill.store.couch import StoreUnavailable
from imagemill.wire import trials as wire
from imagemill.wire.broker import BrokerUnavailable, Delivery, Outgoing
from imagemill.wire.trials import TrialFacts, TrialFailure, TrialReply, TrialRequest, parse_reply
from imagemill.worker import trials
from imagemill.worker.isolation import Crashed, NotStarted
from imagemill.worker.trials import TrialConsumer
from mill import wait_for

EDGES = recipes.load(None)["edges"]
ORIGINAL = ImageInfo(sha256="0" * 64, bytes=3, width=8, height=4, content_type="image/jpeg")
REQUEST = TrialRequest(
    id="t", original=ORIGINAL, recipe="edges", recipe_steps=EDGES.canonical, reply_to="api.1"
)  # fmt: skip
PICTURE = Picture(b"result", "image/png", 8, 4, is_damaged=True, preview=b"webp", preview_of_original=None)


class Sent:
    """A worker's loop with children that do as they are told; `replies` are its answers."""

    def __init__(self, outcome: Picture | Exception, blob: Exception | None = None) -> None:
        self.replies, self.acknowledged, self.outcome, self.blob = list[TrialReply](), list[str](), outcome, blob
        self.trials = TrialConsumer(self, cast("BlobStore", self), self.submit)

    def apply_first(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        assert (recipe.canonical, data) == (EDGES.canonical, b"jpg")
        if isinstance(self.outcome, Crashed):
            begin()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def get(self, name: str) -> bytes:
        assert name == ORIGINAL.sha256
        if self.blob is not None:
            raise self.blob
        return b"jpg"

    def submit(self, message: Outgoing) -> None:
        assert (message.exchange, message.key) == ("replies", "api.1")
        self.replies.append(parse_reply(cast("Delivery", SimpleNamespace(headers=message.headers, body=message.body))))

    def take(self, body: bytes | None = None) -> list[TrialReply]:
        message = wire.request_message(REQUEST, "default")
        properties = SimpleNamespace(reply_to=message.reply_to, message_id="t")
        delivery = SimpleNamespace(
            body=message.body if body is None else body, properties=properties,
            ack=lambda: self.acknowledged.append("t"),
        )  # fmt: skip
        self.trials._take(cast("Delivery", delivery))
        return self.replies


def test_who_asked_is_told_that_it_has_begun_and_gets_the_result() -> None:
    begun, made = Sent(PICTURE).take()
    assert begun.has_begun
    assert isinstance(made.facts, TrialFacts)
    assert (made.kind, made.data, made.facts.result.bytes, made.facts.is_damaged) == ("made", b"result", 6, True)
    assert not made.facts.is_preview


def test_a_result_that_is_too_large_for_a_message_is_shown_by_its_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "RESULT_MAX_BYTES", 5)
    _, made = Sent(PICTURE).take()
    assert isinstance(made.facts, TrialFacts)
    assert (made.data, made.facts.is_preview, made.facts.result.bytes) == (b"webp", True, 6)
    without = Picture(b"result", "image/png", 8, 4, is_damaged=False, preview=None, preview_of_original=None)
    _, failed = Sent(without).take()
    assert isinstance(failed.facts, TrialFailure)
    assert failed.facts.code == "result-too-large"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Sent(ImageError("undecodable", "It ends too early.")), "undecodable"),
        (Sent(Crashed("")), "crashed"),
        (Sent(NotStarted("no memory")), "unavailable"),
        (Sent(Stopped("the shutdown")), "unavailable"),
        (Sent(PICTURE, LookupError("gone")), "original-missing"),
        (Sent(PICTURE, StoreUnavailable("away")), "unavailable"),
    ],
)
def test_why_there_is_no_result_is_told(sent: Sent, code: str) -> None:
    _, failed = sent.take()
    assert isinstance(failed.facts, TrialFailure)
    assert (failed.kind, failed.facts.code, bool(failed.facts.reason)) == ("failed", code, True)


def test_a_trial_is_settled_before_it_is_made_so_that_it_never_takes_a_second_worker_down() -> None:
    sent = Sent(RuntimeError("a bug"))
    with pytest.raises(RuntimeError):
        sent.take()
    assert sent.acknowledged == ["t"]


def test_what_is_no_trial_is_dropped() -> None:
    sent = Sent(PICTURE)
    assert sent.take(b"{}") == []
    assert sent.acknowledged == ["t"]


def test_a_trial_in_work_does_not_hold_up_a_shutdown_and_a_broker_that_is_away_ends_no_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "_GOODBYE_SECONDS", 0.05)
    sent = Sent(PICTURE)

    def away(_: Outgoing) -> None:
        raise BrokerUnavailable("away")

    slow = TrialConsumer(sent, cast("BlobStore", SimpleNamespace(get=lambda _: time.sleep(1) or b"jpg")), away)
    slow.start()
    message = wire.request_message(REQUEST, "default")
    properties = SimpleNamespace(reply_to=message.reply_to, message_id="t")
    slow.put(cast("Delivery", SimpleNamespace(
        body=message.body, properties=properties, ack=lambda: sent.acknowledged.append("t")
    )))  # fmt: skip
    wait_for(lambda: sent.acknowledged, "the trial to be taken")
    began = time.monotonic()
    assert slow.close(30)
    assert time.monotonic() - began < 1
