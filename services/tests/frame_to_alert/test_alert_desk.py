"""What is judged of events, with a real database: numbers, and reasons of what is held back."""

import threading
import time

import pytest

from frame_to_alert.alerting import event
from imagemill.alerter.service import AlertService
from imagemill.alerting.judge import Snooze
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from imagemill.store.snoozes import Snoozes
from imagemill.wire.events import EventNews
from mill import TIMEOUT_SECONDS


def test_two_desks_racing_over_the_same_events_give_each_one_number(couch_of_mill: Couch, book: AlertStore) -> None:
    RuleStore(couch_of_mill).prepare()
    EventStore(couch_of_mill).prepare()
    RuleStore(couch_of_mill).put(Rule(name="everything", cool_down_seconds=0))
    now = time.time()
    news = [EventNews("new", event(f"camera-{n}", now + n / 1000)) for n in range(12)]
    given: list[dict[str, int | None]] = [{}, {}, {}]

    def race(mine: dict[str, int | None], order: list[EventNews]) -> None:
        desk = AlertService(couch_of_mill)
        mine.update({one.event.id: desk.consider(one) for one in order})

    orders = [news, news[::-1], news[6:] + news[:6]]
    threads = [threading.Thread(target=race, args=pair) for pair in zip(given, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_SECONDS)
    assert given[0] == given[1] == given[2]
    assert sorted(given[0].values()) == list(range(1, 13))


@pytest.mark.parametrize(
    ("rule", "changes", "code"),
    [
        ({"cameras": ["garden-*"]}, {}, "camera"),
        ({"classes": ["alert"]}, {"class": "detection"}, "class"),
        ({"zones": ["door"]}, {"zones": ["path"]}, "zone"),
        ({"enabled": False}, {}, "disabled"),
        ({"cool_down_seconds": 3600}, {"after_another": True}, "cool-down"),
        ({"cool_down_seconds": 0, "until_acknowledged": True}, {"after_another": True}, "unacknowledged"),
        ({"cool_down_seconds": 0, "at_most": 1}, {"after_another": True}, "limit"),
    ],
)
def test_what_is_held_back_is_in_the_ledger_with_the_reason(
    couch_of_mill: Couch, rules: RuleStore, rule: dict, changes: dict, code: str
) -> None:
    store = EventStore(couch_of_mill)
    store.prepare()
    rules.put(Rule.parse({"name": "everything", **rule}))
    desk = AlertService(couch_of_mill)
    changes = dict(changes)
    if changes.pop("after_another", False):
        assert desk.consider(EventNews("new", event("yard", time.time() - 5))) == 1
    held_back = event("yard", **changes)
    assert desk.consider(EventNews("new", held_back)) is None
    assert desk.consider(EventNews("update", held_back)) is None
    (held,) = store.suppressed(10).found
    assert (held.event, held.code) == (held_back.id, code)
    assert len(held.reason) > 20


def test_an_acknowledged_alert_holds_nothing_back(couch_of_mill: Couch, rules: RuleStore, book: AlertStore) -> None:
    EventStore(couch_of_mill).prepare()
    rules.put(Rule(name="everything", cool_down_seconds=0, until_acknowledged=True))
    desk = AlertService(couch_of_mill)
    assert desk.consider(EventNews("new", event("yard", time.time() - 9))) == 1
    assert desk.consider(EventNews("new", event("yard", time.time() - 5))) is None
    alerts = list(book.of_numbers([1]).values())
    assert book.acknowledge(alerts, "ann", time.time()) == [1]
    assert book.acknowledge(alerts, "bob", time.time()) == []
    assert book.acknowledged([1])[1].by == "ann"
    assert desk.consider(EventNews("new", event("yard"))) == 2


def test_a_snooze_holds_back_until_it_is_ended(couch_of_mill: Couch, rules: RuleStore) -> None:
    EventStore(couch_of_mill).prepare()
    snoozes, desk, now = Snoozes(couch_of_mill), AlertService(couch_of_mill), time.time()
    named = snoozes.add(Snooze(now, now + 600, camera="yard"), "ann").id
    assert [(one.id, one.by) for one in snoozes.lasting(now + 1)] == [(named, "ann")]
    assert desk.consider(EventNews("new", event("yard"))) is None
    assert desk.consider(EventNews("new", event("garden"))) == 1
    assert snoozes.end(named, time.time())
    assert snoozes.lasting(time.time()) == []
    assert desk.consider(EventNews("update", event("yard"))) == 2
    assert not snoozes.end("nothing", now)
