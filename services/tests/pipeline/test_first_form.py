"""What the first version stored and sent is read by this one: a ledger is kept for ever, programs change one by one.

`forms/first.json` is what was in its databases after a picture, one that failed and its retry, one that was known, one
that was refused, and an alert of a camera. It never changes.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
import requests

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, adds_up, wait_for
from mills import running_mill

FIRST: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("forms").joinpath("first.json").read_text()
)
STORED, FAILED = "01a22af6-8946-7000-915c-78b198f559a8", "01a22af6-8946-7001-801e-f06b70362490"
KNOWN, RETRY = "01a22af6-8ad5-7000-b356-79eb38f9d400", "01a22af6-8b7a-7000-b349-b1ab543ec291"
ORIGINAL = base64.b64decode(FIRST["blobs-0"][0]["_attachments"]["bytes"]["data"])


def stored_in(mill: Mill) -> None:
    """All of it but the outcome of one picture, which is in flight therefore."""
    for name, documents in FIRST.items():
        database = f"{mill.couchdb_url}/{mill.prefix}-{name}"
        requests.put(database, timeout=60).raise_for_status()
        there = [document for document in documents if document["_id"] != f"outcome:{KNOWN}"]
        answer = requests.post(f"{database}/_bulk_docs", json={"docs": there}, timeout=60)
        assert [row for row in answer.json() if "error" in row] == []


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    # Nothing is dropped for its age, however old it is when this runs.
    kept = {"retention_months_events": 0, "retention_months_activity": 0}
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), stored_in, **kept) as running:
        yield running


def test_pictures_are_what_they_were(mill: Mill) -> None:
    stored, failed, retry = (mill.image(image_id) for image_id in (STORED, FAILED, RETRY))
    assert (stored["status"], stored["name"], stored["batch"]) == ("stored", "beach.jpg", "holiday")
    assert [step["step"] for step in stored["trace"]] == ["accepted", "taken", "done", "stored"]
    assert (failed["status"], failed["code"]) == ("failed", "undecodable")
    assert retry["retry_of"] == FAILED
    result = mill.get(f"/api/v1/images/{STORED}/result")
    assert (result.status_code, len(result.content)) == (200, stored["result"]["bytes"])
    assert mill.get(f"/api/v1/images/{STORED}/original").content == ORIGINAL
    story = mill.get(f"/api/v1/images/{STORED}/story").json()["activity"]
    assert [record["kind"] for record in story] == ["accepted", "taken", "done", "stored"]
    assert [item["name"] for item in mill.get("/api/v1/rejections").json()["rejections"]] == ["words.jpg"]
    assert [item["id"] for item in mill.get("/api/v1/failures").json()["failures"]] == [RETRY, FAILED]


def test_alerts_and_rules_are_what_they_were(mill: Mill) -> None:
    alert = mill.get("/api/v1/alerts/1").json()
    assert (alert["camera"], alert["rules"]) == ("yard", ["everything"])
    assert [(line["channel"], line["result"]) for line in alert["sent"]] == [("desk", "sent")]
    assert {item["name"] for item in alert["details"]["pictures"]} >= {"best.jpg", "annotated.jpg"}
    assert mill.get(alert["details"]["pictures"][0]["url"]).content == ORIGINAL
    assert mill.get("/api/v1/rules/everything").json()["cool_down_seconds"] == 300
    assert [event["id"] for event in mill.get("/api/v1/camera-events").json()["events"]] == ["yard:1796016537376"]


@pytest.mark.parametrize(
    "page",
    ["/", "/pictures", "/batches", "/batches/holiday", "/failures", f"/pictures/{STORED}", "/alerts", "/alerts/1"],
)
def test_pages_show_it(mill: Mill, page: str) -> None:
    assert mill.get(page).status_code == 200


def test_the_same_picture_is_known(mill: Mill) -> None:
    assert mill.upload(ORIGINAL, recipe="gray").json()["accepted"][0]["duplicate"] is True


def test_a_message_of_the_first_version_is_worked_on(mill: Mill) -> None:
    job = next(document for document in FIRST["ledger"] if document["_id"] == f"job:{KNOWN}")
    fields = {name: value for name, value in job.items() if name not in ("_id", "type")}
    with pika.BlockingConnection(pika.URLParameters(mill.amqp_url)) as connection:
        properties = pika.BasicProperties(
            headers={"job": json.dumps(fields), "redriven": 0}, message_id=KNOWN, type="job",
            content_type="image/jpeg", delivery_mode=2, priority=0,
        )  # fmt: skip
        connection.channel().basic_publish("images", "image.gray", ORIGINAL, properties)
    ended = mill.ended(KNOWN)
    assert (ended["status"], ended["duplicate"]) == ("stored", True)
    counts = mill.all_ended()
    wait_for(lambda: adds_up(mill.totals()), "the counts to add up")
    assert (counts["failed"], counts["rejected"]) == (2, 1)
