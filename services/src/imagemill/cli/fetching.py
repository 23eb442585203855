"""`imagemill get`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import requests
import typer

from imagemill.cli import console, say
from imagemill.cli.client import ApiError, Unsure, path_of
from imagemill.cli.options import Api, ImageId, connect
from imagemill.domain.names import display_name

_CHUNK_BYTES = 256 * 1024
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File; - is the standard output.", metavar="FILE")]


def get(
    image: ImageId,
    output: Output = None,
    original: Annotated[bool, typer.Option("--original", help="The original instead of the result.")] = False,
    api: Api = None,
) -> None:
    """Fetch a result, or the original."""
    client = connect(api)
    with client.stream(path_of("images", image, "original" if original else "result"), download="1") as answer:
        if str(output) == "-":
            for chunk in chunks(answer):
                sys.stdout.buffer.write(chunk)
            return
        target = output or _free_name(answer)
        written = write_stream(target, answer)
    console.hint(f"{target}: {say.size(written)}")


def _free_name(answer: requests.Response) -> Path:
    """The name which the API proposes, never over a file that is there."""
    proposed = answer.headers.get("Content-Disposition", "").partition("filename*=UTF-8''")[2]
    target = Path(display_name(unquote(proposed)))
    if target.exists():
        raise ApiError(f"{target} exists; name the file to write with -o.")
    return target


def write_stream(target: Path, answer: requests.Response) -> int:
    """Write all of an answer or nothing: a file that is there is a whole one. Returns its bytes; raises ApiError."""
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
            return target.open("wb").write(b"".join(chunks(answer)))
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    except OSError as error:
        raise ApiError(f"{target} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            written = sum(file.write(chunk) for chunk in chunks(answer))
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except OSError as error:
        raise ApiError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return written


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def chunks(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_content(_CHUNK_BYTES)
    except requests.RequestException as error:
        raise Unsure("The connection broke in the middle of the picture; ask again.") from error
