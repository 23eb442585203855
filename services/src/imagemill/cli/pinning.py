"""`imagemill pin`."""

from typing import Annotated

import typer

from imagemill.cli import console
from imagemill.cli.client import path_of
from imagemill.cli.options import Api, AsJson, ImageId, connect


def pin(
    image: ImageId,
    note: Annotated[str, typer.Option("--note", "-m", help="Why it must be kept.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the pin away.")] = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Keep a picture: nobody can erase it, and no retention, until the pin is taken away."""
    client, path = connect(api), path_of("images", image, "pin")
    if undo:
        client.delete(path)
        console.line("It is not pinned any more.")
        return
    kept = client.put(path, json={"note": note})
    if json:
        console.as_json(kept)
    else:
        console.line(f"Pinned at {kept['at']} by {kept['by']}" + (f": {kept['note']}" if kept["note"] else ""))
