"""Which frames are wanted, pauses between attempts, and states: pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.cameras.feeds.grabs import Pace
from imagemill.cameras.feeds.timing import FeedFacts, FrameGate, StreamClock, feed_state, reconnect_pause_seconds


@pytest.mark.parametrize("per_second", [1.0, 5.0, 12.5, 15.0, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("wanted", [0.5, 1.0, 5.0])
def test_as_many_frames_as_wanted_without_drift(per_second, wanted):
    gate = FrameGate(1 / wanted)
    positions = [round(n / per_second, 3) for n in range(int(600 * per_second))]
    taken = [p for p in positions if gate.is_due(p)]
    assert len(taken) == pytest.approx(600 * min(wanted, per_second), abs=2)


def test_after_a_gap_nothing_is_made_up_for():
    gate = FrameGate(1.0)
    assert [p for p in [0.0, 1.0, 30.0, 30.04, 30.08, 31.0] if gate.is_due(p)] == [0.0, 1.0, 30.0, 31.0]


def test_a_stream_that_begins_again_is_followed():
    gate = FrameGate(1.0)
    assert [p for p in [5.0, 6.0, 0.0, 0.5, 1.0, 2.0] if gate.is_due(p)] == [5.0, 6.0, 0.0, 1.0, 2.0]


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_frames_are_never_closer_than_the_interval_while_the_stream_goes_on(positions):
    gate = FrameGate(1.0)
    taken = [p for p in sorted(positions) if gate.is_due(p)]
    assert all(b - a >= 0.95 for a, b in zip(taken, taken[2:], strict=False))
    assert taken[0] == min(positions)


def test_a_stream_without_positions_goes_by_arrival():
    clock = StreamClock()
    assert [clock.position(0.0, 100.0 + n) for n in range(6)][3:] == [3.0, 4.0, 5.0]
    told = StreamClock()
    assert [told.position(n / 10, 100.0 + n) for n in range(4)] == [0.0, 0.1, 0.2, 0.3]


@given(attempt=st.integers(-5, 10_000), chance=st.floats(0, 1))
def test_pauses_grow_to_a_minute_and_never_end_at_zero(attempt, chance):
    pause = reconnect_pause_seconds(attempt, chance)
    assert 0.5 <= pause <= 60.0
    assert pause <= reconnect_pause_seconds(attempt + 1, chance)


def test_jitter_is_half_of_the_pause():
    assert [reconnect_pause_seconds(4, chance) for chance in (0.0, 0.5, 1.0)] == [4.0, 6.0, 8.0]


@pytest.mark.parametrize(
    ("connected", "age", "ended", "state"),
    [
        (True, 0.5, False, "live"),
        (True, 11, False, "stalled"),
        (True, None, False, "stalled"),
        (False, 2, False, "stalled"),
        (False, 2, True, "offline"),
        (False, 11, False, "offline"),
        (False, None, False, "offline"),
    ],
)
def test_states(connected, age, ended, state):
    seen = None if age is None else 100 - age
    assert feed_state(FeedFacts(connected, seen, 10.0, 1.0, ended), now=100) == state


def test_a_slow_feed_is_given_three_of_its_intervals():
    facts = FeedFacts(True, 0.0, stall_seconds=10.0, interval_seconds=60.0)
    assert [feed_state(facts, now) for now in (170, 190)] == ["live", "stalled"]


class Stop:
    def __init__(self, clock):
        self.clock, self.waits = clock, []

    def wait(self, timeout=None):
        self.waits.append(round(timeout, 6))
        self.clock[0] += timeout
        return False

    def is_set(self):
        return False


@pytest.mark.parametrize(("busy_seconds", "waits"), [(3.5, [1.0, 0.5, 1.0]), (9.0, [1.0, 1.0, 1.0, 1.0, 1.0])])
def test_a_file_is_played_at_its_speed_and_only_a_short_delay_is_caught_up(busy_seconds, waits):
    clock = [50.0]
    stop = Stop(clock)
    pace = Pace(stop, lambda: clock[0])
    for position in (0.0, 1.0):
        pace.wait_for(position)
    clock[0] += busy_seconds
    for position in (2.0, 3.0, 4.0, 5.0, 6.0):
        pace.wait_for(position)
    assert stop.waits == waits
