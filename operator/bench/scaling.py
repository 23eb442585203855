"""Replays the traces under all laws and prints a table: ``python -m bench.scaling``."""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import bound, traces
from bench.laws import LAWS, Foreign, Keda, Ours
from bench.simulator import Result, Simulation
from bench.traces import Trace

SEEDS = (1, 2, 3, 4, 5)
"""Each trace is played so often: when in the load the scalers' clocks tick is chance, and decides much."""
MEANS = ("replica_seconds", "changes", "killed", "unfinished")
GOAL, BURST_GOAL = 1.2, 1.5
"""Replica-seconds over the bound; a single burst cannot be foreseen, and pays for going as well as for coming."""
LATE_SHARE = 0.01
"""The objective is kept when no more than this share waits longer: p99."""
COLUMNS = (
    f"{'trace':<16}{'law':<18}{'p50':>7}{'p95':>7}{'p99':>7}{'max':>7}{'late':>8}"
    f"{'replica-s':>11}{'÷ bound':>9}{'changes':>9}{'killed':>8}{'undone':>8}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One law on one work load; waits in seconds, ``late`` is the share over the objective."""

    law: str
    p50: float
    p95: float
    p99: float
    longest: float
    late: float
    replica_seconds: float
    times_bound: float
    changes: float
    killed: float
    unfinished: float
    series: list[tuple[float, int, int, int]]


@dataclass(frozen=True, slots=True)
class Load:
    """One pool, or a fleet of which the figures are added up."""

    pools: tuple[Trace, ...]

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return self.pools[0].name if len(self.pools) == 1 else f"{len(self.pools)} idle pools"

    @property
    def objective_seconds(self) -> float:
        """How long a message may wait."""
        return self.pools[0].objective_seconds

    @property
    def bound(self) -> float:
        """Replica-seconds of somebody who knows the future."""
        return sum(bound.replica_seconds(pool) for pool in self.pools)

    @property
    def goal(self) -> float:
        """What is to be reached, over the bound."""
        return BURST_GOAL if self.pools[0].is_single_burst else GOAL


def load_of(made: Trace | tuple[Trace, ...]) -> Load:
    """Take what a maker of traces makes."""
    return Load(made if isinstance(made, tuple) else (made,))


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summarise(load: Load, law: type[Ours | Keda], results: list[list[Result]]) -> Row:
    """Boil the runs down to the figures of the table: waits of all together, the rest as means."""
    waits = sorted(wait for run in results for result in run for wait in result.waits)
    late = sum(wait > load.objective_seconds for wait in waits) / max(1, len(waits))
    p50, p95, p99 = (percentile(waits, share) for share in (0.5, 0.95, 0.99))
    mean = {name: statistics.fmean(sum(getattr(pool, name) for pool in run) for run in results) for name in MEANS}
    times = mean["replica_seconds"] / load.bound
    return Row(law.name, p50, p95, p99, waits[-1], late, times_bound=times, **mean, series=results[0][0].series)


def play(load: Load, law: type[Ours | Keda], seeds: Sequence[int] = SEEDS) -> Row:
    """Run one work load under one law, as often as there are seeds."""
    results = [[Simulation(pool, law(pool, seed), seed).run() for pool in load.pools] for seed in seeds]
    return summarise(load, law, results)


def line(name: str, row: Row) -> str:
    """One line of the table."""
    return (
        f"{name:<16}{row.law:<18}{row.p50:>7.1f}{row.p95:>7.1f}{row.p99:>7.1f}{row.longest:>7.1f}{row.late:>8.1%}"
        f"{row.replica_seconds:>11,.0f}{row.times_bound:>9.2f}{row.changes:>9.0f}{row.killed:>8.1f}{row.unfinished:>8.1f}"
    )


def misses(load: Load, rows: Sequence[Row]) -> list[str]:
    """What falls short of the goals: the objective at p99, the bound, and KEDA where it is no later than we are."""
    ours, *others = rows
    is_late = ours.late > LATE_SHARE and all(bound.is_attainable(pool) for pool in load.pools)
    cheaper = [
        row for row in others
        if row.law.startswith("KEDA") and row.late <= max(ours.late, LATE_SHARE)
        and row.replica_seconds < ours.replica_seconds
    ]  # fmt: skip
    return [
        *([f"{ours.late:.1%} wait longer than {load.objective_seconds:g} s"] if is_late else []),
        *([f"{ours.times_bound:.2f} × the bound, not ≤ {load.goal:g}"] if ours.times_bound > load.goal else []),
        *(f"{row.law} needs {row.replica_seconds / ours.replica_seconds:.2f} of it" for row in cheaper),
    ]


def table(number: int, seeds: Sequence[int]) -> tuple[str, list[Row], list[str]]:
    """All laws on one work load: the lines, the rows, and what falls short."""
    load = load_of(traces.ALL[number]())
    rows = [play(load, law, seeds) for law in LAWS]
    short = misses(load, rows)
    lines = [line(load.name if not index else "", row) for index, row in enumerate(rows)]
    verdict = f"{'':<16}bound {load.bound:,.0f} replica-s. {'Short: ' + '; '.join(short) if short else 'Goals met'}."
    return "\n".join([*lines, verdict]), rows, short


def main(arguments: list[str]) -> None:
    """Print the table and, if told to, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the first run of each trace")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="functions of bench/traces.py, such as step_burst")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="runs of each trace")
    options = parser.parse_args(arguments)
    numbers = [number for number, make in enumerate(traces.ALL) if not options.only or make.__name__ in options.only]
    begin, missed = time.perf_counter(), 0
    print(COLUMNS)
    with ProcessPoolExecutor() as processes:
        for number, (text, rows, short) in zip(
            numbers, processes.map(partial(table, seeds=range(1, options.seeds + 1)), numbers), strict=True
        ):
            missed += bool(short)
            print(text, flush=True)
            if options.plots:
                from bench.plots import draw

                draw(load_of(traces.ALL[number]()).pools[0], rows, options.plots)
    seconds = time.perf_counter() - begin
    print(f"{len(numbers) - missed} of {len(numbers)} meet all goals. Each {options.seeds} times, in {seconds:.0f} s.")
    print("Waits are seconds until work on a message begins; late is the share over the objective.")
    print(f"{Foreign.name}: consumers that tell nothing; {Ours.name}: they tell how busy they are.")


if __name__ == "__main__":
    main(sys.argv[1:])
