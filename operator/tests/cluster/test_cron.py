"""Cron expressions in time zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from imagemill_operator.cron import next_time, problem_of

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("0 8 * * 1-5", "2026-07-03T07:59:59", "2026-07-03T08:00:00"),
        ("0 8 * * 1-5", "2026-07-03T08:00:00", "2026-07-06T08:00:00"),
        ("*/15 * * * *", "2026-07-03T08:07:30", "2026-07-03T08:15:00"),
        ("0 8 * * MON", "2026-07-04T12:00:00", "2026-07-06T08:00:00"),
    ],
)
def test_the_next_time_is_in_the_time_zone(expression: str, now: str, expected: str) -> None:
    assert next_time(expression, BERLIN, at(now)) == at(expected)


def test_clocks_that_change_change_it() -> None:
    winter = next_time("0 8 * * *", BERLIN, at("2026-03-28T12:00:00") - 86_400)
    summer = next_time("0 8 * * *", BERLIN, at("2026-03-28T12:00:00"))
    assert (datetime.fromtimestamp(winter, UTC).hour, datetime.fromtimestamp(summer, UTC).hour) == (7, 6)


@pytest.mark.parametrize(
    ("expression", "timezone", "words"),
    [
        ("0 8 * *", "UTC", "five fields"),
        ("0 0 8 * * *", "UTC", "five fields"),
        ("61 * * * *", "UTC", "Bad minute"),
        ("0 0 31 4 *", "UTC", "Bad day-of-month"),
        ("0 8 * * *", "Mars/Olympus", "'Mars/Olympus' is no time zone"),
        ("0 8 * * *", "../etc/passwd", "is no time zone"),
    ],
)
def test_what_cannot_be_meant_is_said_with_what_it_is(expression: str, timezone: str, words: str) -> None:
    assert words in (problem_of(expression, timezone) or "")


def test_what_can_be_meant_has_no_problem() -> None:
    assert problem_of("0 8-18/2 1,15 * mon-fri", BERLIN) is None
