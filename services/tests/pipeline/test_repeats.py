"""A request that is repeated is the same job, and an answer that is lost is no second picture."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from faulty_proxy import FaultyProxy, faulty
from imagemill.domain.ids import floor_at, uuid7
from mill import Mill, adds_up, wait_for
from pipeline.test_faults import FAST, jpegs
from pipeline.test_upload import broken_jpeg

BROKEN = b"GIF89a no picture"


@pytest.fixture
def proxy(couchdb_url: str) -> Iterator[FaultyProxy]:
    with faulty(couchdb_url) as made:
        yield made


@pytest.fixture
def mill(new_mill: Callable[..., Mill], amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Mill:
    return new_mill(amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), couchdb_timeout_seconds=4, **FAST)


def ids(answer: requests.Response) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [item["id"] for item in answer.json()["accepted"]]


@pytest.mark.parametrize("kind", ["fresh", "late", "early", "any"])
def test_the_same_key_is_the_same_job(mill: Mill, kind: str) -> None:
    mill.start("writer", "api")
    now = time.time()
    key = {"fresh": uuid7(), "late": floor_at(now - 7200), "early": floor_at(now + 7200), "any": "invoice-17"}[kind]
    (picture,) = jpegs(1)
    first = mill.upload(picture, key=key)
    second = mill.upload(picture, key=key)
    assert ids(first) == ids(second)
    assert first.json()["batch"] == second.json()["batch"]
    assert mill.totals()["accepted"] == 1
    mill.start("worker")
    counts = mill.all_ended()
    assert (counts["stored"], counts["duplicates"]) == (1, 0)
    third = mill.upload(picture, key=key)
    assert ids(third) == ids(first)
    assert not third.json()["accepted"][0]["duplicate"]
    assert mill.totals() == counts


def test_a_key_for_another_picture_or_recipe_is_another_job(mill: Mill) -> None:
    mill.start("writer", "api")
    one, other = jpegs(2)
    key = uuid7()
    made = {
        *ids(mill.upload(one, key=key)),
        *ids(mill.upload(other, key=key)),
        *ids(mill.upload(one, recipe="edges", key=key)),
    }
    assert len(made) == 3


def test_every_file_has_a_key_of_its_own_or_that_of_the_header(mill: Mill) -> None:
    mill.start("writer", "api")
    files = [("file", (f"{n}.jpg", data, "image/jpeg")) for n, data in enumerate([*jpegs(2), BROKEN])]

    def sent(**options: object) -> requests.Response:
        return mill.http.post(mill.url + "/api/v1/images", files=files, timeout=60, **options)  # type: ignore[arg-type]

    keys = [uuid7() for _ in files]
    first = sent(data={"key": keys})
    assert len(ids(first)) == 2
    assert ids(sent(data={"key": keys})) == ids(first)
    counts = mill.totals()
    assert (counts["accepted"], counts["rejected"]) == (2, 1)
    header = {"Idempotency-Key": '"' + uuid7() + '"'}
    again = sent(headers=header)
    assert len({*ids(again), *ids(first)}) == 4
    assert ids(sent(headers=header)) == ids(again)
    assert sent(headers=header).json()["batch"] == again.json()["batch"]
    assert mill.totals()["accepted"] == 4


def test_a_form_that_is_sent_twice_is_one_batch_with_one_picture(mill: Mill) -> None:
    mill.start("writer", "api")
    key = re.findall(r'name="key" value="(.*?)"', mill.get("/").text)[0]
    (picture,) = jpegs(1)
    sent = [
        mill.post("/upload", files=[("file", ("a.jpg", picture))], data={"key": key}, allow_redirects=False)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["Location"] == sent[1].headers["Location"]
    assert mill.totals()["accepted"] == 1


@pytest.mark.parametrize("keys", [["a b"], ["one", "two"], ["x" * 201]])
def test_what_is_no_key_is_refused(mill: Mill, keys: list[str]) -> None:
    mill.start("writer", "api")
    (picture,) = jpegs(1)
    answer = mill.post("/api/v1/images", files=[("file", ("a.jpg", picture))], data={"key": keys})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-key")
    assert mill.totals()["accepted"] == 0


def test_a_retry_that_is_repeated_is_one_new_job(mill: Mill) -> None:
    mill.start("writer", "api", "worker")
    (image_id,) = mill.accepted(broken_jpeg())
    assert mill.ended(image_id)["status"] == "failed"
    header = {"Idempotency-Key": uuid7()}
    answers = [mill.post(f"/api/v1/images/{image_id}/retry", headers=header) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert mill.all_ended()["accepted"] == 2


@pytest.mark.parametrize("kind", ["lose", "error"])
def test_an_answer_of_the_ledger_that_goes_wrong_once_is_one_accepted_job(
    mill: Mill, proxy: FaultyProxy, kind: str
) -> None:
    mill.start("writer", "worker")
    mill.start("api", COUCHDB_URL=proxy.url)
    fault = proxy.add(kind, "-ledger/_bulk_docs")
    mill.accepted(*jpegs(1))
    assert fault.met == 1
    counts = mill.all_ended()
    assert (counts["accepted"], counts["stored"]) == (1, 1)


def test_what_is_not_known_to_be_accepted_is_said_so_and_counts_once_when_it_is_repeated(
    mill: Mill, proxy: FaultyProxy
) -> None:
    mill.start("writer")
    mill.start("api", COUCHDB_URL=proxy.url)
    (picture,), key = jpegs(1), uuid7()
    fault = proxy.add("lose", "-ledger/_bulk_docs", times=1000)
    answer = mill.upload(picture, key=key)
    assert (answer.status_code, answer.json()["code"]) == (503, "accept-unknown")
    assert fault.met > 1
    fault.times = 0
    assert len(ids(mill.upload(picture, key=key))) == 1
    mill.start("worker")
    counts = mill.all_ended()
    assert (counts["accepted"], counts["stored"]) == (1, 1)
    assert adds_up(counts)


def test_a_ledger_that_refuses_has_accepted_nothing(mill: Mill, proxy: FaultyProxy) -> None:
    mill.start("writer")
    mill.start("api", COUCHDB_URL=proxy.url)
    fault = proxy.add("forbid", "-ledger/_bulk_docs")
    answer = mill.upload(*jpegs(1))
    assert (answer.status_code, answer.json()["code"], fault.met) == (503, "unavailable", 1)
    assert mill.totals()["accepted"] == 0


def test_what_too_few_nodes_took_is_written_again_before_it_counts(mill: Mill, proxy: FaultyProxy) -> None:
    mill.start("writer", COUCHDB_URL=proxy.url)
    mill.start("api", COUCHDB_URL=proxy.url)
    accepting = proxy.add("weaken", "-ledger/_bulk_docs")
    mill.accepted(*jpegs(2))
    recording = proxy.add("weaken", "-ledger/_bulk_docs", times=2)
    mill.start("worker")
    counts = mill.all_ended()
    assert accepting.met == 1
    wait_for(lambda: recording.met == 2, "outcomes that one node has to be written again")
    assert (counts["accepted"], counts["stored"], counts["failed"]) == (2, 2, 0)


def test_an_original_that_too_few_nodes_took_is_not_accepted(mill: Mill, proxy: FaultyProxy) -> None:
    mill.start("writer")
    mill.start("api", COUCHDB_URL=proxy.url)
    fault = proxy.add("weaken", "-blobs-", times=3, method="PUT")
    answer = mill.upload(*jpegs(1))
    assert (answer.status_code, answer.json()["code"], fault.met) == (503, "unavailable", 3)
    assert mill.totals()["accepted"] == 0


def test_the_result_of_a_job_which_the_ledger_has_not_has_no_outcome(mill: Mill, couchdb_prefix: str) -> None:
    mill.start("writer", "api")
    mill.accepted(*jpegs(2))
    # As after a restore: the broker is of today, the ledger of yesterday.
    mill.stop("writer")
    mill.start("worker")
    mill.stop("api")
    mill.start("writer", IMAGEMILL_COUCHDB_PREFIX=couchdb_prefix + "restored")
    wait_for(lambda: "imagemill_results_without_job_total 2.0" in mill.metrics("writer"), "both results to be dropped")
    mill.start("api", IMAGEMILL_COUCHDB_PREFIX=couchdb_prefix + "restored")
    counts = mill.totals()
    assert (counts["accepted"], counts["stored"], counts["in_flight"]) == (0, 0, 0)
