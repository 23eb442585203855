"""Rules and times in words."""

import pytest

from imagemill.alerting.words import duration, rule_value
from imagemill.domain.rules import Rule


def test_durations_are_said_in_two_units() -> None:
    said = [duration(s) for s in (0, 59.6, 100, 3600, 3661, 90061)]
    assert said == ["0 s", "1 min", "1 min 40 s", "1 h", "1 h 1 min", "1 d 1 h"]


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("name", "night"),
        ("cameras", "any"),
        ("kinds", "motion, scene, frozen, offline"),
        ("min_score", "0"),
        ("cool_down_seconds", "5 min"),
        ("at_most", "no limit"),
        ("until_acknowledged", "no"),
        ("enabled", "yes"),
        ("channels", "nobody"),
    ],
)
def test_every_kind_of_value_is_put_in_words(member: str, words: str) -> None:
    assert rule_value(member, Rule(name="night").as_json()[member]) == words
