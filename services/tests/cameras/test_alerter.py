"""Events become numbered alerts, and people are told: with a real broker and database, whatever is killed."""

import json
import time
from pathlib import Path

from cameras.alerting import SECRET, event, raised, results, tell
from imagemill.alerting.judge import Verdict
from imagemill.alerting.numbering import number_for
from imagemill.alerting.records import alert_document, begun_document, begun_id
from imagemill.alerting.signature import verify
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.rules import RuleStore
from mill import Mill, wait_for
from receiver import Receiver
from watching import publishing


def test_an_event_becomes_alert_1_and_the_webhook_is_signed(
    own_mill: Mill, amqp_url: str, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule(name="everything", channels=("desk",)))
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
    kept = json.dumps([book.alert(1), *book.attempts(1), *(channel.model_dump() for channel in book.channels())])
    assert SECRET not in kept
    assert "s3cr3t" not in kept
    assert "s3cr3t" not in (own_mill.folder / "alerter.log").read_text()


def test_what_fails_is_tried_again_and_every_attempt_is_recorded(
    own_mill: Mill, amqp_url: str, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    receiver.answers = [503]
    rules.put(Rule(name="everything", channels=("desk", "nobody")))
    own_mill.start("alerter", channels_file=channels_file)
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
    first = {"sent:0000000001:desk:001", "sent:0000000001:nobody:001"}
    wait_for(lambda: first <= {document["_id"] for document in book.attempts(1)}, "the first attempts")
    own_mill.kill("alerter")  # the retry is found in the book
    own_mill.start("alerter", channels_file=channels_file)
    wait_for(lambda: "sent" in results(book, 1), "the second attempt")
    sent = {d["_id"]: (d["result"], d["answer"]) for d in book.attempts(1) if d["type"] == "sent"}
    assert sent["sent:0000000001:desk:001"] == ("failed", "503 Service Unavailable")
    assert sent["sent:0000000001:desk:002"] == ("sent", "204 No Content")
    assert sent["sent:0000000001:nobody:001"][1] == "there is no channel 'nobody' in the channels file"
    assert receiver.got[0][1] == receiver.got[1][1]


def test_a_kill_while_sending_loses_nothing(
    own_mill: Mill, amqp_url: str, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule(name="everything", cool_down_seconds=0, channels=("desk",)))
    receiver.hold.clear()
    own_mill.start("alerter", channels_file=channels_file)
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
        assert receiver.arrived.wait(100)
        own_mill.kill("alerter")
        receiver.hold.set()
        tell(broker, event("garden"))
    own_mill.start("alerter", channels_file=channels_file)
    raised(book, 2)
    wait_for(lambda: results(book, 2) == ["sent"], "the second alert's webhook")
    (begun,) = [d for d in book.attempts(1) if d["type"] == "begun"]
    assert (begun["channel"], results(book, 1)) == ("desk", [])  # known as begun; tried again once it counts as cut off


def test_an_attempt_that_was_cut_off_is_recorded_and_made_again(
    own_mill: Mill, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
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


def test_two_alerters_and_kills_give_every_number_once(
    own_mill: Mill, amqp_url: str, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    rules.put(Rule(name="everything", cool_down_seconds=0, channels=("desk",)))
    names = ["alerter", "alerter:2"]
    own_mill.start(*names, channels_file=channels_file)
    now, cut_off = time.time(), set()
    wanted = [event(f"camera-{n}", now + n / 1000) for n in range(40)]
    with publishing(amqp_url) as broker:
        for turn, start in enumerate(range(0, 40, 10)):
            tell(broker, *wanted[start : start + 10])
            wait_for(lambda start=start: book.last() > start + 2, "some alerts")
            own_mill.kill(names[turn % 2])
            cut_off |= begun_and_not_ended(book, names[turn % 2].replace(":", "-"))
            own_mill.start(names[turn % 2], channels_file=channels_file)
    alerts = raised(book, 40)
    assert [alert["number"] for alert in alerts] == list(range(1, 41))
    assert sorted(alert["event"] for alert in alerts) == sorted(one["id"] for one in wanted)
    # What was cut off is tried again too (above), but two minutes later.
    others = {str(number) for number in set(range(1, 41)) - cut_off}
    wait_for(lambda: others <= set(receiver.numbers()), "every other alert to be received")


def begun_and_not_ended(book: AlertStore, by: str) -> set[int]:
    """Alerts of which one that was killed was telling somebody."""
    attempts = [document for number in range(1, book.last() + 1) for document in book.attempts(number)]
    ended = {document["_id"] for document in attempts if document["type"] == "sent"}
    begun = [document for document in attempts if document["type"] == "begun" and document["by"] == by]
    return {document["number"] for document in begun if document["_id"].removesuffix(":begun") not in ended}
