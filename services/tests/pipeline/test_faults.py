"""Whatever is killed on the way: nothing accepted is lost, nothing is counted twice."""

import json
import re
import signal
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pika
import pytest
import requests

import pictures
from broker_faults import waiting_messages
from imagemill.domain.ids import made_at
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, adds_up, wait_for

PROGRAMS = Path(__file__).parent / "programs"
FAST = {"redrive_every_seconds": 0.5, "lease_seconds": 5}
REDRIVE_AFTER_SECONDS = 1


def jpegs(count: int, width: int = 96) -> list[bytes]:
    start = uuid.uuid4().int % 2**31
    return [pictures.photo_jpeg(width, 64, start + n) for n in range(count)]


def purge(amqp_url: str, *queues: str) -> int:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    try:
        channel = connection.channel()
        return sum(channel.queue_purge(queue).method.message_count for queue in queues)
    finally:
        connection.close()


def redriven(mill: Mill, writer: str) -> int:
    """How many jobs a writer has published again."""
    found = re.search(r"^imagemill_redriven_total (\S+)$", mill.metrics(writer), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def oldest_seconds(mill: Mill) -> float:
    """As the writer's last round of re-drive found it."""
    found = re.search(r"^imagemill_oldest_in_flight_seconds (\S+)$", mill.metrics("writer"), re.MULTILINE)
    assert found is not None
    return float(found[1])


def answer_of(mill: Mill, data: bytes) -> int:
    try:
        return mill.upload(data).status_code
    except requests.RequestException:
        return 0


def test_couchdb_down_at_accept_is_a_503_and_works_again_after(
    new_mill: Callable[..., Mill], amqp_url: str, own_couch: CouchServer
) -> None:
    mill = new_mill(amqp_url, own_couch.url, **FAST).start("writer", "api", "worker")
    mill.accepted(*jpegs(2))
    before = mill.all_ended()
    own_couch.stop()
    answer = mill.upload(*jpegs(1))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    own_couch.start()
    assert mill.totals() == before
    wait_for(lambda: answer_of(mill, jpegs(1)[0]) == 202, "the api to accept again")
    counts = mill.all_ended()
    assert counts["stored"] == counts["accepted"] == 3


def test_broker_down_at_accept_is_a_503_and_works_again_after(
    new_mill: Callable[..., Mill], own_rabbit: RabbitServer, couchdb_url: str, couchdb_prefix: str
) -> None:
    mill = new_mill(own_rabbit.amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), **FAST).start(
        "writer", "api", "worker"
    )
    mill.accepted(*jpegs(2))
    before = mill.all_ended()
    own_rabbit.stop()
    wait_for(lambda: not mill.is_ready("api"), "the api to notice")
    answer = mill.upload(*jpegs(1))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    own_rabbit.start()
    wait_for(lambda: mill.is_ready("api"), "the api to be ready again")
    assert mill.totals()["accepted"] == before["accepted"]
    wait_for(lambda: answer_of(mill, jpegs(1)[0]) == 202, "the api to accept again")
    assert mill.all_ended()["stored"] == 3


def test_couchdb_away_while_results_come_loses_none(
    new_mill: Callable[..., Mill], amqp_url: str, own_couch: CouchServer
) -> None:
    mill = new_mill(amqp_url, own_couch.url, **FAST).start("writer", "api")
    mill.accepted(*jpegs(30))
    own_couch.kill()
    mill.start("worker")
    wait_for(lambda: waiting_messages(amqp_url, "work.default") == 0, "the worker to finish")
    own_couch.start()
    counts = mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (30, 0)
    assert adds_up(counts)


@pytest.mark.parametrize("queue", ["work.default", "results.1", "dead.default"])
def test_a_queue_that_was_deleted_is_declared_again_although_only_the_writer_may(
    own_mill: Mill, amqp_url: str, queue: str
) -> None:
    own_mill.start("writer", redrive_after_seconds=REDRIVE_AFTER_SECONDS)
    own_mill.start("api", "worker", prepare=False)
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().queue_delete(queue)
    wait_for(lambda: answer_of(own_mill, jpegs(1)[0]) == 202, "the api to accept again")
    wait_for(lambda: own_mill.is_ready("api"), "the api to be ready again")
    own_mill.accepted(*jpegs(2))
    counts = own_mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (counts["accepted"], 0)
    assert adds_up(counts)


def test_a_worker_killed_in_mid_image_loses_nothing(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    own_mill.accepted(*jpegs(6, width=66), recipe="denoise")
    own_mill.start("worker", module=[str(PROGRAMS / "hanging_worker.py")], pool="heavy")
    wait_for(lambda: "imagemill_worker_busy 1.0" in own_mill.metrics("worker"), "a picture in work")
    own_mill.kill("worker")
    own_mill.start("worker", pool="heavy")
    counts = own_mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (6, 0)


def test_a_picture_that_kills_its_worker_fails_alone(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    good = own_mill.accepted(*jpegs(5))
    (bad,) = own_mill.accepted(*jpegs(1, width=66))
    good += own_mill.accepted(*jpegs(5))
    crashing, in_thread = [str(PROGRAMS / "crashing_worker.py")], {"contained_decoding": False}
    own_mill.launch("worker", crashing, in_thread)
    wait_for(lambda: not own_mill.running("worker"), "the worker to die")
    own_mill.start("worker", module=crashing, **in_thread)
    counts = own_mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (10, 1)
    failed = own_mill.image(bad)
    assert (failed["status"], failed["code"]) == ("failed", "crashed")
    assert failed["trace"][-1]["attempt"] == 2
    assert own_mill.running("worker")
    assert all(own_mill.image(image_id)["status"] == "stored" for image_id in good)


def test_a_picture_that_kills_its_decoder_fails_at_once_and_the_worker_lives(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    good = own_mill.accepted(*jpegs(5))
    (bad,) = own_mill.accepted(*jpegs(1, width=66))
    good += own_mill.accepted(*jpegs(5))
    own_mill.start("worker", module=[str(PROGRAMS / "crashing_worker.py")])
    worker, counts = own_mill.pid("worker"), own_mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (10, 1)
    failed = own_mill.image(bad)
    assert (failed["code"], failed["trace"][-1]["attempt"]) == ("crashed", 1)
    assert "exit code -11" in failed["reason"]
    assert own_mill.running("worker")
    assert own_mill.pid("worker") == worker
    assert "imagemill_decoder_deaths_total 2.0" in own_mill.metrics("worker")
    assert {own_mill.image(image_id)["trace"][-1]["attempt"] for image_id in good} == {1}
    document = json.loads(own_mill.couch_document("state", f"attempts:{bad}"))
    assert len(document["attempts"]) == 1


def test_a_picture_that_never_ends_in_its_decoder_fails_by_the_clock_and_the_worker_lives(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    (slow,) = own_mill.accepted(*jpegs(1, width=66))
    good = own_mill.accepted(*jpegs(3))
    own_mill.start("worker", module=[str(PROGRAMS / "hanging_worker.py")], image_timeout_seconds=15)
    worker = own_mill.pid("worker")
    assert "did not end within 15 s" in own_mill.ended(slow)["reason"]
    assert all(own_mill.ended(image_id)["status"] == "stored" for image_id in good)
    assert own_mill.pid("worker") == worker


def test_a_picture_that_never_ends_fails_by_its_time_limit(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    (bad,) = own_mill.accepted(*jpegs(1, width=66))
    good = own_mill.accepted(*jpegs(3))
    hanging = [str(PROGRAMS / "hanging_worker.py")]
    in_thread = {"image_timeout_seconds": 5, "contained_decoding": False}
    own_mill.launch("worker", hanging, in_thread)
    wait_for(lambda: not own_mill.running("worker"), "the worker to end itself")
    own_mill.start("worker", module=hanging, **in_thread)
    assert own_mill.ended(bad)["code"] == "crashed"
    assert all(own_mill.ended(image_id)["status"] == "stored" for image_id in good)


def test_sigterm_finishes_what_was_started_and_gives_back_the_rest(
    own_mill: Mill, amqp_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_GO_ON", str(tmp_path / "go-on"))
    own_mill.start("writer", "api")
    own_mill.accepted(*jpegs(5), recipe="denoise")
    waiting = [str(PROGRAMS / "waiting_worker.py")]
    own_mill.start("worker", module=waiting, pool="heavy", worker_prefetch=5, worker_threads=1, drain_seconds=60)
    wait_for(lambda: "imagemill_worker_busy 1.0" in own_mill.metrics("worker"), "a picture in work")
    own_mill.signal("worker", signal.SIGTERM)
    wait_for(lambda: waiting_messages(amqp_url, "work.heavy") == 4, "the rest to be given back")
    assert own_mill.running("worker")
    (tmp_path / "go-on").touch()
    assert own_mill.stop("worker", patience_seconds=60) == 0
    wait_for(lambda: own_mill.totals()["stored"] == 1, "the started one to be stored")
    wait_for(lambda: waiting_messages(amqp_url, "work.heavy") == 4, "the rest to stay")
    own_mill.start("worker", pool="heavy")
    assert own_mill.all_ended()["stored"] == 5


def test_a_writer_killed_between_couchdbs_answer_and_the_acknowledgement_counts_once(own_mill: Mill) -> None:
    own_mill.start("writer", "api", "worker")
    own_mill.stop("writer")
    ids = own_mill.accepted(*jpegs(4))
    own_mill.launch("writer", [str(PROGRAMS / "dying_writer.py")], {})
    wait_for(lambda: not own_mill.running("writer"), "the writer to die")
    assert own_mill.totals()["stored"] > 0
    own_mill.start("writer")
    counts = own_mill.all_ended()
    assert (counts["accepted"], counts["stored"], counts["duplicates"], counts["failed"]) == (4, 4, 0, 0)
    assert not any(own_mill.image(image_id)["duplicate"] for image_id in ids)


def test_every_queue_purged_with_200_in_flight_re_drive_stores_all_200(own_mill: Mill, amqp_url: str) -> None:
    own_mill.start("writer", "api")
    for _ in range(4):
        own_mill.accepted(*jpegs(50, width=64), recipe="thumbnail")
    assert purge(amqp_url, "work.default", "work.heavy", "results.0", "results.1", "results.2", "results.3") == 200
    own_mill.stop("writer")
    own_mill.start("writer", "worker", redrive_after_seconds=REDRIVE_AFTER_SECONDS)
    counts = own_mill.all_ended()
    assert (counts["accepted"], counts["stored"], counts["failed"]) == (200, 200, 0)
    wait_for(lambda: redriven(own_mill, "writer") >= 200, "the count of what was published again")


def accepted_and_overdue(mill: Mill, count: int) -> None:
    """Pictures which a writer that starts now finds overdue all together."""
    mill.start("writer", "api")
    ids = mill.accepted(*jpegs(count))
    mill.stop("writer")
    wait_for(lambda: time.time() - made_at(ids[-1]) > REDRIVE_AFTER_SECONDS, "the pictures to be overdue")


def test_two_writers_re_drive_one_at_a_time_and_the_second_takes_over(own_mill: Mill, amqp_url: str) -> None:
    accepted_and_overdue(own_mill, 10)
    purge(amqp_url, "work.default")
    writers = ("writer", "writer:2")
    own_mill.start(*writers, redrive_after_seconds=REDRIVE_AFTER_SECONDS)
    wait_for(lambda: sum(redriven(own_mill, name) for name in writers) >= 10, "the first re-drive")
    first, second = sorted(writers, key=lambda name: redriven(own_mill, name), reverse=True)
    assert redriven(own_mill, second) == 0
    own_mill.kill(first)
    purge(amqp_url, "work.default")
    wait_for(lambda: redriven(own_mill, second) >= 10, "the other writer's re-drive")
    own_mill.start("worker")
    assert own_mill.all_ended()["stored"] == 10


def test_a_long_queue_is_not_taken_for_a_loss(own_mill: Mill, amqp_url: str) -> None:
    accepted_and_overdue(own_mill, 5)
    own_mill.start("writer", redrive_after_seconds=REDRIVE_AFTER_SECONDS)
    found = wait_for(lambda: oldest_seconds(own_mill), "a round of re-drive")
    wait_for(lambda: oldest_seconds(own_mill) > found, "the next round, after the end of that one")
    assert waiting_messages(amqp_url, "work.default") == 5
    assert redriven(own_mill, "writer") == 0


def test_a_stopped_api_lets_go_of_open_pages_at_once(own_mill: Mill) -> None:
    own_mill.start("writer", "api", drain_seconds=120)
    events = own_mill.events()
    assert next(events)[0] == "totals"
    assert own_mill.stop("api", patience_seconds=60) == 0


def test_a_stopping_api_ends_what_it_began_and_keeps_nobody_waiting_who_comes_then(own_mill: Mill) -> None:
    own_mill.start("writer", "api", drain_seconds=120)
    (data,) = jpegs(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(own_mill.upload, data, wait="60")
        wait_for(lambda: own_mill.totals()["accepted"] == 1, "the upload")
        own_mill.signal("api", signal.SIGTERM)
        wait_for(lambda: refused(own_mill.port), "an API that takes no more", 10)
        own_mill.start("worker")
        assert waiting.result().status_code == 200
    assert own_mill.stop("api") == 0


def refused(port: int) -> bool:
    """Is a new connection refused at once? One that the kernel takes is left waiting, and cut off in the end."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_killing_everything_under_load_loses_nothing(own_mill: Mill) -> None:
    own_mill.start("writer", "writer:2", "api", "worker", "worker:2", redrive_after_seconds=3)
    accepted = 0
    for victim in ("worker", "writer", "worker:2", "writer:2"):
        accepted += len(own_mill.accepted(*jpegs(20)))
        own_mill.signal(victim, signal.SIGKILL)
        own_mill.kill(victim)
        own_mill.start(victim)
    counts = own_mill.all_ended()
    assert (counts["accepted"], counts["stored"], counts["failed"]) == (accepted, 80, 0)
    assert adds_up(counts)
