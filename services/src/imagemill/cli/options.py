"""Options which several commands share."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from imagemill.cli.client import DEFAULT_API, Client
from imagemill.cli.credentials import token_for

Api = Annotated[
    str | None,
    typer.Option("--api", help=f"Where the API is; else IMAGEMILL_API, else {DEFAULT_API}.", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AsLines = Annotated[bool, typer.Option("--json", help="Print JSON lines, one for each file, and a summary.")]
Batch = Annotated[str | None, typer.Option("--batch", help="Only pictures of this batch.", metavar="NAME")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most this many.")]
ImageId = Annotated[str, typer.Argument(help="The id which the upload told.", metavar="ID")]


def connect(api: str | None, connections: int = 4) -> Client:
    """The API that is asked for, or the usual one, as whoever has logged in there."""
    url = api or DEFAULT_API
    return Client(url, connections, token_for(url))


def with_options_of(described: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command's parameter `given` becomes the options of `described`; the command gets what that makes of them."""
    more = inspect.signature(described).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command).parameters
        all_of_them = [one for name, item in own.items() for one in (more.values() if name == "given" else [item])]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            given = described(**{name: values.pop(name) for name in more})
            command(given=given, **values)

        # By these two Typer knows a command's options.
        run.__signature__ = inspect.Signature(all_of_them)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in all_of_them}
        return run

    return decorate
