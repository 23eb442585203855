"""Which lines of the log are meant."""

import pytest

from imagemill.api.live.log_filter import LogFilter, filter_of, is_trouble

LINE = {"kind": "taken", "name": "IMG_1.jpg", "image": "0193-a", "batch": "trip", "pool": "default", "by": "worker-1",
        "more": "attempt 2", "attempt": 2}  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {}, {"text": "img_1"}, {"text": "0193"}, {"text": "Attempt"}, {"kind": "taken"}, {"batch": "trip"},
        {"pool": "default"}, {"by": "worker-1"}, {"level": "trouble"}, {"text": " trip ", "by": "worker-1"},
    ],
)  # fmt: skip
def test_a_line_that_has_all_that_is_asked_for_is_meant(query: dict[str, str]) -> None:
    assert filter_of(query).matches(LINE)


@pytest.mark.parametrize(
    "query",
    [
        {"text": "img_2"}, {"kind": "done"}, {"batch": "tri"}, {"pool": "heavy"}, {"by": "worker"}, {"camera": "yard"},
        {"text": "img_1", "batch": "other"},
    ],
)  # fmt: skip
def test_a_line_that_lacks_one_thing_is_not(query: dict[str, str]) -> None:
    assert not filter_of(query).matches(LINE)


def test_counts_of_cameras_are_shown_only_when_they_are_asked_for() -> None:
    line = {"kind": "camera-counts", "camera": "yard"}
    assert not LogFilter(camera="yard").matches(line)
    assert LogFilter(kind="camera-counts").matches(line)


def test_an_address_says_what_the_filter_asks_for_and_nothing_of_length_without_end() -> None:
    given = filter_of({"text": "x" * 5000, "level": "panic", "unknown": "y", "batch": ""})
    assert given.names == {"text": "x" * 200}
    assert filter_of(given.names) == given


@pytest.mark.parametrize(
    ("record", "trouble"),
    [
        ({"kind": "stored"}, False), ({"kind": "failed"}, True), ({"kind": "taken", "attempt": 1}, False),
        ({"kind": "done", "attempt": 2}, False), ({"kind": "told", "result": "given_up"}, True),
        ({"kind": "camera", "state": "ended"}, False), ({"kind": "camera", "state": "stalled"}, True),
        ({"kind": "camera", "state": "live", "problem": "slow"}, True), ({"kind": "taken", "attempt": None}, False),
    ],
)  # fmt: skip
def test_trouble_is_what_somebody_should_look_at(record: dict[str, object], trouble: bool) -> None:
    assert is_trouble(record) is trouble
