"""Months that are over are dropped whole; what is pinned stays."""

import time
from datetime import UTC, datetime

import pytest

from imagemill.alerting.judge import Verdict
from imagemill.alerting.records import raised_alert
from imagemill.domain.events import Event
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore
from imagemill.store.leases import Lease
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.months import Months, expired, month_at
from imagemill.store.rules import RuleStore
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, parameters_of
from imagemill.writer.retention import Retention
from mill import Mill, wait_for

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OLD = datetime(2026, 6, 30, 23, 59, tzinfo=UTC).timestamp()
FRESH = datetime(2026, 10, 3, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("keep", "gone"),
    [
        (0, []),
        (1, ["2025-12", "2026-01", "2026-09"]),
        (3, ["2025-12", "2026-01"]),
        (11, []),
        (10, ["2025-12"]),
        (1200, []),
    ],
)
def test_whole_months_are_kept(keep: int, gone: list[str]) -> None:
    assert expired(["2025-12", "2026-01", "2026-09", "2026-10", "2026-11", "2026-12"], keep, NOW) == gone


def test_midnight_of_a_month_passes_while_things_are_under_way(couchdb_url: str, couchdb_prefix: str) -> None:
    months = Months(Couch(couchdb_url, couchdb_prefix.rstrip("-")), "events")
    months.prepare(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert months.there() == ["2026-11", "2026-12", "2027-01"]


@pytest.fixture
def couch_of_test(couchdb_url: str, couchdb_prefix: str) -> Couch:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    RuleStore(couch).prepare()
    prepare_leases(couch)
    for kind in ("events", "activity"):
        for month in ("2026-06", "2026-10", "2026-11"):
            Months(couch, kind).database(month).create()
    couch.database("pinned").create()
    return couch


def stored(couch: Couch, source: str, at: float) -> tuple[str, int]:
    event_id = f"{source}:{round(at * 1000)}"
    event = Event(id=event_id, source=source, kind="motion", event_class="alert", started_at=at, ended_at=at)
    EventStore(couch).write(event, {"best.jpg": b"the picture of " + source.encode()})
    return event_id, AlertStore(couch).add(raised_alert(event, Verdict("alert", "it is a test"), at))


def retention(couch: Couch, holder: str = "me", **keep: int) -> Retention:
    activity = Activity(Broker(parameters_of("amqp://nowhere", "test")), "writer", "me", 1, 10)
    return Retention(couch, Lease(couch, "retention", holder, 30), {"events": 3, "activity": 0} | keep, activity)


def test_one_month_goes_a_round_and_none_while_nothing_new_was_written(couch_of_test: Couch) -> None:
    months = Months(couch_of_test, "events")
    for month in ("2026-04", "2026-05"):
        months.database(month).create()
    stored(couch_of_test, "yard", OLD)
    # By a clock that is ten years ahead all of it is over; but nothing was written since June.
    assert retention(couch_of_test).round(NOW.replace(year=2036)) == []
    stored(couch_of_test, "yard", FRESH)
    dropped = [retention(couch_of_test).round(NOW) for _ in range(4)]
    assert dropped == [["events-2026-04"], ["events-2026-05"], ["events-2026-06"], []]


def test_a_dropped_month_takes_its_events_and_leaves_what_is_pinned(couch_of_test: Couch) -> None:
    events, book = EventStore(couch_of_test), AlertStore(couch_of_test)
    lost, _ = stored(couch_of_test, "yard", OLD)
    kept, number = stored(couch_of_test, "door", OLD)
    fresh, _ = stored(couch_of_test, "yard", FRESH)
    book.pin(number, kept, "ann", time.time())
    assert retention(couch_of_test).round(NOW) == ["events-2026-06"]
    assert events.months.there() == ["2026-10", "2026-11"]
    assert events.picture(lost, "best.jpg") is None
    assert events.picture(kept, "best.jpg") == b"the picture of door"
    assert events.picture(fresh, "best.jpg") == b"the picture of yard"
    assert [alert.camera for alert in book.newest(10).alerts] == ["yard", "door", "yard"]
    book.unpin(number)
    events.unpin(kept)
    assert events.get(kept) is None


def test_only_who_has_the_duty_drops(couch_of_test: Couch) -> None:
    assert Lease(couch_of_test, "retention", "another", 30).hold()
    assert retention(couch_of_test).round(NOW) == []
    assert month_at(OLD) in Months(couch_of_test, "events").there()


def test_the_writer_drops_what_is_over(own_mill: Mill, couchdb_url: str, couchdb_prefix: str) -> None:
    months = Months(Couch(couchdb_url, couchdb_prefix.rstrip("-")), "activity")
    months.database("2020-01").create()
    own_mill.start("writer")
    wait_for(lambda: "2020-01" not in months.there(), "the month to be dropped")
    assert len(months.there()) == 3
