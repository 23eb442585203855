"""What goes to channels that are no webhooks: words and a picture, and no secret is told of it."""

import base64
import json
import time
from pathlib import Path

from frame_to_alert.alerting import event, results, tell
from imagemill.alerting.judge import Verdict
from imagemill.alerting.records import raised_alert, sent_attempt
from imagemill.alerting.retries import Attempt, RetryPlan
from imagemill.domain.alerts import BegunAttempt
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from mill import Mill, wait_for
from receiver import Receiver
from watching import publishing


def test_apprise_tells_and_its_address_stays_secret(
    own_mill: Mill, amqp_url: str, book: AlertStore, rules: RuleStore, tmp_path: Path, receiver: Receiver
) -> None:
    channels = tmp_path / "channels.yaml"
    address = receiver.url.replace("http://", "json://user:hunter2hunter2@")
    channels.write_text(f"chat:\n  apprise: {address}\nbroken:\n  apprise: json://127.0.0.1:1/t0ken-t0ken\n")
    rules.put(Rule(name="everything", channels=("chat", "broken")))
    own_mill.start("alerter", channels_file=channels, page_url="https://mill.example", timezone="Europe/Berlin")
    with publishing(amqp_url) as broker:
        tell(broker, event("yard"))
    wait_for(lambda: {"failed", "sent"} <= set(results(book, 1)), "both channels")
    told = json.loads(receiver.got[0][1])
    assert told["title"] == "Alert 1: Motion (yard)"
    assert "https://mill.example/alerts/1" in told["message"]
    kept = str([*book.attempts(1), *book.channels()]) + (own_mill.folder / "alerter.log").read_text()
    assert not [secret for secret in ("hunter2", "s3cr3t", "t0ken") if secret in kept]


def said_of(book: AlertStore, number: int) -> dict[str, str]:
    """What the first attempt of each channel says of its picture."""
    first = [attempt for attempt in book.attempts(number) if attempt.attempt == 1]
    return {attempt.channel: attempt.sent.attached for attempt in first if attempt.sent}


def test_the_annotated_picture_goes_along_where_the_channel_takes_it(
    own_mill: Mill,
    amqp_url: str,
    book: AlertStore,
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
    rules.put(Rule(name="everything", channels=("form", "json", "plain", "push")))
    noticed = event("yard")
    events.prepare()
    events.write(noticed, {"best.jpg": b"\xff\xd8 clean", "annotated.jpg": b"\xff\xd8 annotated"})
    own_mill.start("alerter", channels_file=tmp_path / "channels.yaml")
    with publishing(amqp_url) as broker:
        tell(broker, noticed)
    wait_for(lambda: said_of(book, 1).keys() == {"form", "json", "plain", "push"}, "all channels")
    bodies = [body for _, body in receiver.got]
    attached = [json.loads(body).get("attachments") for body in bodies if body.startswith(b"{")]
    sent_to_json = [files[0] for files in attached if files]
    assert {(one["filename"], one["mimetype"]) for one in sent_to_json} == {("annotated.jpg", "image/jpeg")}
    assert base64.b64decode(sent_to_json[0]["base64"]) == b"\xff\xd8 annotated"
    assert any(b'filename="annotated.jpg"' in body and b"\xff\xd8 annotated" in body for body in bodies)

    said = said_of(book, 1)
    assert said["form"] == said["json"] == "with annotated.jpg (1 kB)"
    assert said["plain"] == "without a picture: the channel is set so"
    assert said["push"] == "without a picture: this kind of channel takes none"
    kept = str([*book.attempts(1), *book.channels()]) + (own_mill.folder / "alerter.log").read_text()
    assert not [secret for secret in ("hunter2", "t0ken") if secret in kept]


def test_a_message_without_a_picture_and_one_that_was_refused_with_it_say_so(
    own_mill: Mill, book: AlertStore, rules: RuleStore, events: EventStore, tmp_path: Path, receiver: Receiver
) -> None:
    address = receiver.url.replace("http://", "json://")
    (tmp_path / "channels.yaml").write_text(f"chat:\n  apprise: {address}\n")
    now = time.time()
    for n, camera in enumerate(("yard", "gate")):
        noticed = event(camera, now + n)
        verdict = Verdict("alert", "it is a test", None, ("r",), ("chat",))
        assert book.add(raised_alert(noticed, verdict, now)) == n + 1
    events.prepare()
    events.write(event("gate", now + 1), {"best.jpg": b"\xff\xd8 clean"})
    # Two attempts have failed with the picture; the third is due now.
    for attempt in (1, 2):
        failed = sent_attempt(2, "chat", Attempt(now - 5 + attempt, False), RetryPlan(None, now, "again"), "refused")
        assert book.begin(BegunAttempt(number=2, channel="chat", by="alerter", at=now), attempt)
        assert book.record(failed, attempt)
    own_mill.start("alerter", channels_file=tmp_path / "channels.yaml")
    wait_for(lambda: "sent" in results(book, 1) and "sent" in results(book, 2), "both messages")
    sent = [attempt.sent for attempt in book.attempts(1) + book.attempts(2)]
    said = {one.number: one.attached for one in sent if one and one.result == "sent"}
    assert said == {1: "without a picture: none is stored", 2: "without a picture: 2 attempts with it failed"}
    assert not [body for _, body in receiver.got if json.loads(body).get("attachments")]
