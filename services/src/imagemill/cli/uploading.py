"""`imagemill upload`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.files import File, find
from imagemill.cli.options import Api, AsJson, connect
from imagemill.cli.sending import Account, Uploader, UploadPlan, in_batch
from imagemill.domain.ids import uuid7

_MOST_IN_BATCH = 1_000_000
_MOST_LINES = 20
_INTERRUPTED = 130
_POLL_SECONDS = 0.5

Files = Annotated[list[str], typer.Argument(help="Files, folders, patterns; - reads the standard input.")]
Recipe = Annotated[list[str] | None, typer.Option("--recipe", "-r", help="What to do; repeat it for several.")]
BatchName = Annotated[str | None, typer.Option("--batch", "-b", help="Counts are kept under this name.")]
Source = Annotated[str | None, typer.Option(help="The camera or feed the pictures come from.")]
Priority = Annotated[int | None, typer.Option(min=0, max=9, help="9 goes first.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait until every picture is stored or has failed.")]
WaitSeconds = Annotated[float, typer.Option("--wait-timeout", min=0, help="How long --wait waits, in seconds.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-R", help="Folders with all folders in them.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="Requests at the same time.")]
Resume = Annotated[bool, typer.Option("--resume", help="Skip what the batch has already.")]


def upload(
    files: Files,
    recipe: Recipe = None,
    batch: BatchName = None,
    source: Source = None,
    priority: Priority = None,
    wait: Wait = False,
    wait_timeout: WaitSeconds = 3600,
    recursive: Recursive = False,
    jobs: Jobs = 4,
    resume: Resume = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Take pictures in. Ends with 1 if any was rejected or failed."""
    if resume and not batch:
        raise typer.BadParameter("--resume needs the --batch to go on with.")
    client = connect(api, connections=jobs)
    found = find(files, recursive)
    if found.passed_over:
        console.hint(f"{say.plural(found.passed_over, 'file')} without a picture's ending passed over.")
    order = _order(client, recipe or [], batch, source, priority, resume)
    with _progress(found.files) as told:
        account, interrupted = Uploader(client, order, told).send(found.files, jobs)
    failures = _wait(client, account, wait_timeout) if wait and not interrupted else []
    _tell(account, failures, json)
    if interrupted:
        console.hint(f"Interrupted. To go on: the same command with --batch {order.batch} --resume")
        sys.exit(_INTERRUPTED)
    sys.exit(1 if account.rejected or account.failed or failures else 0)


def _order(
    client: Client, recipes: list[str], batch: str | None, source: str | None, priority: int | None, resume: bool
) -> UploadPlan:
    """Asks the API first: a wrong address or recipe shall not wait for the first file."""
    offered = client.get(path_of("recipes"))
    names = [item["name"] for item in offered["recipes"]]
    for name in recipes:
        if name not in names:
            raise typer.BadParameter(f"There is no recipe {name!r}; there are {', '.join(names)}.")
    known = in_batch(client, batch, _MOST_IN_BATCH) if batch and resume else frozenset()
    return UploadPlan(batch or uuid7(), recipes or [offered["default"]], source, priority, known)


class _Rate(ProgressColumn):
    """`35 a second`."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} a second" if speed else "")


@contextmanager
def _progress(files: list[File]) -> Iterator[Any]:
    """A bar with rate and remaining time, where somebody looks at it."""
    columns = (TextColumn("Uploading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[sent]}"), _Rate())
    shown = console.err()
    with Progress(*columns, TimeRemainingColumn(), console=shown, disable=not shown.is_terminal) as progress:
        task = progress.add_task("upload", total=len(files), sent="")
        sent = [0]

        def told(count: int, size: int) -> None:
            sent[0] += size
            progress.update(task, advance=count, sent=say.size(sent[0]))

        yield told


def _wait(client: Client, account: Account, timeout_seconds: float) -> list[dict[str, Any]]:
    """Waits for the end of the batch; tells which of our pictures failed, and which are not done in time."""
    if not account.accepted:
        return []
    deadline = time.monotonic() + timeout_seconds
    while client.get(path_of("batches", account.batch))["in_flight"]:
        if time.monotonic() > deadline:
            console.hint(f"Not everything is done after {timeout_seconds:g} s; it goes on without being waited for.")
            return _of(client, account, "in_flight")
        client.pause(_POLL_SECONDS)
    return _of(client, account, "failed")


def _of(client: Client, account: Account, state: str) -> list[dict[str, Any]]:
    ours = {item["id"] for item in account.accepted}
    images = client.pages(path_of("images"), "images", _MOST_IN_BATCH, batch=account.batch, state=state)
    return [image for image in images if image["id"] in ours]


def _tell(account: Account, failures: list[dict[str, Any]], json: bool) -> None:
    if json:
        console.as_json(account.as_dict() | {"outcome_failed": failures})
        return
    if len(account.accepted) <= _MOST_LINES:
        for item in account.accepted:
            console.line(f"accepted   {item['id']}  {item['name']} ({item['recipe']})")
    for item in account.duplicates:
        console.line(f"duplicate  {item['file']} ({item['recipe']}): its result was known already")
    for item in account.rejected:
        console.line(f"rejected   {item['file']}: {item['detail']} ({item['code']})", style="yellow")
    for item in account.failed:
        console.line(f"not sent   {item['file']}: {item['detail']}", style="red")
    for item in failures:
        console.line(f"{_why(item)}", style="red")
    console.line(summary(account))


def _why(image: dict[str, Any]) -> str:
    if image["status"] == "accepted":
        return f"in flight  {image['id']}  {image['name']} ({image['recipe']})"
    return f"failed     {image['id']}  {image['name']} ({image['recipe']}): {image['reason']} ({image['code']})"


def summary(account: Account) -> str:
    """One sentence that adds up."""
    parts = [f"{len(account.accepted):,} accepted ({say.plural(len(account.duplicates), 'duplicate')})"]
    parts.append(f"{len(account.rejected):,} rejected")
    parts += [f"{len(account.failed):,} not sent"] if account.failed else []
    parts += [f"{len(account.skipped):,} there already"] if account.skipped else []
    return f"{', '.join(parts)}; batch {account.batch}"
