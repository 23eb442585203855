"""Somebody sets the clock, and no cool-down ends."""

import pytest

from imagemill_operator.clock import SteadyClock


class Clocks:
    wall, monotonic = 1_700_000_000.0, 50.0

    def pass_seconds(self, seconds: float) -> None:
        self.wall, self.monotonic = self.wall + seconds, self.monotonic + seconds


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_clock_that_is_set_is_followed_slowly(jump: float) -> None:
    clocks = Clocks()
    clock = SteadyClock(lambda: clocks.wall, lambda: clocks.monotonic)
    before = clock()
    clocks.wall += jump
    clocks.pass_seconds(2.0)
    assert clock() - before == pytest.approx(2.0, abs=0.201)
    for _ in range(20_000):
        clocks.pass_seconds(2.0)
        earlier, now = before, clock()
        assert now > earlier
        before = now
    assert clock() == pytest.approx(clocks.wall, abs=0.01)
