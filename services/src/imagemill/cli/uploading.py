"""`imagemill upload`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from imagemill.cli import console, reports, say
from imagemill.cli.accounts import Account
from imagemill.cli.client import ApiError, Client, path_of
from imagemill.cli.files import FoundFiles, find
from imagemill.cli.options import Api, AsLines, connect
from imagemill.cli.plans import UploadPlan, in_batch
from imagemill.cli.sending import Told, Uploader, preview
from imagemill.cli.waiting import Waited, wait_for_batch
from imagemill.domain.ids import uuid7

_MOST_IN_BATCH = 1_000_000
INTERRUPTED = 130

Files = Annotated[list[str], typer.Argument(help="Files, folders, patterns; - reads the standard input.")]
Recipe = Annotated[list[str] | None, typer.Option("--recipe", "-r", help="What to do; repeat it for several.")]
BatchName = Annotated[str | None, typer.Option("--batch", "-b", help="Counts are kept under this name.")]
Source = Annotated[str | None, typer.Option(help="The camera or feed the pictures come from.")]
Priority = Annotated[int | None, typer.Option(min=0, max=9, help="9 goes first.")]
Callback = Annotated[
    str | None, typer.Option("--callback", help="The receiver that is told of each outcome.", metavar="NAME")
]
BatchCallback = Annotated[
    str | None,
    typer.Option("--batch-callback", help="The one that is told when the batch is complete.", metavar="NAME"),
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait until every picture is stored or has failed.")]
WaitSeconds = Annotated[float, typer.Option("--wait-timeout", min=0, help="How long --wait waits, in seconds.")]
Recursive = Annotated[bool, typer.Option("--recursive/--flat", "-R/-F", help="Folders with all folders in them.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="Requests at the same time.")]
Again = Annotated[bool, typer.Option("--again", help="Send also what the batch has already.")]
# What it asked for is what happens now; scripts, and people after Ctrl-C, may still say so.
Resume = Annotated[bool, typer.Option("--resume", hidden=True)]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only tell what would be sent.")]
Manifest = Annotated[
    Path | None,
    typer.Option("--manifest", help="Write what became of every file: .csv, else JSON lines.", metavar="FILE"),
]


def upload(
    files: Files,
    recipe: Recipe = None,
    batch: BatchName = None,
    source: Source = None,
    priority: Priority = None,
    callback: Callback = None,
    batch_callback: BatchCallback = None,
    wait: Wait = False,
    wait_timeout: WaitSeconds = 3600,
    recursive: Recursive = True,
    jobs: Jobs = 4,
    again: Again = False,
    resume: Resume = False,
    dry_run: DryRun = False,
    manifest: Manifest = None,
    api: Api = None,
    json: AsLines = False,
) -> None:
    """Take pictures in. Ends with 1 if any was rejected or failed, or nothing was sent."""
    if resume and not batch:
        raise typer.BadParameter("--resume needs the --batch to go on with.")
    client, began = connect(api, connections=jobs), time.monotonic()
    found = _found(files, recursive)
    plan = plan_of(client, recipe or [], batch, source, priority, again)
    plan = replace(plan, callback=callback, batch_callback=batch_callback)
    if dry_run:
        reports.tell_preview(preview(client, plan, found.files), plan.batch, json)
        return
    with progress("Uploading", len(found.files), "sent") as advance:
        account, interrupted = Uploader(client, plan, _told(advance, json)).send(found.files, jobs)
    waited = None
    if wait and account.accepted and not interrupted:
        waited = wait_for_batch(client, account.batch, wait_timeout, {item["id"] for item in account.accepted})
    reports.tell(account, waited, time.monotonic() - began, json)
    if manifest:
        reports.write_manifest(manifest, account, waited)
    if interrupted:
        console.hint(f"Interrupted. To go on: the same command with --batch {plan.batch}")
        sys.exit(INTERRUPTED)
    sys.exit(0 if _all_well(account, waited) else 1)


def _found(files: list[str], recursive: bool) -> FoundFiles:
    found = find(files, recursive)
    passed_over = f"{say.plural(found.passed_over, 'file')} without a picture's ending passed over"
    if not found.files:
        raise ApiError(f"Nothing was sent: there is no picture in {', '.join(files)} ({passed_over}).")
    if found.passed_over:
        console.hint(f"{passed_over}.")
    return found


def plan_of(
    client: Client, recipes: list[str], batch: str | None, source: str | None, priority: int | None, again: bool
) -> UploadPlan:
    """What is asked for all files. Asks the API first: a wrong address or recipe shall not wait for the first file."""
    offered = client.get(path_of("recipes"))
    names = [item["name"] for item in offered["recipes"]]
    for name in recipes:
        if name not in names:
            raise typer.BadParameter(f"There is no recipe {name!r}; there are {', '.join(names)}.")
    known = in_batch(client, batch, _MOST_IN_BATCH) if batch and not again else frozenset()
    return UploadPlan(batch or uuid7(), recipes or [offered["default"]], source, priority, known)


def _told(advance: Told, json: bool) -> Told:
    def told(account: Account, count: int, size: int) -> None:
        if json:
            for event in account.events():
                console.json_line(event)
        advance(account, count, size)

    return told


def _all_well(account: Account, waited: Waited | None) -> bool:
    return not (account.rejected or account.failed or (waited and waited.wrong))


class _Rate(ProgressColumn):
    """`35 a second`."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} a second" if speed else "")


@contextmanager
def progress(word: str, total: int, what: str) -> Iterator[Told]:
    """A bar with rate and remaining time, where somebody looks at it."""
    columns = (TextColumn(word), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[size]}"), _Rate())
    shown = console.err()
    with Progress(*columns, TimeRemainingColumn(), console=shown, disable=not shown.is_terminal) as bar:
        task, sizes = bar.add_task(word, total=total, size=""), [0]

        def told(_: Account, count: int, size: int) -> None:
            sizes[0] += size
            bar.update(task, advance=count, size=f"{say.size(sizes[0])} {what}")

        yield told
