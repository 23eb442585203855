"""Reasons to take nothing in although all servers answer."""

import pytest

from imagemill.api.images.admission_control import closed_because


@pytest.mark.parametrize(
    ("ahead", "in_flight", "code"),
    [
        (0, 0, None), (59, 99, None), (-59, 0, None), (61, 0, "clock-differs"), (-61, 0, "clock-differs"),
        (0, 100, "too-many-in-flight"), (0, 1000, "too-many-in-flight"),
    ],
)  # fmt: skip
def test_a_wrong_clock_and_too_many_in_flight_close_the_door(ahead: float, in_flight: int, code: str | None) -> None:
    closed = closed_because(ahead, in_flight, 100)
    assert (closed and closed.code) == code
    assert closed is None or "Nothing was accepted" in str(closed)
