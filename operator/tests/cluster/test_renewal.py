"""How often a broker renews its statistics is learned from uptimes that its nodes tell among them."""

import random

import pytest

from imagemill_operator.renewal import Renewal, read_uptimes

LOOK = 4.0


def looked(renewal: Renewal, interval: float, *, looks: int, phase: float = 0.0, at: float = 1_000.0) -> None:
    """Look at one node as often as the operator does."""
    for number in range(looks):
        now = at + number * LOOK
        renewal.take({"a": round(now - (now + phase) % interval, 3)}, now)


@pytest.mark.parametrize("interval", [1.0, 5.0, 8.0, 30.0, 300.0])
def test_the_interval_is_known_after_two_renewals_and_never_taken_for_shorter(interval: float) -> None:
    dice = random.Random(interval)
    for _ in range(50):
        renewal = Renewal()
        looked(renewal, interval, looks=int(2 * interval / LOOK) + 3, phase=dice.uniform(0.0, interval))
        assert renewal.interval_seconds == pytest.approx(max(5.0, interval), abs=0.01)


def test_it_is_not_known_before_a_renewal_was_seen() -> None:
    renewal = Renewal()
    looked(renewal, 30.0, looks=5, at=900.0)
    assert renewal.interval_seconds is None


def test_the_slowest_node_counts_and_a_new_one_makes_it_unknown() -> None:
    renewal = Renewal()
    renewal.take({"a": 100.0, "b": 100.0}, 0.0)
    renewal.take({"a": 105.0, "b": 108.0}, LOOK)
    assert renewal.interval_seconds == 8.0
    renewal.take({"a": 105.0, "b": 108.0, "c": 1.0}, 2 * LOOK)
    assert renewal.interval_seconds is None
    renewal.take({"a": 110.0}, 3 * LOOK)
    assert renewal.interval_seconds == 5.0


def test_after_a_restart_it_is_learned_anew_be_the_restart_long_ago() -> None:
    for uptime, later in ((1.0, LOOK), (200.0, 250.0)):
        renewal = Renewal()
        renewal.take({"a": 100.0}, 0.0)
        renewal.take({"a": 130.0}, LOOK)
        assert renewal.interval_seconds == 30.0
        renewal.take({"a": uptime}, LOOK + later)
        assert renewal.interval_seconds is None


def test_seldom_looks_know_that_it_is_no_longer_than_they_are_apart() -> None:
    renewal = Renewal()
    for now in (1_000.0, 1_030.0, 1_060.0):
        renewal.take({"a": now - now % 5.0}, now)
    assert renewal.interval_seconds == 30.0
    renewal.take({"a": 1_065.0}, 1_066.0)
    assert renewal.interval_seconds == 5.0


def test_nodes_without_uptime_tell_nothing() -> None:
    assert read_uptimes([{"name": "a", "uptime": 1500}, {"name": "away"}]) == {"a": 1.5}
    assert Renewal().interval_seconds == 5.0
