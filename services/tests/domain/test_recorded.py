"""Events and alerts as they were before they were models: what is sent, kept and answered is the same JSON.

`recorded/first.json` was written by the programs of November 2026, which passed dictionaries. It never changes: other
programs, receivers of webhooks and databases know these documents.
"""

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imagemill.alerting.judge import Snooze, Verdict, candidate_of
from imagemill.alerting.message import describe, message
from imagemill.alerting.records import acknowledgement, raised_alert, sent_attempt, snooze_document, suppression
from imagemill.alerting.retries import Attempt, plan
from imagemill.alerting.webhook import alert_body
from imagemill.api.alerts import views
from imagemill.api.web.openapi import document
from imagemill.camera.offline import Away, offline_event
from imagemill.domain.alerts import Acknowledgement, Alert, AlertPin, BegunAttempt, Suppression
from imagemill.domain.cameras import Camera
from imagemill.domain.events import Event, People, Region
from imagemill.motion.detector import Observation
from imagemill.motion.frames import Frame
from imagemill.motion.machine import Moment
from imagemill.motion.opened import OpenEvent
from imagemill.motion.saved_state import _moment, _moment_as_dict
from imagemill.store.alerts import attempts_of
from imagemill.store.camera_leases import CameraLease
from imagemill.store.events import StoredEvent, _stored
from imagemill.store.snoozes import Named
from imagemill.wire.camera_tests import CameraTestRequest, request_message
from imagemill.wire.events import EventNews, event_message, news_of

HERE = Path(__file__).parent
RECORDED: dict[str, Any] = json.loads((HERE / "recorded" / "first.json").read_text("utf-8"))
FIRST = json.loads((HERE.parent / "pipeline" / "forms" / "first.json").read_text("utf-8"))
EVENTS, DOCUMENTS, VIEWS = RECORDED["events"], RECORDED["documents"], RECORDED["views"]
AT = 1796016537.3764806
REGIONS = [
    Region(x=0.003125, y=0.594444, width=0.081251, height=0.255555, area=0.014769, score=0.972222, zones=("door",)),
    Region(x=0.5, y=0.25, width=0.1, height=0.2, area=0.01, score=0.5, zones=()),
]
OPEN: dict[str, Any] = {
    "source": "yard", "kind": "motion", "started_at": AT, "started_steady": 3.0, "last_at": AT + 4.12345,
    "last_steady": 7.0, "frames": 5, "moving_frames": 4, "best_at": AT + 1, "best_value": 0.02, "shown_value": 0.02,
    "area": 0.0147691, "zones": ["door"], "regions": REGIONS, "event_class": "alert",
}  # fmt: skip
WITH_PEOPLE = OpenEvent(**OPEN | {"people": People.found(((0.1, 0.2, 0.05, 0.3),), 0.2345)})
LEASE = CameraLease(
    "yard", "reader-1", 1, "offline", "cam-1.example does not answer", AT, down_since=AT, alerted=True
)  # fmt: skip
MADE = {
    "new": OpenEvent(**OPEN).as_event(),
    "end": WITH_PEOPLE.as_event("quiet"),
    "frozen": OpenEvent(**OPEN | {"kind": "frozen", "regions": [], "zones": [], "moving_frames": 1}).as_event(),
    "offline_new": offline_event(Away(LEASE), AT + 60),
    "offline_end": offline_event(Away(LEASE, "live"), AT + 90.5),
}
VERDICT = Verdict("alert", "everything says so", None, ("everything",), ("office", "chat"))
ALERT = Alert.model_validate(DOCUMENTS["numbered"])
ACKNOWLEDGED, PIN = Acknowledgement.model_validate(DOCUMENTS["acknowledged"]), AlertPin.model_validate(DOCUMENTS["pin"])


# Members of answers that came later.
SINCE = {"Alerts": {"counts"}, "SnoozeMade": {"by", "since", "until", "camera", "rule", "replaced"}}


@pytest.mark.parametrize("name", MADE)
def test_events_are_made_as_they_were(name: str) -> None:
    assert MADE[name].as_json() == EVENTS[name]


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_read_and_passed_on_as_they_came(name: str) -> None:
    """Also one that lacks most members, and one with members of a newer program."""
    event = Event.parse(EVENTS[name])
    assert event.as_json() == EVENTS[name]
    assert json.dumps(event.as_json(), sort_keys=True) == json.dumps(EVENTS[name], sort_keys=True)


@pytest.mark.parametrize(
    ("name", "event", "change", "pictures"),
    [("new", "new", "new", ()), ("end", "end", "end", ("best.jpg",)), ("offline", "offline_end", "end", ()),
     ("newer", "newer", "update", ())],
)  # fmt: skip
def test_messages_are_as_they_were(name: str, event: str, change: Any, pictures: tuple[str, ...]) -> None:
    news = EventNews(change, Event.parse(EVENTS[event]), pictures)
    sent, recorded = event_message(news), RECORDED["messages"][name]
    assert json.loads(sent.body) == recorded["body"]
    told = (sent.exchange, sent.key, sent.type, sent.content_type, sent.message_id)
    assert told == tuple(recorded[part] for part in ("exchange", "key", "type", "content_type", "message_id"))
    read = news_of(SimpleNamespace(body=json.dumps(recorded["body"]).encode()))  # type: ignore[arg-type]
    assert read == news


@pytest.mark.parametrize("lacking", ["id", "source", "kind", "class", "started_at"])
def test_a_message_without_what_every_event_tells_is_none(lacking: str) -> None:
    event = {name: value for name, value in EVENTS["new"].items() if name != lacking}
    body = json.dumps({"change": "new", "event": event}).encode()
    with pytest.raises(ValueError, match=f"the event lacks {lacking}"):
        news_of(SimpleNamespace(body=body))  # type: ignore[arg-type]


def test_a_message_with_a_wrong_member_is_none() -> None:
    body = json.dumps({"change": "new", "event": EVENTS["new"] | {"score": "high"}}).encode()
    with pytest.raises(ValueError, match="the event's score"):
        news_of(SimpleNamespace(body=body))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "event"), [("new", "new"), ("offline", "offline_end"), ("newer", "newer")])
def test_open_pages_hear_what_they_heard(name: str, event: str) -> None:
    assert Event.parse(EVENTS[event]).for_everybody() == RECORDED["open_pages"][name]


def test_the_state_of_an_open_event_is_as_it_was() -> None:
    assert json.loads(json.dumps(WITH_PEOPLE.as_dict())) == RECORDED["open_event"]
    assert OpenEvent.from_dict(RECORDED["open_event"]) == WITH_PEOPLE
    moment = Moment(Frame(AT, b"x", 7, 2), Observation("motion", tuple(REGIONS), 0.02), False, 7.0)
    assert json.loads(json.dumps(_moment_as_dict(moment))) == RECORDED["moment"]
    assert _moment(RECORDED["moment"], b"x") == moment


def test_the_alerters_documents_are_as_they_were() -> None:
    failed, sent = Attempt(AT + 6, False, 503, 30.0), Attempt(AT + 40, True, 204)
    held = Verdict("held_back", "alert 1 of the same camera was 1 s ago; the cool-down is 5 min", "cool-down")
    made = {
        "held": suppression(MADE["new"], held, AT + 5),
        "begun": BegunAttempt(number=17, channel="office", by="alerter-1", at=AT + 6),
        "failed": sent_attempt(17, "office", failed, plan([failed], AT + 6, 0.0), "503 Service Unavailable"),
        "sent": sent_attempt(
            17, "office", sent, plan([failed, sent], AT + 40, 0.0), "204 No Content", attached="with best.jpg (3 kB)"
        ),
        "acknowledged": acknowledgement(17, "ann", AT + 100, "it was the cat"),
    }
    assert {name: record.as_document() for name, record in made.items()} == {name: DOCUMENTS[name] for name in made}
    assert snooze_document(Snooze(AT, AT + 3600, "yard"), "ann") == DOCUMENTS["snooze"]


@pytest.mark.parametrize(("name", "event", "at"), [("alert", "end", AT + 5), ("alert_offline", "offline_new", AT + 61)])
def test_an_alert_is_raised_as_it_was(name: str, event: str, at: float) -> None:
    document = raised_alert(MADE[event], VERDICT, at).as_document()
    # Numbering writes these two.
    assert {key: value for key, value in document.items() if key not in ("number", "event")} == DOCUMENTS[name]


def test_a_webhook_gets_what_it_got() -> None:
    body = alert_body(ALERT, "https://mill.example/alerts/17")
    assert (body.number, json.loads(body.json)) == (17, RECORDED["webhook"]["end"])
    first = alert_body(Alert.model_validate(FIRST["alerts"][0]), "https://mill.example/alerts/1")
    assert json.dumps(json.loads(first.json), sort_keys=True) == json.dumps(
        RECORDED["webhook"]["first"], sort_keys=True
    )


@pytest.mark.parametrize(
    ("name", "event"),
    [("new", "new"), ("end", "end"), ("frozen", "frozen"), ("offline", "offline_end"), ("sparse", "sparse")],
)
def test_people_read_what_they_read(name: str, event: str) -> None:
    read = Event.parse(EVENTS[event])
    told = message(17, read, "Europe/Berlin", "https://mill.example/")
    assert [told.title, told.text, describe(read)] == RECORDED["texts"][name]


@pytest.mark.parametrize(
    ("name", "event"),
    [("new", "new"), ("end", "end"), ("frozen", "frozen"), ("offline", "offline_new"), ("sparse", "sparse")],
)
def test_rules_are_asked_what_they_were_asked(name: str, event: str) -> None:
    assert json.loads(json.dumps(asdict(candidate_of(Event.parse(EVENTS[event]))))) == RECORDED["candidates"][name]


def _whole(alert: Alert, stored: StoredEvent | None, attempts: list[dict[str, Any]], seen: bool = False) -> Any:
    listed = views.alert_view(alert, ACKNOWLEDGED if seen else None, PIN if seen else None)
    return views.whole_alert(listed, alert.raised_for, stored, attempts_of(attempts)).as_document()


def test_alerts_are_answered_as_they_were() -> None:
    first = Alert.model_validate(FIRST["alerts"][0])
    first_sent = [FIRST["alerts"][5], FIRST["alerts"][4]]
    answered = {
        "alert": views.alert_view(ALERT, ACKNOWLEDGED, PIN).as_document(),
        "alert_unseen": views.alert_view(ALERT, None, None).as_document(),
        "whole": _whole(ALERT, _stored(DOCUMENTS["stored"]), DOCUMENTS["attempts"], seen=True),
        "whole_dropped": _whole(ALERT, None, [], seen=True),
        "first_alert": _whole(first, _stored(FIRST["events-2026-11"][0]), first_sent),
        "seen": views.seen(ACKNOWLEDGED).model_dump(),
    }
    assert answered == {name: VIEWS[name] for name in answered}


def test_an_alert_of_which_little_was_kept_is_answered_as_it_was() -> None:
    alert = Alert.model_validate(DOCUMENTS["old_alert"])
    assert views.alert_view(alert, None, None).as_document() == VIEWS["old_alert"]
    assert _whole(alert, None, []) == VIEWS["whole_old"]


def test_events_are_answered_as_they_were() -> None:
    def answer(stored: StoredEvent, number: int | None) -> Any:
        return views.event_view(stored, number, "/p").as_json()

    answered = {
        "event": answer(_stored(DOCUMENTS["stored"]), 17),
        "event_offline": answer(_stored(EVENTS["offline_end"]), None),
        "event_sparse": answer(_stored(EVENTS["sparse"]), None),
        "event_newer": answer(_stored(EVENTS["newer"]), None),
        "first_event": answer(_stored(FIRST["events-2026-11"][0]), 1),
        "held": views.suppressed_view(Suppression.model_validate(DOCUMENTS["held"]), None).as_document(),
        "first_held": views.suppressed_view(Suppression.model_validate(FIRST["events-2026-11"][1]), None).as_document(),
        "snooze": views.snooze_view(Named("1:ann", "ann", Snooze(AT, AT + 3600, "yard"))).model_dump(),
    }
    assert answered == {name: VIEWS[name] for name in answered}


def test_a_camera_that_is_to_be_tested_is_sent_as_it_was() -> None:
    camera = Camera.parse(RECORDED["camera_test"]["camera"] | {"revision": "3-1f"})
    request = CameraTestRequest(id="t-1", reader="reader-1", camera=camera, reply_to="q")
    assert json.loads(request_message(request).body) == RECORDED["camera_test"]


@pytest.mark.parametrize("name", RECORDED["schemas"])
def test_the_api_describes_what_it_described(name: str) -> None:
    described, recorded = document()["components"]["schemas"][name], RECORDED["schemas"][name]
    assert described["description"] == recorded["description"]
    assert set(described["properties"]) == set(recorded["properties"]) | SINCE.get(name, set())
    assert set(described["required"]) == set(recorded["required"]) | SINCE.get(name, set())


def test_what_programs_once_told_of_an_event_is_shown_as_far_as_it_can_be() -> None:
    told = EVENTS["end"] | {"class": "Alert", "zones": "door", "score": "high", "seconds": 4.5}
    stored = _stored({**told, "_id": "event:1:yard"})
    assert (stored.event.event_class, stored.event.zones, stored.event.score) == (None, None, None)
    assert stored.event.seconds == 4.5
    assert views.event_view(stored, None, "/pictures").model_dump(mode="json")["zones"] is None
    alert = Alert.model_validate(an_alert() | {"facts": told})
    assert alert.raised_for.seconds == 4.5
    assert Alert.model_validate(an_alert() | {"facts": {"score": 1}}).raised_for.id == alert.event


def test_a_message_of_an_event_is_still_read_strictly() -> None:
    with pytest.raises(ValueError, match="zones"):
        Event.parse(EVENTS["end"] | {"zones": "door"})


def an_alert() -> dict[str, Any]:
    return raised_alert(Event.parse(EVENTS["end"]), Verdict(True, "alert", "It moved."), AT).as_document()
