"""Requests that wait for their result, and what goes wrong meanwhile."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import pictures
from broker_faults import waiting_messages
from faulty_proxy import faulty
from imagemill.domain.images import Outcome
from imagemill.local.couch import CouchServer
from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger
from imagemill.wire.work import reply_message
from mill import Mill, wait_for


def outcome_of(image_id: str) -> Outcome:
    return Outcome(id=image_id, batch="b", recipe="gray", status="failed", code="damaged", reason="It is damaged.")


@pytest.mark.parametrize(("size", "replied"), [(0, True), (256 * 1024, True), (256 * 1024 + 1, False)])
def test_large_results_are_never_replied_through_the_queue_of_the_api(size: int, replied: bool) -> None:
    message = reply_message("api.1", outcome_of("1"), bytes(size))
    assert (message is not None) is replied


def test_a_large_result_is_the_answer_once_it_is_stored(own_mill: Mill) -> None:
    own_mill.start("writer", "api", "worker")
    data = pictures.photo_jpeg(1920, 1080, seed=uuid.uuid4().int % 2**32, quality=98)
    answer = own_mill.upload(data, wait="60")
    assert answer.status_code == 200
    assert len(answer.content) > 256 * 1024
    # It came out of its blob, so its outcome is there.
    assert own_mill.get(answer.headers["Location"]).json()["status"] == "stored"


def test_an_outcome_that_was_never_announced_is_found_in_the_ledger(
    own_mill: Mill, amqp_url: str, couchdb_url: str, couchdb_prefix: str
) -> None:
    own_mill.start("writer", "api")
    ledger = Ledger(Couch(couchdb_url, couchdb_prefix.rstrip("-")))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(own_mill.upload, pictures.photo_jpeg(96, 64), wait="60")
        wait_for(lambda: waiting_messages(amqp_url, "work.default") == 1, "the picture in the queue")
        ledger.record_outcomes([outcome_of(image_id) for image_id in ledger.newest_ids(1)])
        assert (answer.result().status_code, answer.result().json()["code"]) == (422, "damaged")


def test_who_waits_while_the_database_goes_away_is_answered_as_accepted(
    new_mill: Callable[..., Mill], amqp_url: str, own_couch: CouchServer
) -> None:
    mill = new_mill(amqp_url, own_couch.url).start("writer", "api")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(mill.upload, pictures.photo_jpeg(96, 64), wait="3")
        wait_for(lambda: waiting_messages(amqp_url, "work.default") == 1, "the picture in the queue")
        own_couch.kill()
        assert answer.result().status_code == 202
    own_couch.start()
    mill.start("worker")
    assert mill.all_ended()["stored"] == 1


def test_with_as_many_in_flight_as_may_be_uploads_are_refused_until_some_are_done(own_mill: Mill) -> None:
    own_mill.start("writer", "api", max_in_flight=2)
    own_mill.accepted(*(pictures.photo_jpeg(96, 64, seed) for seed in range(2)))
    assert wait_for(lambda: refusal(own_mill), "the door to close") == ("too-many-in-flight", "5")
    accepted = own_mill.totals()["accepted"]
    own_mill.start("worker")
    assert own_mill.all_ended()["accepted"] == accepted
    wait_for(lambda: not refusal(own_mill), "the door to open")


def test_while_the_clocks_differ_nothing_is_taken(own_mill: Mill, couchdb_url: str) -> None:
    with faulty(couchdb_url) as proxy:
        proxy.clock_ahead_seconds = 3600
        own_mill.start("writer")
        own_mill.start("api", COUCHDB_URL=proxy.url)
        assert wait_for(lambda: refusal(own_mill), "uploads to be refused") == ("clock-differs", "5")
        proxy.clock_ahead_seconds = -30
        wait_for(lambda: not refusal(own_mill), "uploads to be taken")


def refusal(mill: Mill) -> tuple[str, str] | None:
    answer = mill.upload(pictures.photo_jpeg(96, 64, uuid.uuid4().int % 2**31))
    return (answer.json()["code"], answer.headers["Retry-After"]) if answer.status_code == 503 else None
