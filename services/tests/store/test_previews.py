"""Previews on their way to the database, and there: beside the bytes of a result, and never in the picture's way."""

from types import SimpleNamespace
from typing import Any, cast

import pika
import pytest

from imagemill.domain.blobs import sha256
from imagemill.domain.images import ImageInfo, Job, Outcome
from imagemill.domain.previews import MAX_BYTES
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch, Unstorable
from imagemill.wire.broker import Broker, Delivery, parameters_of
from imagemill.wire.work import ClaimCheck, previews_of, result_message, result_of
from mill import wait_for

RESULT, ORIGINAL = sha256(b"result"), sha256(b"original")
PREVIEWS = {RESULT: b"RIFF of the result", ORIGINAL: b"RIFF of the original"}


@pytest.fixture
def blobs(client: Couch) -> CouchBlobs:
    made = CouchBlobs(client)
    made.prepare()
    return made


def info(data: bytes) -> ImageInfo:
    return ImageInfo(sha256=sha256(data), bytes=len(data), width=9, height=9, content_type="image/png")


def job() -> Job:
    return Job(
        id="0190", batch="b", name="n.png", recipe="gray", recipe_steps="[]", recipe_digest="d",
        original=info(b"original"), accepted_at="2026-11-21T09:15:03.000Z", by="api",
    )  # fmt: skip


def outcome() -> Outcome:
    return Outcome(id="0190", batch="b", recipe="gray", status="stored", result=info(b"result"))


def test_previews_are_stored_with_their_result_and_are_no_orphans(blobs: CouchBlobs) -> None:
    assert blobs.put(RESULT, b"result", "image/png", PREVIEWS)
    assert blobs.get(RESULT) == b"result"
    assert blobs.content_type(RESULT) == "image/png"
    assert blobs.preview(RESULT, RESULT) == b"RIFF of the result"
    assert blobs.preview(RESULT, ORIGINAL) == b"RIFF of the original"
    assert [name for page in blobs.all_names() for name in page] == [RESULT]


def test_what_has_no_preview_says_so(blobs: CouchBlobs) -> None:
    blobs.put(RESULT, b"result", "image/png")
    assert blobs.preview(RESULT, RESULT) is None
    assert blobs.preview(ORIGINAL, ORIGINAL) is None


def test_a_result_that_is_there_already_is_known_and_keeps_its_previews(blobs: CouchBlobs) -> None:
    blobs.put(RESULT, b"result", "image/png", PREVIEWS)
    assert not blobs.put(RESULT, b"result", "image/png", {RESULT: b"another"})
    assert not blobs.put(RESULT, b"result", "image/png")
    assert blobs.preview(RESULT, RESULT) == b"RIFF of the result"


def test_repair_replaces_the_bytes_and_leaves_the_previews(blobs: CouchBlobs) -> None:
    blobs.put(RESULT, b"damaged", "image/png", PREVIEWS)
    blobs.replace(RESULT, b"result", "image/png")
    assert blobs.get(RESULT) == b"result"
    assert blobs.preview(RESULT, ORIGINAL) == b"RIFF of the original"


def test_a_database_that_refuses_previews_gets_the_result_alone(
    blobs: CouchBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unstorable("too many parts")

    monkeypatch.setattr(blobs._database_of(RESULT), "put_with_files", refuse)
    assert blobs.put(RESULT, b"result", "image/png", PREVIEWS)
    assert blobs.get(RESULT) == b"result"
    assert blobs.preview(RESULT, RESULT) is None


def test_previews_of_a_result_that_rides_along_ride_with_it(amqp_url: str) -> None:
    message = result_message(job(), outcome(), b"result", ClaimCheck(cast(Any, None), 100), PREVIEWS)
    found = _sent(amqp_url, message)
    assert found.body == b"result"
    assert previews_of(found) == PREVIEWS
    assert result_of(found) == (job(), outcome())


def test_a_result_that_its_worker_stores_takes_its_previews_along() -> None:
    stored: list[tuple[object, ...]] = []
    blobs = cast(Any, SimpleNamespace(put=lambda *what: stored.append(what)))
    message = result_message(job(), outcome(), b"result", ClaimCheck(blobs, 3), PREVIEWS)
    assert stored == [(RESULT, b"result", "image/png", PREVIEWS)]
    assert (message.body, message.extras) == (b"", {})


def test_the_largest_previews_fit_into_a_frame_of_the_usual_size() -> None:
    previews = {RESULT: bytes(MAX_BYTES), ORIGINAL: bytes(MAX_BYTES)}
    message = result_message(job(), outcome(), b"result", ClaimCheck(cast(Any, None), 100), previews)
    assert len(_previews(message.properties(1, frame_max=131_072))) == 2
    assert len(pika.BasicProperties.encode(message.properties(1, frame_max=131_072))) > 0


def test_where_frames_are_smaller_a_result_goes_without_previews() -> None:
    previews = {RESULT: bytes(MAX_BYTES), ORIGINAL: bytes(MAX_BYTES)}
    message = result_message(job(), outcome(), b"result", ClaimCheck(cast(Any, None), 100), previews)
    properties = message.properties(1, frame_max=32_768)
    assert _previews(properties) == []
    assert properties.headers["outcome"]
    assert sum(map(len, properties.encode())) < 32_768


def _previews(properties: pika.BasicProperties) -> list[str]:
    return [name for name in properties.headers if name.startswith("preview-")]


def _sent(url: str, message: Any) -> Delivery:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
    connection.channel().exchange_declare(message.exchange, "topic")
    connection.channel().queue_bind("q", message.exchange, "#")
    connection.close()
    arrived: list[Delivery] = []
    broker = Broker(parameters_of(url, "test"))
    broker.consume("q", arrived.append, 1)
    broker.start()
    wait_for(lambda: broker.ready, "the connection")
    broker.publish(message)
    wait_for(lambda: arrived, "the message")
    broker.close()
    return arrived[0]
