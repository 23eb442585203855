"""Replays the traces under both laws: ``python -m bench.scaling [FOLDER]`` prints a table and draws each trace."""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import traces
from bench.laws import Foreign, Keda, Ours
from bench.simulator import Result, Simulation
from bench.traces import Trace

SEEDS = (1, 2, 3, 4, 5)
"""Each trace is played so often: when in the load the scalers' clocks tick is chance, and decides much."""
MEANS = ("replica_seconds", "changes", "killed", "unfinished")
COLUMNS = (
    f"{'trace':<15}{'law':<12}{'p50':>7}{'p95':>7}{'p99':>7}{'max':>7}{'late':>8}"
    f"{'replica-s':>11}{'changes':>9}{'killed':>8}{'undone':>8}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One law on one trace; waits in seconds, ``late`` is the share over the objective."""

    law: str
    p50: float
    p95: float
    p99: float
    longest: float
    late: float
    replica_seconds: float
    changes: float
    killed: float
    unfinished: float
    series: list[tuple[float, int, int, int]]


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summarise(trace: Trace, law: type[Ours] | type[Keda], results: list[Result]) -> Row:
    """Boil the runs down to the figures of the table: waits of all together, the rest as means."""
    waits = sorted(wait for result in results for wait in result.waits)
    late = sum(wait > trace.objective_seconds for wait in waits) / max(1, len(waits))
    p50, p95, p99 = (percentile(waits, share) for share in (0.5, 0.95, 0.99))
    mean = {name: statistics.fmean(getattr(result, name) for result in results) for name in MEANS}
    return Row(law.name, p50, p95, p99, waits[-1], late, **mean, series=results[0].series)


def play(trace: Trace, law: type[Ours] = Ours) -> tuple[Row, Row]:
    """Run one trace under our law and KEDA's."""
    ours, keda = (
        summarise(trace, make, [Simulation(trace, make(trace, seed), seed).run() for seed in SEEDS])
        for make in (law, Keda)
    )
    return ours, keda


def line(name: str, row: Row) -> str:
    """One line of the table."""
    return (
        f"{name:<15}{row.law:<12}{row.p50:>7.1f}{row.p95:>7.1f}{row.p99:>7.1f}{row.longest:>7.1f}{row.late:>8.1%}"
        f"{row.replica_seconds:>11,.0f}{row.changes:>9.0f}{row.killed:>8.1f}{row.unfinished:>8.1f}"
    )


def verdict(trace: Trace, ours: Row, keda: Row) -> str:
    """Say whether the goals hold: objective met, p95 at most a third of KEDA's, no more replica-seconds."""
    wait = ours.p95 / keda.p95 if keda.p95 else float("inf") if ours.p95 else 0.0
    cost = ours.replica_seconds / keda.replica_seconds
    missed = [
        *([f"{ours.late:.1%} waited longer than {trace.objective_seconds:g} s"] if ours.late > 0 else []),
        *([f"p95 is {wait:.2f} of KEDA's, not ≤ 0.33"] if wait > 1 / 3 else []),
        *([f"{cost:.2f} of KEDA's replica-seconds"] if cost > 1 else []),
    ]
    goals = "goals met" if not missed else "MISSED: " + "; ".join(missed)
    return f"{'':<15}ours ÷ KEDA: p95 {wait:.2f}, replica-seconds {cost:.2f}. {goals}"


def main(arguments: list[str]) -> None:
    """Print the table and, unless told not to, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("bench-results"), help="where the plots go")
    parser.add_argument("--no-plots", action="store_true", help="only the table")
    parser.add_argument("--foreign", action="store_true", help="consumers that do not tell how busy they are")
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    print(COLUMNS)
    for make in traces.ALL:
        trace = make()
        ours, keda = play(trace, Foreign if options.foreign else Ours)
        print(line(trace.name, ours), line("", keda), verdict(trace, ours, keda), sep="\n", flush=True)
        if not options.no_plots:
            from bench.plots import draw

            draw(trace, (ours, keda), options.folder)
    if not options.no_plots:
        print(f"Plots are in {options.folder.resolve()}.")
    print(f"Each trace {len(SEEDS)} times, in {time.perf_counter() - begin:.0f} s of computing.")
    print("Waits are seconds until a message is taken; late is the share over the objective.")


if __name__ == "__main__":
    main(sys.argv[1:])
