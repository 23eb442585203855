"""One token's batch does not keep another's picture waiting, and what waits is never lost."""

from collections.abc import Callable

import pika
import pytest
import requests

import pictures
from mill import Mill, adds_up, wait_for

ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"
SHARE = 5
BATCH = 60


@pytest.fixture
def shared_mill(new_mill: Callable[..., Mill], amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Mill:
    """Api and writer, behind a login, without workers."""
    mill = new_mill(
        amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), login="true", admin_token=ADMIN_TOKEN, dispatch_share=SHARE,
        redrive_every_seconds=0.5, redrive_after_seconds=2, lease_seconds=4,
    )  # fmt: skip
    mill.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
    return mill.start("writer", "api")


def token(mill: Mill, name: str) -> dict[str, str]:
    made = mill.post("/api/v1/tokens", json={"name": name, "role": "uploader"}).json()
    return {"Authorization": f"Bearer {made['token']}"}


def upload(mill: Mill, headers: dict[str, str], *data: bytes) -> list[str]:
    files = [("file", (f"{n}.png", one, "image/png")) for n, one in enumerate(data)]
    answer = requests.post(f"{mill.url}/api/v1/images", files=files, headers=headers, timeout=60)
    assert answer.status_code == 202, answer.text
    return [item["id"] for item in answer.json()["accepted"]]


def small_pictures(first: int, count: int) -> list[bytes]:
    return [pictures.png(8 + n % 50, 8 + n // 50) for n in range(first, first + count)]


def waiting(mill: Mill) -> int:
    with pika.BlockingConnection(pika.URLParameters(mill.amqp_url)) as connection:
        return connection.channel().queue_declare("work.default", passive=True).method.message_count


def test_a_batch_waits_in_the_ledger_so_that_others_need_not(shared_mill: Mill) -> None:
    ann, bob = token(shared_mill, "ann"), token(shared_mill, "bob")
    batch = upload(shared_mill, ann, *small_pictures(0, BATCH))
    assert waiting(shared_mill) == SHARE
    (single,) = upload(shared_mill, bob, *small_pictures(500, 1))
    assert waiting(shared_mill) == SHARE + 1
    held = 'imagemill_held_jobs{pool="default"}'
    wait_for(lambda: f"{held} {BATCH - SHARE}.0" in shared_mill.metrics("api"), "the gauge")
    shared_mill.start("worker")
    done = shared_mill.ended(single)
    assert done["status"] == "stored"
    counts = shared_mill.all_ended()
    assert (counts["stored"], adds_up(counts)) == (BATCH + 1, True)
    wait_for(lambda: f"{held} 0.0" in shared_mill.metrics("api"), "the gauge to fall again")
    assert all(shared_mill.image(image_id)["status"] == "stored" for image_id in batch)
    ends = {image_id: shared_mill.image(image_id)["trace"][-1]["at"] for image_id in [*batch, single]}
    assert sum(at < ends[single] for at in ends.values()) < 4 * SHARE


def test_what_a_killed_api_held_is_found_in_the_ledger(shared_mill: Mill) -> None:
    upload(shared_mill, token(shared_mill, "ann"), *small_pictures(0, BATCH))
    assert waiting(shared_mill) == SHARE
    shared_mill.kill("api")
    shared_mill.start("api", "worker")
    counts = shared_mill.all_ended()
    assert (counts["stored"], adds_up(counts)) == (BATCH, True)


def test_what_a_living_api_holds_is_not_published_by_re_drive(shared_mill: Mill) -> None:
    upload(shared_mill, token(shared_mill, "ann"), *small_pictures(0, BATCH))
    wait_for(lambda: "imagemill_overdue_jobs 60.0" in shared_mill.metrics("writer"), "re-drive to look at them")
    wait_for(lambda: "imagemill_redrive" in shared_mill.metrics("writer"), "a turn")
    assert waiting(shared_mill) == SHARE
