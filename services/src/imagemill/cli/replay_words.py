"""What a replay says: lines for people, members for programs, and a bar while it works."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from imagemill.cli import console
from imagemill.domain.events import Event
from imagemill.motion.compare import Difference


@dataclass(frozen=True)
class Replayed:
    """Lines for people, members for programs."""

    lines: list[str]
    members: dict[str, Any]


def lines_of(difference: Difference, title: Callable[[Event], str]) -> list[str]:
    """Event by event in the order of their times, then the sum."""
    told = [(event.started_at, f"- {title(event)}: would not come any more") for event in difference.gone]
    told += [(event.started_at, f"+ {title(event)}: would come") for event in difference.come]
    other = [(was, would) for was, would in difference.kept if was.event_class != would.event_class]
    told += [(was.started_at, f"~ {title(was)}: {changed(was.event_class, would.event_class)}") for was, would in other]
    kept = len(difference.kept) - len(other)
    return [
        *(line for _, line in sorted(told)),
        f"{kept} kept, {len(difference.gone)} gone, {len(difference.come)} new, {len(other)} of another class",
    ]


def changed(was: str | None, would_be: str | None) -> str:
    """`alert would become detection`."""
    return f"{was} would become {would_be}"


def facts_of(event: Event) -> str:
    """`motion for 5 s, score 0.93`."""
    return f"{event.kind} for {event.seconds or 0:.0f} s, score {event.score or 0:.2f}"


def clock(at: float) -> str:
    """`2026-11-21 12:01:05`, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A bar with the remaining time, where somebody looks at it; to be called for each one that is done."""
    shown = console.err()
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def counted(items: Iterable[Any], what: str, total: int | None = None) -> Iterator[Any]:
    """The same items, with a bar beside them."""
    with progress(what, len(items) if isinstance(items, Sequence) else total) as done:
        for item in items:
            yield item
            done()
