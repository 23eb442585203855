"""Where output goes: results to the standard output, words about them to the error stream."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill.cli.say import clean

_WIDTH_WITHOUT_TERMINAL = 200


def _console(error: bool) -> Console:
    stream = sys.stderr if error else sys.stdout
    # Without a terminal there is no width to fit into, and nothing may be cut off that a program reads.
    width = shutil.get_terminal_size().columns if stream.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(stderr=error, highlight=False, width=width)


def out() -> Console:
    """For results."""
    return _console(error=False)


def err() -> Console:
    """For progress and hints."""
    return _console(error=True)


def line(text: str, style: str = "") -> None:
    """A line of results, as it is: names of strangers are no markup and no commands."""
    out().print(Text(clean(text), style=style), soft_wrap=True)


def hint(text: str) -> None:
    """A line for the person, not for the next program."""
    err().print(Text(clean(text)), soft_wrap=True)


def as_json(value: Any) -> None:
    """The whole answer, for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def json_line(value: Any) -> None:
    """One of many, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Titles that end in `>` are of numbers; the last column may wrap."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        last = number == len(titles) - 1
        justify = "right" if title.endswith(">") else "left"
        made.add_column(title.rstrip(">"), justify=justify, no_wrap=not last, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*(Text(clean(cell)) for cell in row))
    out().print(made)
