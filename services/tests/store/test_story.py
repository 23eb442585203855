"""A picture's story as the journal keeps it."""

from datetime import UTC, datetime

import pytest

from imagemill.domain.ids import timestamp, uuid7
from imagemill.store import activity_log
from imagemill.store.couch import Couch
from imagemill.store.months import Months

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


def test_the_newest_records_until_a_time_come_first_over_months(couchdb_url: str, couchdb_prefix: str) -> None:
    couch, now = Couch(couchdb_url, couchdb_prefix.rstrip("-")), datetime.now(UTC)
    activity_log.prepare(couch)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    times = [timestamp(first + seconds) for seconds in (-60, -0.001, 0, 0.001, 60)]
    activity_log.write(couch, [{"at": at, "kind": "alert", "number": str(n)} for n, at in enumerate(times)])
    assert [record["at"] for record in activity_log.until(couch, times[3], 10)] == times[3::-1]
    assert [record["at"] for record in activity_log.until(couch, times[3], 3)] == times[3:0:-1]
    assert activity_log.until(couch, activity_log.just_before(times[0]), 10) == []


def test_a_month_from_before_there_was_an_index_is_passed_over(couchdb_url: str, couchdb_prefix: str) -> None:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    Months(couch, activity_log.KIND).prepare()
    assert activity_log.until(couch, timestamp(), 10) == []
