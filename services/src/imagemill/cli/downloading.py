"""`imagemill download`: the results of a batch, into a folder."""

import hashlib
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import ApiError, Client, path_of
from imagemill.cli.fetching import write_stream
from imagemill.cli.options import Api, AsLines, connect
from imagemill.domain.names import ENDINGS, display_name, portable, result_stem

_MOST = 1_000_000


@dataclass(frozen=True)
class Download:
    """A picture's bytes and the file they belong into."""

    image: str
    what: str
    sha256: str
    target: Path


def download(
    batch: Annotated[str, typer.Argument(help="The batch's name.")],
    to: Annotated[Path, typer.Option("--to", help="The folder; it is made if it is not there.", metavar="FOLDER")],
    original: Annotated[bool, typer.Option("--original", help="The originals instead of the results.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=16, help="Requests at the same time.")] = 4,
    api: Api = None,
    json: AsLines = False,
) -> None:
    """Fetch the results of a batch; what the folder has is not fetched again. Ends with 1 if any could not be."""
    client, began = connect(api, connections=jobs), time.monotonic()
    client.get(path_of("batches", batch))  # one that does not exist is told so
    state = None if original else "stored"
    images = list(client.pages(path_of("images"), "images", _MOST, batch=batch, state=state))
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ApiError(f"{to} cannot be made: {error.strerror}.") from error
    wanted = targets(reversed(images), to, original)
    with ThreadPoolExecutor(jobs, thread_name_prefix="download") as pool:
        events = list(pool.map(lambda item: _fetched(client, item), wanted))
    for event in events:
        if json:
            console.json_line(event)
        elif event["event"] == "failed":
            console.line(f"failed     {event['file']}: {event['detail']}", style="red")
    counts = {kind: sum(event["event"] == kind for event in events) for kind in ("fetched", "there", "failed")}
    counts["bytes"] = sum(event.get("bytes", 0) for event in events)
    _tell(counts, to, time.monotonic() - began, json)
    sys.exit(1 if counts["failed"] else 0)


def targets(images: Iterable[Mapping[str, Any]], folder: Path, original: bool) -> list[Download]:
    """A file for each picture: `kite-gray.png`; the second of a name has the end of its id in it. Oldest first."""
    found: dict[str, Download] = {}
    originals = set()
    for image in images:
        info = image["original"] if original else image["result"]
        if original and (image["name"], info["sha256"]) in originals:
            continue  # one file under several recipes
        originals.add((image["name"], info["sha256"]))
        base = display_name(image["name"])  # without its folders
        stem = base.rpartition(".")[0] if original else result_stem(base, image["recipe"])
        ending = ENDINGS.get(info["content_type"], "bin")
        name = portable(display_name(f"{stem or base}.{ending}"))
        # Not all file systems tell cases apart.
        if name.lower() in found:
            name = portable(display_name(f"{stem or base}-{image['id'][-12:]}.{ending}"))
        what = "original" if original else "result"
        found[name.lower()] = Download(image["id"], what, info["sha256"], folder / name)
    return list(found.values())


def _fetched(client: Client, wanted: Download) -> dict[str, Any]:
    told = {"file": str(wanted.target), "id": wanted.image, "sha256": wanted.sha256}
    try:
        if wanted.target.exists() and hashlib.sha256(wanted.target.read_bytes()).hexdigest() == wanted.sha256:
            return {"event": "there", **told}
        with client.stream(path_of("images", wanted.image, wanted.what)) as answer:
            return {"event": "fetched", **told, "bytes": write_stream(wanted.target, answer)}
    except (ApiError, OSError) as error:
        return {"event": "failed", **told, "detail": str(error)}


def _tell(counts: dict[str, int], folder: Path, seconds: float, json: bool) -> None:
    if json:
        console.json_line({"event": "summary", **counts, "seconds": round(seconds, 3)})
        return
    failed = f", {counts['failed']:,} failed" if counts["failed"] else ""
    there = f", {counts['there']:,} there already" if counts["there"] else ""
    fetched = f"{say.plural(counts['fetched'], 'file')} fetched{there}{failed}"
    console.line(f"{fetched}; {say.size(counts['bytes'])} in {say.seconds(seconds)}; {folder}")
