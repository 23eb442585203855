"""A picture fails for what it is, never for what happens around it: it is held, given back, or worked on again."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pika
import pytest

import pictures
from broker_faults import waiting_messages
from imagemill.concurrency.retry import Stopped
from imagemill.domain.images import Job, Outcome
from imagemill.local.couch import CouchServer
from imagemill.store.attempts import Attempts
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger
from imagemill.wire import declaring, topology
from imagemill.wire.broker import Broker, BrokerUnavailable, Delivery, Outgoing, parameters_of
from imagemill.wire.work import ClaimCheck, work_message
from imagemill.worker import holding
from imagemill.worker.consumer_threads import ConsumerThreads
from imagemill.worker.holding import original_of
from imagemill.worker.recipe_runner import Finished
from imagemill.writer.entries import message_to_republish
from mill import Mill, adds_up, wait_for
from pipeline.test_faults import FAST, PROGRAMS, jpegs

NO_CLAIMS = ClaimCheck(cast(Any, None), 1)


def said(mill: Mill, program: str, words: str) -> int:
    """How often a program's log has the words."""
    return (mill.folder / f"{program}.log").read_text("utf-8").count(words)


def take_and_die(amqp_url: str, queue: str) -> None:
    """Take a message and close the connection without settling it."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    wait_for(lambda: connection.channel().basic_get(queue)[0], "a delivery")
    connection.close()


def stored_pictures(mill: Mill) -> str:
    (line,) = [
        one for one in mill.metrics("worker").splitlines() if one.startswith("imagemill_worker_image_seconds_co")
    ]
    return line.split()[-1]


def test_a_database_that_is_away_for_a_while_fails_no_picture_of_any_size(
    new_mill: Callable[..., Mill], amqp_url: str, own_couch: CouchServer
) -> None:
    mill = new_mill(amqp_url, own_couch.url, delivery_limit=2, inline_max_bytes=100_000, **FAST).start("writer", "api")
    large = [pictures.photo_jpeg(1280, 720, seed, quality=95) for seed in range(4)]
    assert min(map(len, large)) > 100_000
    mill.accepted(*large, *jpegs(4))
    own_couch.kill()
    mill.start("worker", worker_threads=2)
    wait_for(lambda: said(mill, "worker", "a picture waits for CouchDB") >= 8, "the worker to try often")
    own_couch.start()
    counts = mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (8, 0)
    assert adds_up(counts)


@pytest.mark.parametrize("limit", [0, 10_000_000])
def test_a_worker_stores_results_above_the_limit_itself_and_sends_where_they_are(
    own_mill: Mill, amqp_url: str, couchdb_url: str, couchdb_prefix: str, limit: int
) -> None:
    own_mill.start("writer", "api", "worker", result_inline_max_bytes=limit)
    own_mill.stop("writer")
    (image_id,) = own_mill.accepted(*jpegs(1))
    parameters = parameters_of(amqp_url, "test")
    wait_for(lambda: declaring.ready_at(parameters, topology.RESULTS_QUEUES) == 1, "the result's message")
    original_and_result = 2
    stored = CouchBlobs(Couch(couchdb_url, couchdb_prefix.rstrip("-"))).count()
    assert stored == (original_and_result if limit == 0 else 1)
    own_mill.start("writer")
    assert own_mill.ended(image_id)["status"] == "stored"


def test_what_the_broker_gave_up_is_worked_on_again(
    new_mill: Callable[..., Mill], amqp_url: str, couchdb_url: str, couchdb_prefix: str
) -> None:
    mill = new_mill(amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), delivery_limit=2, **FAST).start("writer", "api")
    (image_id,) = mill.accepted(*jpegs(1))
    for _ in range(3):
        take_and_die(amqp_url, "work.default")
    wait_for(lambda: said(mill, "writer", "the broker gave a picture up"), "the dead letter")
    mill.start("worker")
    image = mill.ended(image_id)
    assert image["status"] == "stored"
    assert image["trace"][-1]["attempt"] > 1
    assert adds_up(mill.totals())


def test_an_unforeseen_error_ends_in_a_failure_with_its_reason_after_the_limit(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    (bad,) = own_mill.accepted(*jpegs(1, width=66))
    good = own_mill.accepted(*jpegs(3))
    own_mill.start("worker", module=[str(PROGRAMS / "erring_worker.py")], crash_limit=2)
    image = own_mill.ended(bad)
    assert (image["status"], image["code"]) == ("failed", "crashed")
    assert "a bug" in image["reason"]
    assert all(own_mill.ended(image_id)["status"] == "stored" for image_id in good)


def test_a_picture_whose_attempts_all_ended_their_worker_fails_before_it_ends_another(
    own_mill: Mill, amqp_url: str, couchdb_url: str, couchdb_prefix: str
) -> None:
    own_mill.start("writer", "api", crash_limit=3)
    (image_id,) = own_mill.accepted(*jpegs(1))
    take_and_die(amqp_url, "work.default")
    attempts = Attempts(Couch(couchdb_url, couchdb_prefix.rstrip("-")))
    assert [attempts.begin(image_id, attempt) for attempt in ("a", "b", "b", "c")] == [0, 1, 1, 2]
    own_mill.start("worker", crash_limit=3)
    image = own_mill.ended(image_id)
    assert (image["code"], image["reason"].split()[0]) == ("crashed", "3")


def test_a_child_process_that_was_killed_for_anothers_sake_is_no_verdict(
    own_mill: Mill, amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KILLED_ONCE", str(own_mill.folder / "killed-once"))
    own_mill.start("writer", "api")
    (image_id,) = own_mill.accepted(*jpegs(1))
    take_and_die(amqp_url, "work.default")  # now it is suspicious, and goes to the child process
    own_mill.start("worker", module=[str(PROGRAMS / "unlucky_worker.py")])
    assert own_mill.ended(image_id)["status"] == "stored"
    assert (own_mill.folder / "killed-once").exists()


def test_what_was_published_again_although_it_is_done_is_not_worked_on_again(
    own_mill: Mill, amqp_url: str, couchdb_url: str, couchdb_prefix: str
) -> None:
    own_mill.start("writer", "api", "worker")
    (image_id,) = own_mill.accepted(*jpegs(1))
    own_mill.ended(image_id)
    job = Ledger(Couch(couchdb_url, couchdb_prefix.rstrip("-"))).jobs([image_id])[image_id]
    broker = Broker(parameters_of(amqp_url, "test")).start()
    wait_for(lambda: broker.ready, "the connection")
    broker.publish(work_message(job, None, NO_CLAIMS, redriven=1))
    broker.close()
    (next_one,) = own_mill.accepted(*jpegs(1))
    own_mill.ended(next_one)
    assert stored_pictures(own_mill) == "2.0"
    assert waiting_messages(amqp_url, "work.default") == 0


class NoReplies:
    """A broker which takes results, and no replies."""

    ready = True

    def submit(self, message: Outgoing) -> "Future[None]":
        if message.type == "reply":
            raise BrokerUnavailable("no confirm")
        taken: Future[None] = Future()
        taken.set_result(None)
        return taken


def test_a_reply_that_cannot_be_sent_keeps_no_result_from_being_handed_over() -> None:
    acknowledged: list[bool] = []
    job = Job.model_validate(JOB)
    sent = work_message(job, b"picture", NO_CLAIMS, "api.1")
    delivery = SimpleNamespace(
        headers={"job": job.model_dump_json(), "redriven": 0}, properties=sent.properties(1), body=b"x",
        failed_deliveries=0, redelivered=False, channel_closed=False, ack=lambda: acknowledged.append(True),
    )  # fmt: skip
    failed = Outcome(id=job.id, batch="b", recipe="gray", status="failed", code="damaged")
    runner = SimpleNamespace(
        taken=lambda _: None, has_time_limit=lambda _: True, work_on=lambda item, *_: Finished(item, failed, b""),
    )  # fmt: skip
    stores = SimpleNamespace(ledger=None, couch=SimpleNamespace(database=lambda _: None))
    activity = SimpleNamespace(note=lambda *_, **__: None)
    threads = ConsumerThreads(
        cast(Any, runner),
        NO_CLAIMS,
        cast(Any, stores),
        cast(Any, NoReplies()),
        cast(Any, activity),
        1,
        6,
        cast(Any, SimpleNamespace(now=time.monotonic)),
    )
    threads._take(cast(Delivery, delivery))
    assert acknowledged == [True]
    assert threads.close(1)


class Claims:
    """A blob store which does not find anything at first."""

    def __init__(self, missing: int) -> None:
        self.missing = missing

    def check_out(self, _delivery: object) -> bytes:
        self.missing -= 1
        if self.missing >= 0:
            raise LookupError("no blob")
        return b"picture"


OURS = cast(Delivery, SimpleNamespace(channel_closed=False))


def test_one_answer_that_there_is_no_original_is_no_verdict() -> None:
    assert original_of(OURS, threading.Event(), cast(ClaimCheck, Claims(missing=2))) == b"picture"


def test_an_original_that_is_never_found_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_READS_OF_WHAT_IS_MISSING", 3)
    claims = Claims(missing=1000)
    with pytest.raises(LookupError):
        original_of(OURS, threading.Event(), cast(ClaimCheck, claims))
    assert claims.missing == 997


def test_a_delivery_whose_channel_was_closed_is_not_held() -> None:
    gone = cast(Delivery, SimpleNamespace(channel_closed=True))
    with pytest.raises(Stopped):
        original_of(gone, threading.Event(), cast(ClaimCheck, Claims(missing=0)))


@pytest.mark.parametrize(("redriven", "again"), [(0, 1), (2, 3), (3, None), (30, None)])
def test_a_dead_letter_goes_back_at_once_for_a_few_times_and_then_with_re_drives_patience(
    redriven: int, again: int | None
) -> None:
    job = Job.model_validate(JOB)
    sent = work_message(job, None, NO_CLAIMS, redriven=redriven)
    properties = sent.properties(1)
    delivery = cast(
        Delivery,
        SimpleNamespace(headers=sent.headers, properties=properties, failed_deliveries=7, redelivered=False),
    )
    message = message_to_republish(delivery, NO_CLAIMS)
    assert (message and message.headers["redriven"]) == again
    if message:
        assert message.headers["suspicious"]


JOB = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "batch": "b", "name": "n.jpg", "recipe": "gray", "recipe_steps": "[]",
    "recipe_digest": "d", "accepted_at": "2026-11-01T00:00:00.000Z", "by": "api",
    "original": {"sha256": "0" * 64, "bytes": 1, "width": 1, "height": 1, "content_type": "image/png"},
}  # fmt: skip
