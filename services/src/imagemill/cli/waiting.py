"""Waiting for the end of a batch, with a bar; `imagemill wait`."""

import sys
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, connect

_MOST = 1_000_000
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Waited:
    """How pictures ended: how many are stored, and those that failed or are not done in time."""

    stored: int
    failed: list[dict[str, Any]]
    in_flight: list[dict[str, Any]]

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """Those that are not stored."""
        return [*self.failed, *self.in_flight]


def wait_for_batch(client: Client, batch: str, timeout_seconds: float, ours: AbstractSet[str] | None = None) -> Waited:
    """Wait until nothing of a batch is in flight; tells of all its pictures, or of ours."""
    deadline, shown = time.monotonic() + timeout_seconds, console.err()
    columns = (TextColumn("Working  "), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bar:
        task = bar.add_task("work", total=None)
        while (counts := client.get(path_of("batches", batch)))["in_flight"]:
            bar.update(task, total=counts["accepted"], completed=counts["stored"] + counts["failed"])
            if time.monotonic() > deadline:
                console.hint(
                    f"Not everything is done after {timeout_seconds:g} s; it goes on without being waited for."
                )
                break
            client.pause(_POLL_SECONDS)
        bar.update(task, total=counts["accepted"], completed=counts["stored"] + counts["failed"])
    failed = _of(client, batch, "failed", ours) if counts["failed"] else []
    in_flight = _of(client, batch, "in_flight", ours) if counts["in_flight"] else []
    count = counts["accepted"] if ours is None else len(ours)
    return Waited(count - len(failed) - len(in_flight), failed, in_flight)


def _of(client: Client, batch: str, state: str, ours: AbstractSet[str] | None) -> list[dict[str, Any]]:
    images = client.pages(path_of("images"), "images", _MOST, batch=batch, state=state)
    return [image for image in images if ours is None or image["id"] in ours]


def wait(
    batch: Annotated[str, typer.Argument(help="The batch's name.")],
    timeout: Annotated[float, typer.Option(min=0, help="How long, in seconds.")] = 3600,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Wait until nothing of a batch is in flight. Ends with 1 if a failure is open, or it took too long."""
    client, began = connect(api), time.monotonic()
    waited = wait_for_batch(client, batch, timeout)
    counts = client.get(path_of("batches", batch))
    if json:
        console.as_json(counts)
    else:
        console.line(f"{say.equation(counts)}; waited {say.seconds(time.monotonic() - began)}")
    sys.exit(1 if counts["failed_open"] or waited.in_flight else 0)
