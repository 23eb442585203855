"""Until when a snooze lasts: mornings are those of whoever asks, also in nights on which clocks change."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from imagemill.api.alerts.snoozing import morning_after, seconds_of
from imagemill.api.web.problems import Problem

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=ZoneInfo("UTC")).timestamp()


@pytest.mark.parametrize(
    ("now", "zone", "morning"),
    [
        ("2026-11-30T23:30", "Europe/Berlin", "2026-12-01T07:00"),
        ("2026-12-01T00:30", "Europe/Berlin", "2026-12-01T07:00"),
        ("2026-12-01T06:59:59", "Asia/Tokyo", "2026-12-01T07:00"),
        ("2026-12-01T07:00", "Asia/Tokyo", "2026-12-02T07:00"),
        ("2027-03-27T23:00", "Europe/Berlin", "2027-03-28T07:00"),
        ("2026-10-24T23:00", "Europe/Berlin", "2026-10-25T07:00"),
        ("2026-12-31T22:00", "America/St_Johns", "2027-01-01T07:00"),
    ],
)
def test_a_morning_is_the_next_seven_o_clock(now: str, zone: str, morning: str) -> None:
    place = ZoneInfo(zone)
    found = morning_after(datetime.fromisoformat(now).replace(tzinfo=place).timestamp(), zone)
    assert datetime.fromtimestamp(found, place).replace(tzinfo=None) == datetime.fromisoformat(morning)


def test_a_night_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    before = datetime(2027, 3, 27, 23, 0, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert seconds_of({"until": "morning", "timezone": "Europe/Berlin"}, before, "UTC") == 7 * 3600


def test_without_a_time_zone_the_morning_is_that_of_the_settings() -> None:
    assert seconds_of({"until": "morning"}, NOW, "UTC") == 11 * 3600
    assert seconds_of({"until": "morning"}, NOW, "Asia/Tokyo") == 2 * 3600


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "seconds"), ({"seconds": 0}, "seconds"), ({"seconds": "nan"}, "seconds"), ({"seconds": True}, "seconds"),
        ({"seconds": 10**400}, "seconds"), ({"seconds": 31 * 86_400}, "seconds"), ({"until": "noon"}, "until"),
        ({"until": "morning", "timezone": "Moon/Sea"}, "timezone"), ({"until": "morning", "timezone": 7}, "timezone"),
    ],
)  # fmt: skip
def test_what_is_no_length_is_refused(body: dict[str, object], member: str) -> None:
    with pytest.raises(Problem) as problem:
        seconds_of(body, NOW, "UTC")
    assert (problem.value.status, problem.value.members) == (422, {"member": member})
