"""Where an alert's messages stand, from its documents."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from imagemill.alerter.channels import ChannelsError, parse
from imagemill.alerter.deliveries import INTERRUPTED_SECONDS, delivery_statuses
from imagemill.alerter.pictures import MOST_BYTES, chosen
from imagemill.alerter.post import send
from imagemill.alerting.message import Message
from imagemill.alerting.records import sent_attempt
from imagemill.alerting.retries import Attempt, plan
from imagemill.alerting.webhook import AlertBody
from imagemill.domain.addresses import AddressPolicy
from imagemill.domain.alerts import Alert, AlertAttempt, BegunAttempt

POLICY, HERE = AddressPolicy(), AddressPolicy(loopback=True)
ALERT = Alert(
    number=3, at=100.0, camera="yard", kind="motion", event="yard:99000", started_at=99.0, rules=("everything",),
    channels=("desk", "mail"), reason="everything says so",
)  # fmt: skip
BODY = AlertBody(3, b"{}")


def begun(channel, attempt, at):
    record = BegunAttempt(number=3, channel=channel, by="me", at=at)
    return AlertAttempt(channel=channel, attempt=attempt, begun=record)


def sent(channel, attempt, at, ok, begun_at=None):
    made = Attempt(at, ok, 204 if ok else 503)
    record = sent_attempt(3, channel, made, plan([made], at, 0.0), "answer")
    begin = begun(channel, attempt, begun_at).begun if begun_at else None
    return AlertAttempt(channel=channel, attempt=attempt, begun=begin, sent=record)


def test_what_was_never_begun_is_due_at_once():
    assert [(one.channel, one.due_at, one.next_attempt) for one in delivery_statuses(ALERT, [])] == [
        ("desk", 100.0, 1),
        ("mail", 100.0, 1),
    ]


def test_a_failed_attempt_is_due_again_when_its_record_says():
    (desk, mail) = delivery_statuses(
        ALERT, [sent("desk", 1, 102.0, False, begun_at=101.0), sent("mail", 1, 103.0, True)]
    )
    assert (desk.due_at, desk.next_attempt, desk.interrupted) == (107.0, 2, False)
    assert mail.due_at is None


def test_an_attempt_without_an_end_counts_as_cut_off_after_a_while():
    desk = delivery_statuses(ALERT, [begun("desk", 1, 101.0)])[0]
    assert (desk.due_at, desk.interrupted, desk.next_attempt) == (101.0 + INTERRUPTED_SECONDS, True, 1)
    attempts = [begun("desk", 2, 310.0), sent("desk", 1, 300.0, False, begun_at=101.0)]
    again = delivery_statuses(ALERT, attempts)[0]
    assert (again.due_at, again.interrupted, again.next_attempt) == (310.0 + INTERRUPTED_SECONDS, True, 2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1, 2]", "must be a map"),
        ("Desk: {apprise: 'x://y'}", "lower-case"),
        ("desk: {apprise: 'x://t0ken', webhook: 'https://t0ken'}", "exactly one"),
        ("desk: {webhook: 'https://t0ken', secret: short}", "at least 16 bytes"),
        ("desk: {url: 't0ken'}", "either"),
        ("desk: {webhook: 't0ken", "not YAML"),
        ("desk: {apprise: 'x://t0ken', pictuers: false}", "may have `allow_private`, `apprise`, `pictures`, `secret`"),
        ("desk: {apprise: 'x://t0ken', t0ken: 1}", "a setting that is not known"),
        ("desk: {apprise: 'x://t0ken', pictures: sometimes}", "must be true or false"),
        ("desk: {apprise: 'x://t0ken', allow_private: sometimes}", "must be true or false"),
        (
            "desk: {webhook: 'https://t0ken', secret: sixteen bytes or more, pictures: false}",
            "may have `allow_private`, `callback`, `outcomes`, `secret`, `webhook`",
        ),
        ("desk: {apprise: 'x://t0ken', callback: true}", "may have `allow_private`, `apprise`, `pictures`, `secret`"),
        (
            "desk: {webhook: 'https://t0ken', secret: sixteen bytes or more, outcomes: [image.lost]}",
            "some of these: image.stored, image.failed, batch.complete",
        ),
        ("desk: {webhook: 'https://t0ken', secret: sixteen bytes or more, outcomes: all}", "must be a list"),
        ("desk: {webhook: 'https://t0ken', secret: sixteen bytes or more, callback: 1}", "must be true or false"),
    ],
)
def test_a_wrong_channels_file_is_refused_without_repeating_its_secrets(text, sentence):
    with pytest.raises(ChannelsError) as wrong:
        parse(text, POLICY)
    assert sentence in str(wrong.value)
    assert "t0ken" not in str(wrong.value)


def test_channels_show_no_secret():
    channels = parse("desk: {webhook: 'https://desk.example/t0ken-t0ken', secret: sixteen bytes or more}", POLICY)
    assert channels["desk"].described().model_dump() == {
        "name": "desk", "kind": "webhook", "address": "https://desk.example/***", "outcomes": [], "callback": False,
    }  # fmt: skip
    assert "t0ken" not in repr(channels)
    assert parse("", POLICY) == {}


def test_pictures_are_attached_unless_a_channel_says_no():
    channels = parse("with: {apprise: 'x://y'}\nwithout: {apprise: 'x://y', pictures: false}", POLICY)
    assert (channels["with"].pictures, channels["without"].pictures) == (True, False)


@pytest.mark.parametrize(
    ("lengths", "name"),
    [
        ({"best.jpg": 5, "annotated.jpg": 5, "strip-00.jpg": 5}, "annotated.jpg"),
        ({"best.jpg": 5, "annotated.jpg": MOST_BYTES + 1}, "best.jpg"),
        ({"best.jpg": MOST_BYTES + 1, "strip-00.jpg": 5, "strip-01.jpg": 5, "strip-02.jpg": 5}, "strip-01.jpg"),
        ({"best.jpg": MOST_BYTES + 1}, None),
        ({"before.jpg": 5}, None),
        ({}, None),
    ],
)
def test_the_best_picture_within_the_bound_goes_with_a_message(lengths, name):
    assert chosen(lengths) == name


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # one of Apprise's many plugins imports it
def test_what_apprise_says_is_kept_by_the_sender_whom_it_concerns():
    names = ("one", "two", "three")
    channels = parse(
        "\n".join(f"{name}: {{apprise: 'json://127.0.0.{n}:1/x'}}" for n, name in enumerate(names, 1)), HERE
    )
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda channel: send(channel, BODY, Message("t", "x")), channels.values()))
    for number, answer in enumerate(answers, 1):
        assert not answer.ok
        assert answer.text == f"A Connection error occurred sending JSON notification to 127.0.0.{number}."
    (unknown,) = parse("x: {apprise: 'nothing-like-it://x'}", POLICY).values()
    assert send(unknown, BODY, Message("t", "x")).text == "the channel's address is none that Apprise knows"
