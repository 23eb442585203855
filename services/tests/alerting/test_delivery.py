"""Retries, what is recorded of them, what people read, and that no secret is in any of it."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.alerting.channels import hide, shown
from imagemill.alerting.judge import Snooze, Verdict
from imagemill.alerting.message import message
from imagemill.alerting.records import (
    acknowledged_id,
    acknowledgement,
    past_alert,
    raised_alert,
    sent_attempt,
    sent_id,
    snooze_document,
    snooze_id,
    snooze_of,
    suppression,
    tried,
)
from imagemill.alerting.retries import PAUSES_SECONDS, Attempt, pause_seconds, plan
from imagemill.domain.alerts import Alert
from imagemill.domain.events import Event

TOLD = {
    "id": "yard:1790000000000", "source": "yard", "kind": "motion", "class": "alert", "started_at": 1_790_000_000.0,
    "ended_at": None, "score": 0.93, "zones": ["door", "path"], "people": None,
}  # fmt: skip
EVENT = Event.parse(TOLD)
URLS = [
    "tgram://123456:AAbbCCddEEff/987654321",
    "mailto://alice:hunter2hunter2@mail.example?to=bob@example.org",
    "https://hooks.slack.example/services/T00000000/B00000000/XXXXsecretXXXX",
    "slack://TokenA123/TokenB456/TokenC789secret/#general",
    "json://user:hunter2hunter2@receiver.example/path",
    "https://receiver.example/in?token=hunter2hunter2",
]
SECRETS = ["AAbbCCddEEff", "hunter2", "XXXXsecretXXXX", "TokenC789secret", "987654321", "B00000000"]


@pytest.mark.parametrize("url", URLS)
def test_what_is_shown_of_a_channel_holds_no_secret(url):
    assert not any(secret in shown(url) for secret in SECRETS)
    assert shown(url).startswith(url.partition(":")[0] + "://")


def test_the_host_of_a_plain_web_address_is_shown():
    assert shown("https://hooks.example/services/x") == "https://hooks.example/***"
    assert shown("https://hooks.example") == "https://hooks.example"
    assert shown("https://a:b@hooks.example/") == "https://hooks.example/***"
    assert shown("nonsense") == "***"


@pytest.mark.parametrize("url", ["tgram://[never-seen/secret-word", "https://a[never-seen/secret-word"])
def test_what_is_no_url_keeps_nobody_from_being_told_and_is_hidden(url):
    assert shown(url) == "***"
    assert hide(f"POST {url} failed: secret-word is wrong", [*URLS, url]) == "POST *** failed: *** is wrong"


@pytest.mark.parametrize("url", URLS)
def test_errors_that_repeat_an_address_or_a_part_of_it_are_cleaned(url):
    inner = url.partition("://")[2]
    said = hide(f"POST {url} failed; see {inner}; path /{inner.partition('/')[2]}", URLS)
    assert not any(secret in said for secret in SECRETS)
    assert "failed" in said


def test_a_delivery_that_is_received_is_done():
    assert plan([Attempt(10.0, True, 200)], 11.0, 0.5).result == "sent"
    assert plan([], 11.0, 0.5).next_at == 11.0


def test_failures_are_tried_again_later_and_later_and_then_given_up():
    attempts, times = [], [0.0]
    while (made := plan([*attempts, Attempt(times[-1], False, 503)], times[-1], 0.0)).result is None:
        attempts.append(Attempt(times[-1], False, 503))
        times.append(made.next_at)
    assert len(times) == len(PAUSES_SECONDS) + 1
    assert [b - a for a, b in itertools.pairwise(times)] == list(PAUSES_SECONDS)
    assert made.result == "given_up"
    assert made.reason == "7 attempts failed"


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_what_the_receiver_refuses_is_not_tried_again(status):
    assert plan([Attempt(0.0, False, status)], 1.0, 0.5).result == "given_up"


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 503])
def test_what_may_work_later_is_tried_again(status):
    assert plan([Attempt(0.0, False, status)], 1.0, 0.5).next_at > 1.0


def test_a_receiver_may_ask_for_more_time_but_not_for_days():
    assert pause_seconds(1, 0.0, 60.0) == 60.0
    assert pause_seconds(1, 0.0, 1e9) == 3600.0


@given(attempt=st.integers(-3, 100), chance=st.floats(0, 1), asked=st.none() | st.floats(-10, 1e9))
def test_pauses_are_bounded(attempt, chance, asked):
    assert PAUSES_SECONDS[0] <= pause_seconds(attempt, chance, asked) <= PAUSES_SECONDS[-1] * 1.25


def test_the_record_of_an_attempt_says_all_but_secrets():
    attempt = Attempt(5.0, False, 503, 30.0)
    record = sent_attempt(17, "chat", attempt, plan([attempt], 5.0, 0.0), f"503 from {URLS[0]} " + "x" * 999, URLS)
    assert record.answer.startswith("503 from tgram://***")
    assert len(record.answer) == 300
    assert (record.result, record.next_at, record.channel) == ("failed", 35.0, "chat")
    assert sent_id(17, "chat", 1) == "sent:0000000017:chat:001"
    assert tried([record]) == [attempt]
    assert json.loads(json.dumps(record.as_document())) == record.as_document()


def test_alerts_snoozes_and_acknowledgements_are_read_back():
    verdict = Verdict("alert", "day says so", None, ("day",), ("mail",))
    raised = raised_alert(EVENT, verdict, 1_790_000_002.0)
    alert = Alert.model_validate(raised.as_document() | {"number": 3})
    past = past_alert(alert, acknowledged=True)
    assert (past.number, past.event_id, past.rules, past.acknowledged) == (3, EVENT.id, ("day",), True)
    snooze = Snooze(10.0, 20.0, "yard")
    assert snooze_of(snooze_document(snooze, "alice")) == snooze
    assert snooze_of(snooze_document(snooze, "alice"), ended_at=12.0).until == 12.0
    assert snooze_id(10.0, "alice") != snooze_id(10.0, "bob")
    assert acknowledged_id(3) == "acknowledged:0000000003"
    assert acknowledgement(3, "alice", 9.0).by == "alice"
    with pytest.raises(ValueError, match="must end after it begins"):
        snooze_document(Snooze(10.0, 10.0), "alice")


def test_it_is_written_down_why_an_event_is_held_back():
    cool, zone = Verdict("held_back", "too soon", "cool-down"), Verdict("held_back", "elsewhere", "zone")
    held = [suppression(EVENT, verdict, 3.0) for verdict in (cool, zone)]
    assert [(one.event, one.code, one.reason) for one in held] == [
        (EVENT.id, "cool-down", "too soon"), (EVENT.id, "zone", "elsewhere"),
    ]  # fmt: skip


def test_a_message_says_what_where_when_and_where_to_look():
    told = message(17, EVENT, "Europe/Berlin", "https://mill.example/", "Back yard")
    assert told.title == "Alert 17: Motion (Back yard)"
    assert told.text.splitlines() == [
        "Motion in door and path, score 0.93, since 2026-09-21 16:13:20 CEST.",
        "https://mill.example/alerts/17",
    ]


@pytest.mark.parametrize(
    ("boxes", "what"), [([], "Motion"), ([[0.1, 0.2, 0.1, 0.4]], "Person"), ([[0.1, 0.2, 0.1, 0.4]] * 2, "2 people")]
)
def test_a_message_says_who_was_found_and_how_slow_that_was(boxes, what):
    found = TOLD | {"people": {"boxes": boxes, "seconds": 0.2, "sentence": "… found in 0.20 s per frame"}}
    told = message(2, Event.parse(found), "UTC", "http://x")
    assert told.title == f"Alert 2: {what} (yard)"
    assert told.text.splitlines()[0].startswith(f"{what} in door and path, score 0.93")
    assert told.text.splitlines()[1] == "… found in 0.20 s per frame."


def test_a_message_about_an_event_that_has_ended_says_how_long_it_was():
    ended = TOLD | {"ended_at": 1_790_000_075.0}
    text = message(2, Event.parse(ended), "UTC", "http://x").text
    assert "14:13:20 UTC, for 1 min 15 s." in text
    frozen = TOLD | {"kind": "frozen"}
    assert message(2, Event.parse(frozen), "UTC", "http://x").title == "Alert 2: The picture is frozen (yard)"
