"""`imagemill demo`: drawn pictures and somebody who walks by, to see what there is to see."""

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from imagemill.cli import console, demo_drawing, reports
from imagemill.cli.client import Client, path_of
from imagemill.cli.files import find
from imagemill.cli.options import Api, connect
from imagemill.cli.sending import Uploader
from imagemill.cli.uploading import INTERRUPTED, plan_of, progress
from imagemill.cli.waiting import wait_for_batch
from imagemill.domain.ids import uuid7

_HOURS = (5, 7, 9, 12, 15, 18, 20, 22)
_RECIPES = 3
_PNG = {"Content-Type": "image/png"}
_FRAMES = 40
_FRAME_SECONDS = 0.25
_JOBS = 2
_WORK_SECONDS = 120.0
_ALERT_SECONDS = 30.0


def demo(
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Landscapes, and files that fail.")] = True,
    walk: Annotated[bool, typer.Option("--walk/--no-walk", help="Somebody before a camera, and an alert.")] = True,
    api: Api = None,
) -> None:
    """Draw pictures, and somebody who walks by a camera, to see all of the product without a photo or a camera.

    What is drawn is taken in as pictures of the batch that is told, and kept as all pictures are.
    """
    client, batch = connect(api), f"demo-{uuid7()}"
    if pictures:
        _upload(client, batch)
    is_seen = not walk or _walk_by(client, batch)
    console.hint(f"Look at it: {client.url}/batches/{batch}")
    sys.exit(0 if is_seen else 1)


# --- pictures -------------------------------------------------------------------------------------


def _upload(client: Client, batch: str) -> None:
    plan = plan_of(client, _recipes(client), batch, source=None, priority=None, again=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="imagemill-demo-") as folder:
        for name, data in _drawn():
            Path(folder, name).write_bytes(data)
        files = find(sorted(map(str, Path(folder).iterdir())), recursive=False).files
        with progress("Uploading", len(files), "sent") as told:
            account, interrupted = Uploader(client, plan, told).send(files, _JOBS)
    if interrupted:
        sys.exit(INTERRUPTED)
    waited = wait_for_batch(client, batch, _WORK_SECONDS)
    console.line(reports.summary(account, waited, time.monotonic() - began))
    console.hint(
        "One file is cut short, one is garbled, and one is not a picture at all: see what the page says about them."
    )


def _recipes(client: Client) -> list[str]:
    """A few of those whose workers are likely to be awake: of the pool of the default one."""
    answer = client.get(path_of("recipes"))
    pool_of = {item["name"]: item["pool"] for item in answer["recipes"]}
    default = answer["default"]
    others = [name for name, pool in pool_of.items() if pool == pool_of[default] and name != default]
    return [default, *others[: _RECIPES - 1]]


def _drawn() -> Iterator[tuple[str, bytes]]:
    for seed, hour in enumerate(_HOURS):
        yield f"landscape-{hour:02}h.png", demo_drawing.landscape(hour, seed)
    yield "cut-short.png", demo_drawing.cut_short(demo_drawing.landscape(10, seed=91))
    yield "garbled.png", demo_drawing.garbled(demo_drawing.landscape(11, seed=92))
    yield "no-picture.png", b"A shopping list: eggs, flour, milk.\n"


# --- somebody walks by ----------------------------------------------------------------------------


def _walk_by(client: Client, batch: str) -> bool:
    """Tells whether it was seen."""
    # A camera of its own: before one that somebody has just walked by, it would be the same event that goes on.
    source = f"demo-{datetime.now():%H%M%S}"
    frames = demo_drawing.walk(_FRAMES)
    for number, frame in enumerate(
        track(frames, "Walking by", _FRAMES, console=console.err(), disable=not console.err().is_terminal)
    ):
        query = {"source": source, "batch": batch, "name": f"yard-{number:02}.png"}
        client.post(path_of("images"), patient=True, data=frame, headers=_PNG, params=query)
        client.pause(_FRAME_SECONDS)
    deadline = time.monotonic() + _ALERT_SECONDS
    while not (said := _seen(client, source)):
        if time.monotonic() > deadline:
            console.hint(
                f"Nothing was seen before {source!r} within {_ALERT_SECONDS:g} s;"
                " `imagemill status` says whether everything runs."
            )
            return False
        client.pause(_FRAME_SECONDS)
    console.line(said)
    return True


def _seen(client: Client, source: str) -> str:
    """What the alerter made of the walk; nothing before it made something of it."""
    for alert in client.pages(path_of("alerts"), "alerts", 1, camera=source):
        return f"Alert {alert['number']}: somebody walked by {source!r}. {client.url}{alert['url']}"
    for event in client.pages(path_of("held-back"), "held_back", 1, camera=source):
        return f"Somebody walked by {source!r}; it is no alert: {event['reason']}"
    return ""
