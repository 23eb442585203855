"""From erasing to the last byte, through real programs: what was erased goes, and nothing that anybody needs."""

import threading
from collections.abc import Iterator

import pytest

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch
from mill import Mill, adds_up, wait_for
from mills import running_mill
from pictures import photo_jpeg

# What the eraser waits is so many timeouts of CouchDB.
COUCHDB_TIMEOUT_SECONDS = 3


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    settings = {"couchdb_timeout_seconds": COUCHDB_TIMEOUT_SECONDS, "result_inline_max_bytes": 1024}
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), **settings) as running:
        yield running


def erase(mill: Mill, *ids: str) -> None:
    answer = mill.post("/api/v1/erasures", json={"images": list(ids), "at_once": True})
    assert len(answer.json()["erased"]) == len(ids), answer.text


def is_purged(mill: Mill, image_id: str) -> bool:
    return bool(mill.image(image_id)["erasure"]["state"] == "purged")


def test_bytes_go_while_the_same_pictures_come_again_and_again(mill: Mill) -> None:
    """Clients that send an erased picture again are told to wait, or served; every one of theirs keeps its bytes."""
    gone = mill.accepted(*[photo_jpeg(96, 64, seed) for seed in range(4)])
    shared = mill.accepted(photo_jpeg(96, 64, seed=9))
    kept = mill.accepted(photo_jpeg(96, 64, seed=9), recipe="webp")
    for one in (*gone, *shared, *kept):
        mill.ended(one)
    hashes = [mill.image(one)[which]["sha256"] for one in gone for which in ("original", "result")]
    erase(mill, *gone, *shared)
    accepted: list[str] = []
    codes: set[str] = set()
    stopping = threading.Event()

    def send_again() -> None:
        while not stopping.wait(0.3):
            answer = mill.upload(photo_jpeg(96, 64, seed=1))
            codes.add(str(answer.json().get("code", answer.status_code)))
            accepted.extend(item["id"] for item in answer.json().get("accepted", ()))

    sender = threading.Thread(target=send_again)
    sender.start()
    try:
        wait_for(lambda: all(is_purged(mill, one) for one in (*gone, *shared)), "bytes to go")
        # While the round lasts, all of them may have been told to come later.
        wait_for(lambda: accepted, "the same picture to be taken again")
    finally:
        stopping.set()
        sender.join()
    for one in (*accepted, *kept):
        assert mill.ended(one)["status"] == "stored"
        assert mill.get(f"/api/v1/images/{one}/original").status_code == 200
        assert mill.get(f"/api/v1/images/{one}/result").status_code == 200
    assert codes <= {"202", "being-erased"}
    blobs = CouchBlobs(Couch(mill.couchdb_url, mill.prefix))
    needed = {mill.image(one)[which]["sha256"] for one in (*accepted, *kept) for which in ("original", "result")}
    assert blobs.listed(hashes) == needed & set(hashes)
    totals = mill.totals()
    assert adds_up(totals)
    assert (totals["erased"], totals["failed"]) == (len(gone) + len(shared), 0)


def test_a_round_survives_the_end_of_the_writer(mill: Mill) -> None:
    (one,) = mill.accepted(photo_jpeg(96, 64, seed=31))
    mill.ended(one)
    erase(mill, one)
    wait_for(lambda: mill.image(one)["erasure"]["state"] == "purging", "the round to begin")
    mill.kill("writer")
    mill.start("writer")
    wait_for(lambda: is_purged(mill, one), "the round to end")
    original = mill.image(one)["original"]["sha256"]
    assert not CouchBlobs(Couch(mill.couchdb_url, mill.prefix)).listed([original])
