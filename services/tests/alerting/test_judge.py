"""Which events become alerts, and the sentence for those that do not."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.alerting.judge import (
    AlertHistory,
    Candidate,
    PastAlert,
    Snooze,
    candidate_of,
    history_seconds,
    is_within,
    judge,
)
from imagemill.domain.events import Event
from imagemill.domain.rules import Rule, parse_hours

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=BERLIN).timestamp()  # a Friday
EVENT = Candidate("yard:1", "yard", "motion", "alert", NOON, 0.9, ("door",))
RULE = Rule(name="day", channels=("mail",), cool_down_seconds=300)


def changed(**changes):
    return RULE.model_copy(update=changes)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def past(number, ago, camera="yard", rules=("day",), acknowledged=False):
    return PastAlert(number, f"old:{number}", camera, rules, NOON - ago, acknowledged)


def test_a_rule_that_matches_makes_an_alert_and_tells_its_channels():
    verdict = judge(EVENT, [RULE, Rule(name="also", channels=("mail", "chat"))], AlertHistory(), NOON)
    assert verdict.outcome == "alert"
    assert verdict.rules == ("day", "also")
    assert verdict.channels == ("mail", "chat")
    assert verdict.reason == "day and also say so"


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"enabled": False}, "disabled", "rule 'day' is switched off"),
        ({"cameras": ("gate", "back-*")}, "camera", "rule 'day' is not for the camera yard"),
        ({"kinds": ("frozen",)}, "kind", "rule 'day' is not for events of the kind motion"),
        ({"zones": ("gate", "path")}, "zone", "rule 'day' is for gate or path; it was in door"),
        ({"classes": ("detection",)}, "class", "rule 'day' is for the class detection; this was of the class alert"),
        ({"min_score": 0.95}, "score", "rule 'day' wants a score of 0.95; this had 0.90"),
        (
            {"hours": (parse_hours("22:00-06:00"),), "weekdays": ("monday", "tuesday"), "timezone": "Europe/Berlin"},
            "hours",
            "it was Friday 12:00; rule 'day' is for 22:00-06:00 monday, tuesday (Europe/Berlin)",
        ),
    ],
)
def test_an_event_that_a_rule_is_not_for_is_held_back_with_the_reason(changes, code, sentence):
    verdict = judge(EVENT, [changed(**changes)], AlertHistory(), NOON)
    assert (verdict.outcome, verdict.code, verdict.reason) == ("held_back", code, sentence)


def test_matching_patterns_and_zones():
    assert judge(EVENT, [changed(cameras=("ya*",), zones=("door", "x"))], AlertHistory(), NOON).outcome == "alert"


@pytest.mark.parametrize(
    ("changes", "history", "code", "sentence"),
    [
        ({}, AlertHistory([past(7, 100)]), "cool-down",
         "alert 7 of the same camera was 1 min 40 s ago; the cool-down is 5 min"),
        ({"at_most": 2, "cool_down_seconds": 0}, AlertHistory([past(1, 50), past(2, 3000, "gate")]), "limit",
         "rule 'day' gave 2 alerts in 1 h; at most 2 are allowed"),
        ({"until_acknowledged": True}, AlertHistory([past(3, 99999)]), "unacknowledged",
         "alert 3 of the same camera is not acknowledged yet"),
        ({}, AlertHistory(snoozes=[Snooze(NOON - 5, NOON + 600)]), "snoozed",
         "everything is snoozed for another 10 min"),
        ({}, AlertHistory(snoozes=[Snooze(NOON - 5, NOON + 600, "yard", "day")]), "snoozed",
         "camera yard and rule 'day' is snoozed for another 10 min"),
    ],
)  # fmt: skip
def test_people_are_not_told_too_often(changes, history, code, sentence):
    verdict = judge(EVENT, [changed(**changes)], history, NOON)
    assert (verdict.outcome, verdict.code, verdict.reason) == ("held_back", code, sentence)


@pytest.mark.parametrize(
    ("changes", "history"),
    [
        ({}, AlertHistory([past(7, 301)])),
        ({}, AlertHistory([past(7, 100, camera="gate")])),
        ({}, AlertHistory([past(7, 100, rules=("night",))])),
        ({"at_most": 2}, AlertHistory([past(1, 350), past(2, 3700)])),
        ({"until_acknowledged": True}, AlertHistory([past(3, 999, acknowledged=True)])),
        ({}, AlertHistory(snoozes=[Snooze(NOON - 5, NOON)])),
        ({}, AlertHistory(snoozes=[Snooze(NOON + 1, NOON + 9)])),
        ({}, AlertHistory(snoozes=[Snooze(NOON - 5, NOON + 5, camera="gate")])),
        ({}, AlertHistory(snoozes=[Snooze(NOON - 5, NOON + 5, rule="night")])),
    ],
)
def test_what_is_over_or_about_others_does_not_hold_back(changes, history):
    assert judge(EVENT, [changed(**changes)], history, NOON).outcome == "alert"


def test_an_event_that_is_an_alert_already_stays_one_for_the_same_channels():
    told = PastAlert(9, EVENT.event_id, "yard", ("day",), NOON - 1)
    verdict = judge(EVENT, [RULE, Rule(name="new", channels=("chat",))], AlertHistory([told]), NOON)
    assert (verdict.outcome, verdict.reason, verdict.channels) == ("alert", "it is alert 9 already", ("mail",))


def test_of_several_rules_the_nearest_miss_is_told():
    rules = [Rule(name="gate", cameras=("gate",)), changed(hours=(parse_hours("01:00-02:00"),))]
    assert judge(EVENT, rules, AlertHistory(), NOON).code == "hours"
    assert judge(EVENT, [], AlertHistory(), NOON).reason == "there are no rules"


@pytest.mark.parametrize(
    ("when", "within"),
    [
        ("2026-11-20T21:59:59", False),
        ("2026-11-20T22:00:00", True),
        ("2026-11-21T05:59:59", True),
        ("2026-11-21T06:00:00", False),
        ("2026-11-21T22:30:00", False),
        ("2026-11-20T03:00:00", False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(when, within):
    hours, days = (parse_hours("22:00-06:00"),), ("friday",)
    assert is_within(datetime.fromisoformat(when), hours, days) is within


def test_hours_follow_summer_time():
    rule = changed(hours=(parse_hours("08:00-09:00"),), timezone="Europe/Berlin")
    for day in ("2026-07-01", "2026-12-01"):
        event = replace(EVENT, at=at(f"{day}T08:30:00"))
        assert judge(event, [rule], AlertHistory(), event.at).outcome == "alert"
        later = replace(EVENT, at=at(f"{day}T09:30:00"))
        assert judge(later, [rule], AlertHistory(), later.at).outcome == "held_back"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_two_ranges_that_make_a_day_cover_every_minute_once(moment):
    day, night = (parse_hours("07:30-19:15"),), (parse_hours("19:15-07:30"),)
    assert is_within(moment, day, ()) != is_within(moment, night, ())
    assert is_within(moment, (parse_hours("00:00-24:00"),), ())


@given(ages=st.lists(st.floats(0, 20000), max_size=12), at_most=st.integers(1, 4))
def test_no_more_than_at_most_per_period_whatever_comes(ages, at_most):
    rule = Rule(name="r", cool_down_seconds=0, at_most=at_most, period_seconds=1000)
    given_alerts: list[PastAlert] = []
    for number, when in enumerate(sorted(ages), 1):
        event = replace(EVENT, event_id=str(number), at=when)
        if judge(event, [rule], AlertHistory(given_alerts), when).outcome == "alert":
            given_alerts.append(PastAlert(number, str(number), "yard", ("r",), when))
    times = [alert.at for alert in given_alerts]
    assert all(sum(t <= u < t + 1000 for u in times) <= at_most for t in times)


def test_a_candidate_is_read_from_an_event():
    event = {
        "id": "a:1",
        "source": "a",
        "kind": "motion",
        "class": "alert",
        "started_at": 5,
        "score": 0.5,
        "zones": ["z"],
    }
    assert candidate_of(Event.parse(event)) == Candidate("a:1", "a", "motion", "alert", 5.0, 0.5, ("z",))


def test_how_far_back_alerts_must_be_known():
    assert history_seconds([RULE, Rule(name="x", cool_down_seconds=9000)]) == 9000
    assert history_seconds([]) == 0


def test_rules_survive_json():
    rule = changed(hours=(parse_hours("22:00-06:00"),), weekdays=("friday",), at_most=3, zones=("a",))
    assert Rule.parse(rule.as_json()) == rule


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "a rule needs a name"),
        ({"name": " "}, "a rule needs a name that is not empty"),
        ({"name": "x", "camera": "y"}, r"a rule has no setting 'camera' \(did you mean cameras\?\); it has .*cameras"),
        ({"name": "x", "cameras": "yard"}, "cameras is 'yard'; it must be a list of words"),
        ({"name": "x", "kinds": ["ghost"]}, "has 'ghost' in kinds; known are motion, scene, frozen, offline"),
        ({"name": "x", "weekdays": ["caturday"]}, "known are monday"),
        ({"name": "x", "hours": ["25:00-26:00"]}, "write them like 22:00-06:00"),
        ({"name": "x", "hours": ["nine to five"]}, "are no hours"),
        ({"name": "x", "timezone": "Mars/Olympus"}, "time zone 'Mars/Olympus' is not known"),
        ({"name": "x", "timezone": "../../etc/passwd"}, "is not known"),
        ({"name": "x", "at_most": 0}, "at_most is 0"),
        ({"name": "x", "at_most": "many"}, "at_most is 'many'; it must be a number"),
        ({"name": "x", "cool_down_seconds": -1}, "cool_down_seconds is -1"),
        ({"name": "x", "period_seconds": 0}, "period_seconds is 0"),
        ({"name": "x", "min_score": 2}, "min_score is 2"),
        ({"name": "x", "enabled": "no"}, "enabled is 'no'; it must be true or false"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        Rule.parse(given)
