"""`imagemill manifest`: what became of each picture of a batch."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imagemill.cli import console, say
from imagemill.cli.client import path_of
from imagemill.cli.fetching import chunks, write_stream
from imagemill.cli.options import Api, connect


class Form(StrEnum):
    """How a manifest is written."""

    CSV = "csv"
    JSON = "json"


def manifest(
    batch: Annotated[str, typer.Argument(help="The batch's name.")],
    form: Annotated[Form, typer.Option("--format", help="csv, or json: an object on each line.")] = Form.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File in place of the standard output.", metavar="FILE")
    ] = None,
    api: Api = None,
) -> None:
    """Write a row for each picture of a batch: what became of it, hashes, sizes, times. Newest first."""
    with connect(api).stream(path_of("batches", batch, "manifest"), format=form.value) as answer:
        if output and str(output) != "-":
            console.hint(f"{output}: {say.size(write_stream(output, answer))}")
            return
        for chunk in chunks(answer):
            sys.stdout.buffer.write(chunk)
