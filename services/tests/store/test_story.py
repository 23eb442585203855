"""A picture's story as the journal keeps it."""

import pytest

from imagemill.domain.ids import timestamp, uuid7
from imagemill.store import activity_log
from imagemill.store.couch import Couch

STEPS = ["accepted", "taken", "done", "stored"]


def test_steps_of_one_millisecond_are_told_in_their_order(couchdb_url: str, couchdb_prefix: str) -> None:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    activity_log.prepare(couch)
    for _ in range(5):  # what they are stored under has no order
        image, at = uuid7(), timestamp()
        activity_log.write(couch, [{"at": at, "kind": kind, "image": image} for kind in STEPS])
        assert [record["kind"] for record in activity_log.story(couch, image)] == STEPS


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", "yesterday", 12, None])
def test_a_record_of_a_wrong_clock_keeps_no_other_from_being_written(
    couchdb_url: str, couchdb_prefix: str, at: object
) -> None:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    activity_log.prepare(couch)
    image = uuid7()
    odd = {"at": at, "kind": "taken", "image": image, "_id": "mine", "_conflicts": 1}
    reserved = {"at": timestamp(), "kind": "taken", "image": "_design/x"}
    activity_log.write(couch, [odd, reserved, {"at": timestamp(), "kind": "accepted", "image": image}])
    story = activity_log.story(couch, image)
    assert sorted(record["kind"] for record in story) == ["accepted", "taken"]
    assert at in [record["at"] for record in story]
