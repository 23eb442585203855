"""KEDA's cron triggers become schedules."""

from typing import Any

import pytest
from tests.convert.crd_schema import violations
from tests.convert.manifests import converted, lost, noted, pool_spec, trigger

OFFICE = {"timezone": "Europe/Berlin", "start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "desiredReplicas": "10"}


def cron(**metadata: Any) -> dict[str, Any]:
    return {"type": "cron", "metadata": {**OFFICE, **metadata}}


def test_a_cron_trigger_is_a_minimum_by_the_time_of_day() -> None:
    found = converted(trigger(), cron())
    assert pool_spec(found)["schedules"] == [
        {"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Berlin", "minReplicas": 10}
    ]
    assert found.is_complete
    assert violations(found.pools[0]) == []


def test_several_are_kept_in_their_order() -> None:
    spec = pool_spec(converted(cron(desiredReplicas="2"), trigger(), cron(desiredReplicas="5")))
    assert [schedule["minReplicas"] for schedule in spec["schedules"]] == [2, 5]


def test_a_question_mark_is_every_day() -> None:
    spec = pool_spec(converted(trigger(), cron(start="0  8 ? * *")))
    assert spec["schedules"][0]["start"] == "0 8 * * *"


def test_the_maximum_bounds_what_a_schedule_asks_for() -> None:
    found = converted(trigger(), cron(), maxReplicaCount=4)
    assert pool_spec(found)["schedules"][0]["minReplicas"] == 4
    assert "desiredReplicas is 10" in noted(found)
    assert violations(found.pools[0]) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"timezone": "Europe/Atlantis"}, "'Europe/Atlantis' is no time zone"),
        ({"start": "0 25 * * *"}, "no cron expression"),
        ({"end": "@daily"}, "five fields"),
        ({"end": OFFICE["start"]}, "KEDA refuses too"),
    ],
)
def test_one_that_cannot_be_meant_is_left_out_and_the_queue_still_scales(wrong: dict[str, str], words: str) -> None:
    found = converted(trigger(), cron(**wrong))
    assert "schedules" not in pool_spec(found)
    assert words in lost(found)


def test_one_without_replicas_is_refused() -> None:
    assert converted(trigger(), cron(desiredReplicas="0")).pools == ()


def test_more_than_a_pool_can_have_are_lost() -> None:
    found = converted(trigger(), *[cron(desiredReplicas=str(replicas)) for replicas in range(1, 20)])
    assert len(pool_spec(found)["schedules"]) == 16
    assert "at most 16" in lost(found)
