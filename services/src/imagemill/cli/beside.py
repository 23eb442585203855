"""For commands that run beside the servers, with the settings of the programs; not through the API."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from rich.progress import Progress, TextColumn, TimeElapsedColumn

from imagemill.cli import console

if TYPE_CHECKING:  # the database's client takes a second to load, and no other command needs it
    from imagemill.process.stores import Stores
    from imagemill.settings import Settings

NOT_THERE = 3
"""Exit code: a server is not reached."""


def settings_and_stores() -> "tuple[Settings, Stores]":
    """The settings of the programs, from the environment, and what they open."""
    from imagemill.process.program import load_settings
    from imagemill.process.stores import open_stores

    settings = load_settings()
    return settings, open_stores(settings)


def away(error: Exception) -> NoReturn:
    """Say that a server is not reached, and end."""
    console.hint(f"error: {error}. Are COUCHDB_URL and IMAGEMILL_BLOBS_URL as the programs have them?")
    sys.exit(NOT_THERE)


@contextmanager
def counted(*names: str) -> Iterator[Callable[[str, int], None]]:
    """Counts of things by their names, where somebody looks at them."""
    shown = console.err()
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
        tasks = {name: progress.add_task(name, total=None) for name in names}
        yield lambda name, count: progress.update(tasks[name], advance=count)
