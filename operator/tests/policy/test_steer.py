"""What a person may change of a pool, and what is refused in words."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_operator.policy import Spec
from imagemill_operator.policy.steer import changed, parse_change, steered

SPEC = Spec(min_replicas=1, max_replicas=4, max_wait_seconds=10.0)


def test_a_change_leaves_what_it_does_not_name() -> None:
    spec = changed(SPEC, parse_change({"paused": True}), 8)
    assert steered(spec) == {"paused": True, "min_replicas": 1, "max_replicas": 4}
    assert changed(spec, parse_change({"paused": False, "max_replicas": 8}), 8).max_replicas == 8


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "JSON object"),
        ([], "JSON object"),
        (None, "JSON object"),
        ({"replicas": 3}, "replicas cannot be changed here"),
        ({"paused": "yes"}, "paused must be true or false"),
        ({"min_replicas": True}, "min_replicas must be a whole number"),
        ({"max_replicas": 2.5}, "max_replicas must be a whole number"),
        ({"max_replicas": -1}, "max_replicas must be a whole number"),
        ({"max_replicas": 9}, "at most 8 are allowed"),
        ({"max_replicas": 0, "min_replicas": 0}, "at least 1"),
        ({"min_replicas": 5}, "at most the maximum"),
        ({"min_replicas": 10**30}, "whole number"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(body: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        changed(SPEC, parse_change(body), 8)


def test_a_maximum_from_before_may_stay_above_what_is_allowed_now() -> None:
    assert changed(SPEC, parse_change({"paused": True}), 2).paused


names = st.sampled_from(["paused", "min_replicas", "max_replicas", "x"])
values = st.none() | st.integers() | st.booleans() | st.text()


@given(st.dictionaries(names, values))
def test_a_change_is_within_bounds_or_refused(body: dict[str, Any]) -> None:
    with suppress(ValueError):
        spec = changed(SPEC, parse_change(body), 8)
        assert 0 <= spec.min_replicas <= spec.max_replicas <= 8
