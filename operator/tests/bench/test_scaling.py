"""The simulator is believed only as far as it does what is known of the real things."""

import pytest
from bench.laws import Foreign, Keda, Ours
from bench.scaling import play
from bench.simulator import Simulation

from bench import traces


@pytest.mark.parametrize("law", [Ours, Keda])
def test_a_run_is_reproducible(law: type[Ours] | type[Keda]) -> None:
    first, second = (Simulation(trace, law(trace)).run() for trace in (traces.on_off(), traces.on_off()))
    assert first == second


def test_nothing_is_lost_or_done_twice() -> None:
    result = Simulation(trace := traces.heavy_tail(), Keda(trace)).run()
    assert len(result.waits) == len(trace.arrivals)
    assert result.unfinished == 0


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_keda_in_the_simulator_does_what_the_real_one_was_measured_to_do(seed: int) -> None:
    """Measured: 300 at once, queue length 10: first replica after 21 s, done after 59 s, back at 0 after 350 s."""
    arrivals = tuple(20.0 + i * 0.001 for i in range(300))
    trace = traces.Trace("rig", "", 700, 10, 16, arrivals, (1.0,) * 300, 1.0, start_seconds=2.0)
    run = Simulation(trace, Keda(trace, seed), seed).run()
    assert next(at for at, _, wanted, _ in run.series if wanted > 0) - 20 <= 31
    assert 40 <= max(run.waits) <= 80
    assert 320 <= next(at for at, _, wanted, _ in run.series if wanted == 0 and at > 60) - 20 <= 370
    assert 3000 <= run.replica_seconds <= 5500


def test_our_law_keeps_the_objective_at_a_third_of_the_wait_and_no_higher_cost() -> None:
    for make in (traces.step_burst, traces.outage):
        ours, keda = play(make())
        assert ours.late == 0
        assert ours.p95 <= keda.p95 / 3
        assert ours.replica_seconds <= keda.replica_seconds


def test_work_that_takes_longer_than_it_may_wait_costs_no_more_than_under_keda() -> None:
    ours, keda = play(traces.long_work())
    assert ours.replica_seconds <= keda.replica_seconds
    assert ours.killed == 0


def test_consumers_that_tell_nothing_cost_hardly_more() -> None:
    """Else they would be thought busy whenever a message waited, and their work to take longer than it does."""
    for make in (traces.step_burst, traces.daily_wave):
        told, foreign = (play(make(), law)[0] for law in (Ours, Foreign))
        assert foreign.late == 0
        assert foreign.replica_seconds <= told.replica_seconds * 1.05
