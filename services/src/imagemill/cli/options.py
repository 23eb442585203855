"""Options which several commands share."""

from typing import Annotated

import typer

from imagemill.cli.client import DEFAULT_API, Client

Api = Annotated[
    str | None,
    typer.Option("--api", help=f"Where the API is; else IMAGEMILL_API, else {DEFAULT_API}.", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Batch = Annotated[str | None, typer.Option("--batch", help="Only pictures of this batch.", metavar="NAME")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most this many.")]
ImageId = Annotated[str, typer.Argument(help="The id which the upload told.", metavar="ID")]


def connect(api: str | None, connections: int = 4) -> Client:
    """The API that is asked for, or the usual one."""
    return Client(api or DEFAULT_API, connections)
