"""Alerts by camera, zone, class, time and state: what the index answers is what looking at each would."""

import random
from dataclasses import dataclass

import pytest
from ibmcloudant.cloudant_v1 import BulkDocs

from imagemill.store import alert_index
from imagemill.store.alert_index import AlertFilter, AlertIndex, AlertState, Position
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.rules import DATABASE, RuleStore
from raised_alerts import raise_alert

FROM = 1_795_250_000.0
DAY = 86_400.0


@dataclass(frozen=True)
class Known:
    number: int
    camera: str
    zones: tuple[str, ...]
    event_class: str
    at: float
    seen: bool

    def matches(self, asked: AlertFilter, state: AlertState | None) -> bool:
        return (
            asked.camera in ("", self.camera)
            and (not asked.zone or asked.zone in self.zones)
            and asked.event_class in ("", self.event_class)
            and (asked.since is None or self.at >= asked.since)
            and (asked.until is None or self.at < asked.until)
            and (state is None or (state == "acknowledged") == self.seen)
        )


@pytest.fixture
def book(client: Couch) -> AlertStore:
    RuleStore(client).prepare()
    AlertIndex(client).prepare()
    return AlertStore(client)


def filled(client: Couch, book: AlertStore, count: int) -> list[Known]:
    chance, known = random.Random(5), []
    for place in range(count):
        camera, event_class = chance.choice(("yard", "gate", "")) or "yard-2", chance.choice(("alert", "detection"))
        zones = tuple(chance.sample(("door", "path", "drive"), chance.randrange(3)))
        at = FROM + place * DAY / 7 + chance.random()
        number = raise_alert(client, camera, at, zones, event_class)
        seen = place < count // 2 or chance.random() < 0.5
        known.append(Known(number, camera, zones, event_class, at, seen))
    numbers = [one.number for one in known if one.seen]
    assert book.acknowledge(list(book.of_numbers(numbers).values()), "ann", FROM + 1) == numbers
    return known


def pages(index: AlertIndex, book: AlertStore, asked: AlertFilter, state: AlertState | None, limit: int) -> list[int]:
    found: list[int] = []
    below: Position | None = None
    while True:
        numbers, more = index.numbers(asked, state, limit, below)
        found += numbers
        if not more:
            return found
        last = book.alert(numbers[-1])
        assert last
        assert len(numbers) == limit
        below = Position(last.at, last.number)


def test_pages_and_counts_are_those_of_what_matches(
    client: Couch, book: AlertStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_index, "_DAYS", 3)
    index, known = AlertIndex(client), filled(client, book, 60)
    asked_by = [
        AlertFilter(), AlertFilter(camera="yard"), AlertFilter(zone="door"), AlertFilter(event_class="detection"),
        AlertFilter("yard", "path", "alert"), AlertFilter("nobody"),
        AlertFilter(since=FROM + 2.3 * DAY, until=FROM + 3.3 * DAY),
        AlertFilter("gate", since=FROM + 6 * DAY, until=FROM + 7 * DAY),
        AlertFilter(zone="door", since=FROM + 5.5 * DAY, until=FROM + 7.5 * DAY),
    ]  # fmt: skip
    states: tuple[AlertState | None, ...] = (None, "new", "acknowledged")
    for asked in asked_by:
        counts = index.counts(asked)
        for state in states:
            wanted = [one.number for one in reversed(known) if one.matches(asked, state)]
            assert pages(index, book, asked, state, 4) == wanted, (asked, state)
            assert {None: counts.all, "new": counts.new, "acknowledged": counts.acknowledged}[state] == len(wanted)


def test_what_is_taken_back_is_new_again(client: Couch, book: AlertStore) -> None:
    index = AlertIndex(client)
    numbers = [raise_alert(client, "yard", FROM + place) for place in range(3)]
    alerts = list(book.of_numbers(numbers).values())
    assert book.acknowledge(alerts[:2], "ann", FROM, "the cat") == numbers[:2]
    assert book.acknowledge(alerts, "bob", FROM) == numbers[2:]
    assert index.counts(AlertFilter()).new == 0
    gone = book.take_back(numbers[1:])
    assert {number: one.by for number, one in gone.items()} == {2: "ann", 3: "bob"}
    assert book.take_back(numbers[1:]) == {}
    assert index.numbers(AlertFilter(), "new", 10, None) == ([3, 2], False)
    assert book.acknowledge(alerts, "eve", FROM) == [2, 3]
    assert index.counts(AlertFilter()).new == 0
    assert book.acknowledged(numbers)[1].note == "the cat"


def test_what_two_nodes_of_a_cluster_had_at_once_is_taken_back_whole(client: Couch, book: AlertStore) -> None:
    number = raise_alert(client, "yard", FROM)
    database = client.database(DATABASE)
    for by, revision in (("ann", "1-" + "a" * 32), ("bob", "1-" + "b" * 32)):
        one = {"_id": f"acknowledged:{number:010d}", "_rev": revision, "type": "acknowledged", "number": number}
        bulk = BulkDocs(docs=[{**one, "by": by, "at": FROM, "note": ""}], new_edits=False)
        client.service.post_bulk_docs(db=database.name, bulk_docs=bulk)
    assert book.take_back([number]).keys() == {number}
    assert book.acknowledged([number]) == {}


def test_acknowledgements_of_a_former_version_are_completed(client: Couch, book: AlertStore) -> None:
    index = AlertIndex(client)
    number = raise_alert(client, "yard", FROM, ("door",))
    book.create(
        f"acknowledged:{number:010d}", {"type": "acknowledged", "number": number, "by": "ann", "at": FROM, "note": ""}
    )
    assert index.incomplete() == [number]
    book.complete(index.incomplete())
    assert index.incomplete() == []
    assert index.counts(AlertFilter(camera="yard", zone="door")).acknowledged == 1
    assert book.acknowledged([number])[number].by == "ann"
