"""Events become numbered alerts, and people are told: with a real broker and database, whatever is killed."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill.alertbook import AlertBook, RuleStore, Snoozes
from imagemill.alerter.desk import Desk
from imagemill.alerts import Rule, Snooze, Verdict, number_for, parse_rule, verify
from imagemill.alerts.records import alert_document, begun_document, begun_id, sent_document, sent_id
from imagemill.alerts.retries import Attempt, Plan
from imagemill.broker import Broker
from imagemill.camera_events import EventNews, EventStore, event_message
from imagemill.couch import Couch
from mill import Mill, wait_for
from receiver import Receiver, receiving
from watching import publishing

SECRET = "sixteen bytes and more"


@pytest.fixture
def couch_of_mill(couchdb_url: str, couchdb_prefix: str) -> Couch:
    return Couch(couchdb_url, couchdb_prefix.rstrip("-"))


@pytest.fixture
def book(couch_of_mill: Couch) -> AlertBook:
    return AlertBook(couch_of_mill)


@pytest.fixture
def rules(couch_of_mill: Couch) -> RuleStore:
    store = RuleStore(couch_of_mill)
    store.prepare()
    return store


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def channels_file(tmp_path: Path, receiver: Receiver) -> Path:
    path = tmp_path / "channels.yaml"
    path.write_text(f"desk:\n  webhook: {receiver.url}\n  secret: {SECRET}\n")
    return path


def event(source: str, at: float | None = None, **changes: object) -> dict:
    started = at or time.time()
    return {
        "id": f"{source}:{round(started * 1000)}", "source": source, "kind": "motion", "class": "alert",
        "started_at": started, "last_at": started + 1, "ended_at": None, "score": 0.9, "zones": [], "people": None,
        **changes,
    }  # fmt: skip


def tell(broker: Broker, *events: dict, change: str = "new") -> None:
    broker.publish_all([event_message(EventNews(change, one)) for one in events])


def raised(book: AlertBook, count: int) -> list[dict]:
    """Alerts by number, once there are that many."""
    wait_for(lambda: book.last() >= count, f"{count} alerts")
    return book.between(1, 1000)


def results(book: AlertBook, number: int) -> list[str]:
    return [document["result"] for document in book.attempts(number) if document["type"] == "sent"]


def test_an_event_becomes_alert_1_and_the_webhook_is_signed(
    own_mill: Mill, amqp_url: str, book: AlertBook, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule("everything", channels=("desk",)))
    own_mill.start("alerter", channels_file=channels_file, page_url="https://mill.example")
    yard = event("yard")
    with publishing(amqp_url) as broker:
        tell(broker, yard)
        wait_for(lambda: results(book, 1) == ["sent"], "the webhook to be received")
        tell(broker, yard, change="end")
        tell(broker, event("garden"))
        raised(book, 2)
    headers, body = receiver.got[0]
    verify([SECRET.encode()], headers, body, time.time())
    told = json.loads(body)
    assert (told["number"], told["camera"], told["url"]) == (1, "yard", "https://mill.example/alerts/1")
    assert headers["Idempotency-Key"] == "alert-1-desk"
    wait_for(lambda: results(book, 2) == ["sent"], "the second alert's webhook")
    assert receiver.numbers() == ["1", "2"]
    kept = json.dumps([book.alert(1), *book.attempts(1), *book.channels()])
    assert SECRET not in kept
    assert "s3cr3t" not in kept
    assert "s3cr3t" not in (own_mill.folder / "alerter.log").read_text()


def test_what_fails_is_tried_again_and_every_attempt_is_recorded(
    own_mill: Mill, amqp_url: str, book: AlertBook, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    receiver.answers = [503]
    rules.put(Rule("everything", channels=("desk", "nobody")))
    own_mill.start("alerter", channels_file=channels_file)
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
    wait_for(lambda: len([d for d in book.attempts(1) if d["type"] == "sent"]) == 2, "the first attempts")
    own_mill.kill("alerter")  # the retry is found in the book
    own_mill.start("alerter", channels_file=channels_file)
    wait_for(lambda: "sent" in results(book, 1), "the second attempt")
    sent = {d["_id"]: (d["result"], d["answer"]) for d in book.attempts(1) if d["type"] == "sent"}
    assert sent["sent:0000000001:desk:001"] == ("failed", "503 Service Unavailable")
    assert sent["sent:0000000001:desk:002"] == ("sent", "204 No Content")
    assert sent["sent:0000000001:nobody:001"][1] == "there is no channel 'nobody' in the channels file"
    assert receiver.got[0][1] == receiver.got[1][1]


def test_a_kill_while_sending_loses_nothing(
    own_mill: Mill, amqp_url: str, book: AlertBook, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule("everything", cool_down_seconds=0, channels=("desk",)))
    receiver.hold.clear()
    own_mill.start("alerter", channels_file=channels_file)
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
        assert receiver.arrived.wait(30)
        own_mill.kill("alerter")
        receiver.hold.set()
        tell(broker, event("garden"))
    own_mill.start("alerter", channels_file=channels_file)
    raised(book, 2)
    wait_for(lambda: results(book, 2) == ["sent"], "the second alert's webhook")
    (begun,) = [d for d in book.attempts(1) if d["type"] == "begun"]
    assert (begun["channel"], results(book, 1)) == ("desk", [])  # known as begun; tried again once it counts as cut off


def test_an_attempt_that_was_cut_off_is_recorded_and_made_again(
    own_mill: Mill, book: AlertBook, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    now = time.time()
    verdict = Verdict("alert", "everything says so", rules=("everything",), channels=("desk",))
    yard = event("yard", now - 300)
    assert number_for(book, yard["id"], alert_document(yard, verdict, now - 300)) == 1
    book.create(begun_id(1, "desk", 1), begun_document(1, "desk", "a killed one", now - 299))
    own_mill.start("alerter", channels_file=channels_file)
    wait_for(lambda: results(book, 1) == ["failed", "sent"], "the second attempt")
    answers = [document["answer"] for document in book.attempts(1) if document["type"] == "sent"]
    assert answers[0] == "the alerter was stopped before the answer was known"
    assert receiver.numbers() == ["1"]


def test_apprise_tells_and_its_address_stays_secret(
    own_mill: Mill, amqp_url: str, book: AlertBook, rules: RuleStore, tmp_path: Path, receiver: Receiver
) -> None:
    channels = tmp_path / "channels.yaml"
    address = receiver.url.replace("http://", "json://user:hunter2hunter2@")
    channels.write_text(f"chat:\n  apprise: {address}\nbroken:\n  apprise: json://127.0.0.1:1/t0ken-t0ken\n")
    rules.put(Rule("everything", channels=("chat", "broken")))
    own_mill.start("alerter", channels_file=channels, page_url="https://mill.example", timezone="Europe/Berlin")
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
    wait_for(lambda: sorted(results(book, 1)) == ["failed", "sent"], "both channels")
    told = json.loads(receiver.got[0][1])
    assert told["title"] == "Alert 1: Motion (yard)"
    assert "https://mill.example/alerts/1" in told["message"]
    kept = json.dumps([*book.attempts(1), *book.channels()]) + (own_mill.folder / "alerter.log").read_text()
    assert not [secret for secret in ("hunter2", "s3cr3t", "t0ken") if secret in kept]


def test_the_annotated_picture_goes_along_where_the_channel_takes_it(
    own_mill: Mill,
    amqp_url: str,
    book: AlertBook,
    rules: RuleStore,
    events: EventStore,
    tmp_path: Path,
    receiver: Receiver,
) -> None:
    to = receiver.url.removeprefix("http://").replace("s3cr3t-token", "")
    (tmp_path / "channels.yaml").write_text(
        f"form:\n  apprise: form://user:hunter2hunter2@{to}form\n"
        f"json:\n  apprise: json://user:hunter2hunter2@{to}json\n"
        f"plain:\n  apprise: json://user:hunter2hunter2@{to}plain\n  pictures: false\n"
        f"push:\n  apprise: gotify://{to.partition('/')[0]}/t0ken-t0ken\n"
    )
    rules.put(Rule("everything", channels=("form", "json", "plain", "push")))
    noticed = event("yard")
    events.prepare()
    events.write(noticed, {"best.jpg": b"\xff\xd8 clean", "annotated.jpg": b"\xff\xd8 annotated"})
    own_mill.start("alerter", channels_file=tmp_path / "channels.yaml")
    with publishing(amqp_url) as broker:
        tell(broker, noticed)
    wait_for(lambda: len(results(book, 1)) >= 4, "all channels")
    bodies = [body for _, body in receiver.got]
    attached = [json.loads(body).get("attachments") for body in bodies if body.startswith(b"{")]
    sent_to_json = [files[0] for files in attached if files]
    assert [(one["filename"], one["mimetype"]) for one in sent_to_json] == [("annotated.jpg", "image/jpeg")]
    assert base64.b64decode(sent_to_json[0]["base64"]) == b"\xff\xd8 annotated"
    assert any(b'filename="annotated.jpg"' in body and b"\xff\xd8 annotated" in body for body in bodies)

    said = {d["channel"]: d["attached"] for d in book.attempts(1) if d["type"] == "sent"}
    assert said["form"] == said["json"] == "with annotated.jpg (1 kB)"
    assert said["plain"] == "without a picture: the channel is set so"
    assert said["push"] == "without a picture: this kind of channel takes none"
    kept = json.dumps([*book.attempts(1), *book.channels()]) + (own_mill.folder / "alerter.log").read_text()
    assert not [secret for secret in ("hunter2", "t0ken") if secret in kept]


def test_a_message_without_a_picture_and_one_that_was_refused_with_it_say_so(
    own_mill: Mill, book: AlertBook, rules: RuleStore, events: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    address = receiver.url.replace("http://", "json://")
    (tmp_path / "channels.yaml").write_text(f"chat:\n  apprise: {address}\n")
    now = time.time()
    for n, camera in enumerate(("yard", "gate")):
        noticed = event(camera, now + n)
        document = alert_document(noticed, Verdict("alert", "it is a test", None, ("r",), ("chat",)), now)
        assert number_for(book, noticed["id"], document) == n + 1
    events.prepare()
    events.write(event("gate", now + 1), {"best.jpg": b"\xff\xd8 clean"})
    # Two attempts have failed with the picture; the third is due now.
    for attempt in (1, 2):
        begun = begun_document(2, "chat", "alerter", now)
        failed = sent_document(2, "chat", Attempt(now - 5 + attempt, False), Plan(None, now, "again"), "refused")
        book.create(begun_id(2, "chat", attempt), begun)
        book.create(sent_id(2, "chat", attempt), failed)
    own_mill.start("alerter", channels_file=tmp_path / "channels.yaml")
    wait_for(lambda: results(book, 1) == ["sent"] and "sent" in results(book, 2), "both messages")
    said = {d["number"]: d["attached"] for d in book.attempts(1) + book.attempts(2) if d.get("result") == "sent"}
    assert said == {1: "without a picture: none is stored", 2: "without a picture: 2 attempts with it failed"}
    assert not [body for _, body in receiver.got if json.loads(body).get("attachments")]


def test_two_alerters_and_kills_give_every_number_once(
    own_mill: Mill, amqp_url: str, book: AlertBook, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule("everything", cool_down_seconds=0, channels=("desk",)))
    names = ["alerter", "alerter:2"]
    own_mill.start(*names, channels_file=channels_file)
    now = time.time()
    wanted = [event(f"camera-{n}", now + n / 1000) for n in range(40)]
    with publishing(amqp_url) as broker:
        for turn, start in enumerate(range(0, 40, 10)):
            tell(broker, *wanted[start : start + 10])
            wait_for(lambda start=start: book.last() > start + 2, "some alerts")
            own_mill.kill(names[turn % 2])
            own_mill.start(names[turn % 2], channels_file=channels_file)
    alerts = raised(book, 40)
    assert [alert["number"] for alert in alerts] == list(range(1, 41))
    assert sorted(alert["event"] for alert in alerts) == sorted(one["id"] for one in wanted)
    open_ones = {n for n in range(1, 41) if any(d["type"] == "begun" for d in book.attempts(n))}
    wait_for(lambda: len(set(receiver.numbers())) == 40, "every alert to be received")
    assert open_ones <= set(range(1, 41))


def test_two_desks_racing_over_the_same_events_give_each_one_number(couch_of_mill: Couch, book: AlertBook) -> None:
    RuleStore(couch_of_mill).prepare()
    EventStore(couch_of_mill).prepare()
    RuleStore(couch_of_mill).put(Rule("everything", cool_down_seconds=0))
    now = time.time()
    news = [EventNews("new", event(f"camera-{n}", now + n / 1000)) for n in range(12)]
    given: list[dict[str, int | None]] = [{}, {}, {}]

    def race(mine: dict[str, int | None], order: list[EventNews]) -> None:
        desk = Desk(couch_of_mill)
        mine.update({str(one.event["id"]): desk.consider(one) for one in order})

    orders = [news, news[::-1], news[6:] + news[:6]]
    threads = [threading.Thread(target=race, args=pair) for pair in zip(given, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
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
    rules.put(parse_rule({"name": "everything", **rule}))
    desk = Desk(couch_of_mill)
    changes = dict(changes)
    if changes.pop("after_another", False):
        assert desk.consider(EventNews("new", event("yard", time.time() - 5))) == 1
    held_back = event("yard", **changes)
    assert desk.consider(EventNews("new", held_back)) is None
    assert desk.consider(EventNews("update", held_back)) is None
    (held,) = store.held(10).documents
    assert (held["event"], held["code"]) == (held_back["id"], code)
    assert len(held["reason"]) > 20


def test_an_acknowledged_alert_holds_nothing_back(couch_of_mill: Couch, rules: RuleStore, book: AlertBook) -> None:
    EventStore(couch_of_mill).prepare()
    rules.put(Rule("everything", cool_down_seconds=0, until_acknowledged=True))
    desk = Desk(couch_of_mill)
    assert desk.consider(EventNews("new", event("yard", time.time() - 9))) == 1
    assert desk.consider(EventNews("new", event("yard", time.time() - 5))) is None
    assert book.acknowledge(1, "ann", time.time())["by"] == "ann"
    assert book.acknowledge(1, "bob", time.time())["by"] == "ann"
    assert desk.consider(EventNews("new", event("yard"))) == 2


def test_a_snooze_holds_back_until_it_is_ended(couch_of_mill: Couch, rules: RuleStore) -> None:
    EventStore(couch_of_mill).prepare()
    snoozes, desk, now = Snoozes(couch_of_mill), Desk(couch_of_mill), time.time()
    named = snoozes.add(Snooze(now, now + 600, camera="yard"), "ann")
    assert [(one.id, one.by) for one in snoozes.lasting(now + 1)] == [(named, "ann")]
    assert desk.consider(EventNews("new", event("yard"))) is None
    assert desk.consider(EventNews("new", event("garden"))) == 1
    assert snoozes.end(named, time.time())
    assert snoozes.lasting(time.time()) == []
    assert desk.consider(EventNews("update", event("yard"))) == 2
    assert not snoozes.end("nothing", now)
