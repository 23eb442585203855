"""`imagemill watch`: a folder whose new pictures are uploaded."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from imagemill.cli import console, reports
from imagemill.cli.accounts import Account
from imagemill.cli.files import File, find
from imagemill.cli.options import Api, AsLines, connect
from imagemill.cli.sending import Told, Uploader
from imagemill.cli.uploading import INTERRUPTED, Again, BatchName, Jobs, Recipe, Recursive, Source, plan_of

Seen = dict[Path, tuple[int, int]]


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder.", exists=True, file_okay=False)],
    recipe: Recipe = None,
    batch: BatchName = None,
    source: Source = None,
    recursive: Recursive = True,
    jobs: Jobs = 4,
    again: Again = False,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 2.0,
    until_idle: Annotated[
        float | None, typer.Option("--until-idle", min=0, help="End when nothing came for so many seconds.")
    ] = None,
    api: Api = None,
    json: AsLines = False,
) -> None:
    """Upload pictures as they appear in a folder, until Ctrl-C: those that are there, and those that come."""
    client, began = connect(api, connections=jobs), time.monotonic()
    plan = plan_of(client, recipe or [], batch, source, None, again)
    account, done, before, last = Account(plan.batch), Seen(), Seen(), time.monotonic()
    console.hint(f"Watching {folder}; Ctrl-C ends. Batch {plan.batch}")
    interrupted = False
    try:
        while until_idle is None or time.monotonic() - last < until_idle:
            now = states(find([str(folder)], recursive).files)
            ready = complete(before, now, done)
            if ready:
                sent, interrupted = Uploader(client, plan, _tell(json)).send(ready, jobs)
                account.add(sent)
                done |= {file.path: now[file.path] for file in ready if file.path}
                last = time.monotonic()
            before = now
            if interrupted or not client.pause(every):
                break
    except KeyboardInterrupt:
        interrupted = True
    if not json:
        console.line(reports.summary(account, None, time.monotonic() - began))
    sys.exit(INTERRUPTED if interrupted else 1 if account.rejected or account.failed else 0)


def states(files: list[File]) -> Seen:
    """Size and time of change of each file; those which are gone meanwhile are left out."""
    found = Seen()
    for file in files:
        try:
            stat = file.path.stat() if file.path else None
        except OSError:
            continue
        if file.path and stat:
            found[file.path] = (stat.st_size, stat.st_mtime_ns)
    return found


def complete(before: Seen, now: Seen, done: Seen) -> list[File]:
    """Files to send: written to its end, as far as two looks tell, and not sent like this before."""
    return [
        File(path, state[0])
        for path, state in sorted(now.items())
        if state[0] and before.get(path) == state and done.get(path) != state
    ]


def _tell(json: bool) -> Told:
    def told(account: Account, _count: int, _size: int) -> None:
        for event in account.events():
            if json:
                console.json_line(event)
            else:
                console.line(reports.file_line(event))

    return told
