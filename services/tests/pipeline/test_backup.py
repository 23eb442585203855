"""The first database is lost while pictures come: the programs go on with its copy, and it is told what was lost."""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable

import pytest
import requests

import pictures
from imagemill.integrity.walk import Walk, Wanted
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.replication import Replicator
from mill import Mill, adds_up, wait_for

SECONDS = 15.0
SETTINGS = {"redrive_after_seconds": 3, "redrive_every_seconds": 0.5, "lease_seconds": 5}


@pytest.fixture
def copy_url(couchdb_url: str) -> str:
    """Where the copy goes to: BACKUP_COUCHDB_URL, or the same server under another prefix."""
    try:
        Replicator(Couch(couchdb_url, "any")).check()
    except StoreUnavailable:
        pytest.skip("the stand-in has no replicator; COUCHDB_URL names a CouchDB")
    return os.environ.get("BACKUP_COUCHDB_URL", couchdb_url)


class Uploader:
    """Sends small pictures until told to stop; `accepted` tells when each was."""

    def __init__(self, mill: Mill) -> None:
        self._mill, self._stopping, self.accepted = mill, threading.Event(), {}
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        while not self._stopping.is_set():
            (image,) = self._mill.accepted(pictures.photo_jpeg(96, 64, uuid.uuid4().int % 2**31))
            self.accepted[image] = time.monotonic()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


def test_the_programs_go_on_with_the_copy_of_a_database_that_was_lost_under_uploads(
    new_mill: Callable[..., Mill], amqp_url: str, couchdb_url: str, couchdb_prefix: str, copy_url: str
) -> None:
    first, second = f"{couchdb_prefix}first", f"{couchdb_prefix}second"
    environment = {
        **os.environ, "COUCHDB_URL": couchdb_url, "IMAGEMILL_COUCHDB_PREFIX": first, "IMAGEMILL_BACKUP_URL": copy_url,
    }  # fmt: skip

    def backup(*arguments: str) -> None:
        command = [sys.executable, "-m", "imagemill.cli", "backup", "--prefix", second, *arguments]
        subprocess.run(command, env=environment, check=True, timeout=300)

    mill = new_mill(amqp_url, couchdb_url, first, **SETTINGS).start("writer", "api", "worker")
    uploader = Uploader(mill)
    wait_for(lambda: uploader.accepted, "the first picture")
    backup("--continuous")
    time.sleep(SECONDS)
    uploader.stop()
    lost_at = time.monotonic()
    for name in Couch(couchdb_url, first).database_names(""):
        requests.delete(f"{couchdb_url}/{first}-{name}", timeout=60).raise_for_status()
    mill.close()
    backup("--stop")

    after = new_mill(amqp_url, copy_url, second, **SETTINGS).start("writer", "api", "worker")
    (later,) = after.accepted(pictures.photo_jpeg())
    assert after.ended(later)["status"] == "stored"
    counts = after.all_ended()
    missing = [at for image, at in uploader.accepted.items() if after.get(f"/api/v1/images/{image}").status_code == 404]
    oldest = max((lost_at - at for at in missing), default=0.0)
    print(f"accepted {len(uploader.accepted)}, missing in the copy {len(missing)}, the oldest {oldest:.1f} s before")
    assert adds_up(counts)
    assert counts["accepted"] == len(uploader.accepted) - len(missing) + 1
    # Their jobs were copied, and their originals not any more.
    assert {
        after.image(image)["code"] for image in uploader.accepted if after.image(image).get("status") == "failed"
    } <= {"original-missing"}
    assert counts["failed"] <= 2
    assert oldest < SECONDS
    copy = Couch(copy_url, second)
    report = Walk(copy, CouchBlobs(copy), Wanted(sample=None), lambda _: None, lambda *_: None).run()
    assert report.sound or counts["failed"], report.as_dict()
