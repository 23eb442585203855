"""Events become numbered alerts, and people are told: with a real broker and database, whatever is killed."""

import json
import time
from pathlib import Path

from frame_to_alert.alerting import SECRET, event, raised, results, tell
from imagemill.alerting.judge import Verdict
from imagemill.alerting.records import raised_alert
from imagemill.alerting.signature import verify
from imagemill.domain.alerts import BegunAttempt
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
    kept = str([book.alert(1), *book.attempts(1), *book.channels()])
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
    first = {("desk", 1), ("nobody", 1)}
    wait_for(
        lambda: first <= {(one.channel, one.attempt) for one in book.attempts(1) if one.sent}, "the first attempts"
    )
    own_mill.kill("alerter")  # the retry is found in the book
    own_mill.start("alerter", channels_file=channels_file)
    wait_for(lambda: "sent" in results(book, 1), "the second attempt")
    sent = {(one.channel, one.attempt): (one.sent.result, one.sent.answer) for one in book.attempts(1) if one.sent}
    assert sent["desk", 1] == ("failed", "503 Service Unavailable")
    assert sent["desk", 2] == ("sent", "204 No Content")
    assert sent["nobody", 1][1] == "there is no channel 'nobody' in the channels file"
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
    (begun,) = [one.begun for one in book.attempts(1) if one.begun]
    assert (begun.channel, results(book, 1)) == ("desk", [])  # known as begun; tried again once it counts as cut off


def test_an_attempt_that_was_cut_off_is_recorded_and_made_again(
    own_mill: Mill, book: AlertStore, rules: RuleStore, channels_file: Path, receiver: Receiver
) -> None:
    now = time.time()
    verdict = Verdict("alert", "everything says so", rules=("everything",), channels=("desk",))
    yard = event("yard", now - 300)
    assert book.add(raised_alert(yard, verdict, now - 300)) == 1
    assert book.begin(BegunAttempt(number=1, channel="desk", by="a killed one", at=now - 299), 1)
    own_mill.start("alerter", channels_file=channels_file)
    wait_for(lambda: results(book, 1) == ["failed", "sent"], "the second attempt")
    answers = [one.sent.answer for one in book.attempts(1) if one.sent]
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
    assert [alert.number for alert in alerts] == list(range(1, 41))
    assert sorted(alert.event for alert in alerts) == sorted(one.id for one in wanted)
    # What was cut off is tried again too (above), but two minutes later.
    others = {str(number) for number in set(range(1, 41)) - cut_off}
    wait_for(lambda: others <= set(receiver.numbers()), "every other alert to be received")


def begun_and_not_ended(book: AlertStore, by: str) -> set[int]:
    """Alerts of which one that was killed was telling somebody."""
    attempts = [attempt for number in range(1, book.last() + 1) for attempt in book.attempts(number)]
    return {one.begun.number for one in attempts if one.begun and one.begun.by == by and not one.sent}
