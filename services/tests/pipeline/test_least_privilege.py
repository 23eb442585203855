"""Every program works as its own user, who may do what it needs and no more."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagemill.local.accounts import broker_accounts, couch_accounts, make_broker_users
from imagemill.local.rabbit import RabbitServer
from imagemill.store.couch import Couch
from imagemill.store.held_jobs import HeldJobs
from mill import Mill, wait_for
from motion.scenes import frames, place, walk
from pipeline.test_upload import unique_jpeg
from receiver import Receiver, receiving

ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"
REFUSED = re.compile("forbidden|ACCESS_REFUSED|not allowed")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def test_all_programs_do_their_work_as_users_of_their_own(
    new_mill: Callable[..., Mill],
    rabbit: RabbitServer,
    vhost: str,
    amqp_url: str,
    couchdb_url: str,
    couchdb_prefix: str,
    tmp_path: Path,
    receiver: Receiver,
) -> None:
    prefix = couchdb_prefix.rstrip("-")
    channels = tmp_path / "channels.yaml"
    channels.write_text(f"shop: {{webhook: '{receiver.url}', secret: sixteen bytes or more, callback: true}}")
    mill = new_mill(
        amqp_url, couchdb_url, prefix, couchdb_append_only=True, inline_max_bytes=1000, camera_allow_loopback=True,
        login="true", admin_token=ADMIN_TOKEN, dispatch_share=1, lease_seconds=4, channels_file=channels,
        channel_allow_loopback=True, batch_quiet_seconds=1, couchdb_timeout_seconds=3,
    )  # fmt: skip
    mill.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
    folder = tmp_path / "users"
    couch, broker = couch_accounts(couchdb_url, prefix, folder), broker_accounts(amqp_url, folder)
    mill.accounts = {program: couch[program] | broker[program] for program in couch}
    make_broker_users(rabbit.management_url, (rabbit.user, rabbit.password), folder, vhost)
    mill.start("writer", "journal", "camera", "analyzer", "alerter", "api")
    several = mill.accepted(*(unique_jpeg() for _ in range(3)))
    wait_for(HeldJobs(Couch(couchdb_url, prefix)).all, "the API to say what it holds")
    mill.start("worker")
    assert all(mill.ended(image_id)["status"] == "stored" for image_id in several)
    kept, back, gone = several
    assert mill.http.put(f"{mill.url}/api/v1/images/{kept}/pin", timeout=60).ok
    assert mill.http.delete(f"{mill.url}/api/v1/images/{kept}/pin", timeout=60).ok
    assert mill.http.delete(f"{mill.url}/api/v1/images/{back}", timeout=60).ok
    assert mill.post("/api/v1/erasures/undo", json={"images": [back]}).json()["undone"] == [back]
    assert mill.post("/api/v1/erasures", json={"images": [gone], "at_once": True}).json()["refused"] == []
    wait_for(lambda: mill.get("/api/v1/channels").json()["channels"], "the receiver to be known")
    receiver.answers.append(404)
    mill.accepted(unique_jpeg(), batch="told", callback="shop", batch_callback="shop")
    (refused,) = wait_for(lambda: mill.get("/api/v1/deliveries?state=failed").json()["deliveries"], "it to be given up")
    assert mill.post(f"/api/v1/deliveries/{refused['id']}/retry").ok
    wait_for(lambda: set(receiver.event_ids()[1:]) == {refused["event"]["id"], "batch:told:complete:1"}, "the events")
    picture = unique_jpeg()
    (image_id,) = mill.accepted(picture)
    assert mill.ended(image_id)["status"] == "stored"
    assert mill.upload(unique_jpeg(), recipe="thumbnail", wait="20").headers["Content-Type"] == "image/jpeg"
    assert mill.get(f"/api/v1/images/{image_id}/original").content == picture
    wait_for(lambda: mill.get(f"/api/v1/images/{image_id}/story").json()["activity"], "the journal")
    for frame in frames(walk(place(flat=True), 8, 30, speed=40, y=120, width=80, stripes=0.0), 40, noise=0):
        mill.accepted(frame.data, source="drawn")
    (alert,) = wait_for(lambda: mill.get("/api/v1/alerts").json()["alerts"], "the alert")
    assert mill.post(f"/api/v1/alerts/{alert['number']}/pin", json={}).ok
    assert mill.http.delete(f"{mill.url}/api/v1/alerts/{alert['number']}/pin", timeout=60).ok
    added = mill.post("/api/v1/cameras", json={"id": "yard", "address": "rtsp://127.0.0.1:1/none"})
    assert added.ok, added.text
    wait_for(
        lambda: mill.get("/api/v1/cameras/yard").json()["status"]["state"] in ("stalled", "offline"),
        "the camera to be read",
    )
    wait_for(lambda: mill.image(gone)["erasure"]["state"] == "purged", "the bytes to go")
    assert [name for name in mill.accounts if REFUSED.search((mill.folder / f"{name}.log").read_text())] == []
