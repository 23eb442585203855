"""One SVG per trace: backlog and replicas under all laws."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

from bench.traces import Trace

if TYPE_CHECKING:
    from bench.scaling import Row

COLOURS = ("#0b7285", "#66a80f", "#adb5bd", "#e8590c")


def draw(trace: Trace, rows: "Sequence[Row]", folder: Path) -> Path:
    """Write the plot of a trace's first run and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(9, 5), layout="constrained")
    for row, colour in zip(reversed(rows), reversed(COLOURS), strict=True):
        times = [point[0] for point in row.series]
        above.fill_between(times, [point[1] for point in row.series], color=colour, alpha=0.5, label=row.law)
        below.step(times, [point[2] for point in row.series], color=colour, where="post", label=row.law)
    for begin, end in trace.outages:
        above.axvspan(begin, end, color="#ffe3e3", label="no metrics")
    above.set(ylabel="not done", title=f"{trace.name}: {trace.story}, objective {trace.objective_seconds:g} s")
    below.set(ylabel="replicas", xlabel="seconds")
    above.legend()
    path = folder / f"scaling-{trace.name.replace('/', '-').replace(' ', '-')}.svg"
    figure.savefig(path)
    plt.close(figure)
    return path
