"""Recipes that are tried: asked for by the API, answered by a worker, few at a time and never for long."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest

from imagemill import recipes
from imagemill.api.images import trials
from imagemill.api.images.trials import Trials
from imagemill.api.web.problems import Problem
from imagemill.domain.errors import Busy, NoAnswer
from imagemill.domain.images import Image, ImageInfo, Job
from imagemill.wire.broker import BrokerUnavailable, Delivery, Outgoing, Refused, Unroutable
from imagemill.wire.trials import TrialFacts, TrialFailure, TrialReply, parse_request, reply_message

RECIPES = recipes.load(None)
ORIGINAL = ImageInfo(sha256="0" * 64, bytes=3, width=8, height=4, content_type="image/jpeg")
RESULT = ImageInfo(sha256="1" * 64, bytes=5, width=8, height=4, content_type="image/png")
IMAGE = Image(
    job=Job(
        id="a", batch="b", name="a.jpg", recipe="gray", recipe_steps="[]", recipe_digest="", original=ORIGINAL,
        accepted_at="2026-01-01T00:00:00.000Z", by="api-1",
    ),
    outcome=None,
)  # fmt: skip
FACTS = TrialFacts(result=RESULT, seconds=0.25)


def delivered(message: Outgoing) -> Delivery:
    """As it arrives."""
    properties = SimpleNamespace(type=message.type, reply_to=message.reply_to)
    return cast("Delivery", SimpleNamespace(body=message.body, headers=message.headers, properties=properties))


class Workers:
    """Workers that answer each trial with what they are given; `asked` are the queues that it went to."""

    def __init__(self, *answers: Callable[[str], TrialReply]) -> None:
        self.answers, self.asked = answers, list[str]()
        self.trials = Trials("api.1", self.publish, {"default": ["*"], "heavy": ["denoise"]}, limit_seconds=0.2)

    def publish(self, message: Outgoing) -> None:
        request = parse_request(delivered(message))
        assert (request.reply_to, request.original) == ("api.1", ORIGINAL)
        assert request.recipe_steps == RECIPES[request.recipe].canonical
        self.asked.append(message.key)
        for answer in self.answers:
            self.trials.arrived(delivered(reply_message(answer(request.id), "api.1")))


def begun(trial: str) -> TrialReply:
    return TrialReply(trial, "begun")


def made(facts: TrialFacts = FACTS) -> Callable[[str], TrialReply]:
    return lambda trial: TrialReply(trial, "made", facts, b"bytes")


def failed(code: str) -> Callable[[str], TrialReply]:
    return lambda trial: TrialReply(trial, "failed", TrialFailure(code=code, reason="It cannot be."))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_BEGIN_SECONDS", 0.2)


@pytest.mark.parametrize(("recipe", "queue"), [("edges", "work.default.trials"), ("denoise", "work.heavy.trials")])
def test_a_worker_of_the_recipes_pool_makes_the_result(recipe: str, queue: str) -> None:
    workers = Workers(begun, made())
    trial = workers.trials.tried(IMAGE, RECIPES[recipe])
    assert (trial.data, trial.content_type, workers.asked) == (b"bytes", "image/png", [queue])
    assert trial.told() == {
        "content_type": "image/png", "width": 8, "height": 4, "bytes": 5, "seconds": 0.25, "warnings": [],
        "is_preview": False,
    }  # fmt: skip


def test_a_result_that_is_too_large_to_be_sent_is_told_and_its_preview_shown() -> None:
    facts = TrialFacts(result=RESULT, seconds=1, is_preview=True, is_damaged=True)
    trial = Workers(begun, made(facts)).trials.tried(IMAGE, RECIPES["edges"])
    assert trial.content_type == "image/webp"
    assert (trial.told()["content_type"], trial.told()["warnings"]) == ("image/png", ["damaged"])


@pytest.mark.parametrize(
    ("code", "status"), [("undecodable", 422), ("original-missing", 410), ("unavailable", 503), ("crashed", 422)]
)
def test_why_there_is_no_result_is_told_as_of_a_picture_that_failed(code: str, status: int) -> None:
    with pytest.raises(Problem, match=r"^It cannot be\.$") as error:
        Workers(begun, failed(code)).trials.tried(IMAGE, RECIPES["edges"])
    assert (error.value.status, error.value.code, error.value.members) == (status, code, {"image": "a"})


@pytest.mark.parametrize(("answers", "words"), [((), "was free"), ((begun,), "or is gone")])
def test_without_a_worker_that_is_said_soon(answers: tuple[Callable[[str], TrialReply], ...], words: str) -> None:
    with pytest.raises(NoAnswer, match=words) as error:
        Workers(*answers).trials.tried(IMAGE, RECIPES["edges"])
    assert error.value.code == "no-worker"


@pytest.mark.parametrize(
    ("refusal", "error"), [(Refused(), Busy), (Unroutable(), NoAnswer), (BrokerUnavailable("away"), BrokerUnavailable)]
)
def test_a_queue_that_is_full_or_missing_is_told(refusal: Exception, error: type[Exception]) -> None:
    def publish(_: Outgoing) -> None:
        raise refusal

    with pytest.raises(error):
        Trials("api.1", publish, {"default": ["*"]}, limit_seconds=1).tried(IMAGE, RECIPES["edges"])


def test_the_api_waits_for_a_few_only_and_again_when_those_have_ended() -> None:
    going, waiting = threading.Event(), threading.Semaphore(0)

    def publish(_: Outgoing) -> None:
        waiting.release()
        going.wait(60)

    asked = Trials("api.1", publish, {"default": ["*"]}, limit_seconds=0.1)
    with ThreadPoolExecutor(trials._AT_ONCE) as pool:
        answers = [pool.submit(asked.tried, IMAGE, RECIPES["edges"]) for _ in range(trials._AT_ONCE)]
        for _ in answers:
            assert waiting.acquire(timeout=60)
        with pytest.raises(Busy, match="tried already"):
            asked.tried(IMAGE, RECIPES["edges"])
        going.set()
        assert {type(answer.exception()) for answer in answers} == {NoAnswer}
    with pytest.raises(NoAnswer):
        asked.tried(IMAGE, RECIPES["edges"])
