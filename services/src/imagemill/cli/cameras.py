"""`imagemill cameras list, add, edit, remove, test`."""

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import ApiError, path_of
from imagemill.cli.options import Api, AsJson, connect, with_options_of

app = typer.Typer(help="Cameras: what is read, by whom, and how it is.", no_args_is_help=True)

CameraId = Annotated[str, typer.Argument(help="The camera's id.", metavar="ID")]
Address = Annotated[
    str | None, typer.Option("--address", help="rtsp://, http://, or a path; '' if pictures are posted.", metavar="URL")
]
Credentials = Annotated[
    str | None, typer.Option("--credentials", help="Entry of the credentials file; '' for none.", metavar="NAME")
]
Rate = Annotated[float | None, typer.Option("--fps", help="Frames a second.", metavar="N")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="A motion setting, repeated: sensitivity=60.", metavar="NAME=VALUE")
]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable", help="Read it, or do not.")]
Loop = Annotated[bool | None, typer.Option("--loop/--once", help="Begin a file again at its end, or not.")]
Paced = Annotated[bool | None, typer.Option("--paced/--unpaced", help="Play a file at its own speed, or at once.")]


@app.command("list")
def list_cameras(api: Api = None, json: AsJson = False) -> None:
    """All cameras, and how they are."""
    answer = connect(api).get(path_of("cameras"))
    if json:
        console.as_json(answer)
    elif answer["cameras"]:
        titles = ("id", "name", "state", "frames>", "missed>", "reader", "address", "problem")
        console.table(titles, [_row(camera) for camera in answer["cameras"]])
    else:
        console.hint("There is no camera yet; add one with `imagemill cameras add NAME ADDRESS`.")


def _given(
    credentials: Credentials = None,
    fps: Rate = None,
    enabled: Enabled = None,
    loop: Loop = None,
    paced: Paced = None,
) -> dict[str, Any]:
    """What was named of a camera, but for what `add` and `edit` name differently."""
    others = {"frames_per_second": fps, "enabled": enabled, "loop": loop, "paced": paced}
    return _texts(credentials=credentials) | {name: value for name, value in others.items() if value is not None}


@app.command("add")
@with_options_of(_given)
def add(
    name: Annotated[str, typer.Argument(help="The camera's name.", metavar="NAME")],
    address: Annotated[
        str | None, typer.Argument(help="rtsp://, http://, or a path; none if pictures are posted.", metavar="ADDRESS")
    ] = None,
    camera_id: Annotated[str | None, typer.Option("--id", help="Its id; else it follows from the name.")] = None,
    motion: Set = None,
    *,
    given: dict[str, Any],
    api: Api = None,
    json: AsJson = False,
) -> None:
    """A new camera; a reader takes it within seconds."""
    camera = given | _texts(address=address) | {"name": name, "motion": _changed({}, motion)}
    camera |= {"id": camera_id} if camera_id else {}
    _tell(connect(api).post(path_of("cameras"), json=camera), "added", json)


@app.command("edit")
@with_options_of(_given)
def edit(
    camera: CameraId,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    address: Address = None,
    motion: Set = None,
    *,
    given: dict[str, Any],
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Changes what is named, and leaves the rest; `--set NAME=` makes a motion setting usual again."""
    client = connect(api)
    found = client.get(path_of("cameras", camera))
    named = given | _texts(address=address) | ({"name": name} if name else {})
    changed = found | named | {"motion": _changed(found["motion"], motion)}
    _tell(client.put(path_of("cameras", camera), json=changed), "changed", json)


@app.command("remove")
def remove(camera: CameraId, api: Api = None) -> None:
    """Removes a camera; its events and alerts stay."""
    connect(api).delete(path_of("cameras", camera))
    console.line(f"removed    {camera}")


@app.command("test")
def try_once(
    camera: Annotated[str | None, typer.Argument(help="The camera's id.", metavar="[ID]")] = None,
    address: Address = None,
    credentials: Credentials = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; - is the standard output.", metavar="FILE")
    ] = None,
    api: Api = None,
) -> None:
    """Reads one frame now, of a camera or of an address that is not saved; ends with 1 if there is none."""
    if (camera is None) == (address is None):
        raise typer.BadParameter("Name a camera's id, or --address.")
    client = connect(api)
    if camera is not None:
        data = client.post_for_bytes(path_of("cameras", camera, "test"))
    else:
        data = client.post_for_bytes(path_of("cameras", "test"), json=_texts(address=address, credentials=credentials))
    _write(data, output, f"{camera or 'frame'}.jpg")


def _row(camera: dict[str, Any]) -> tuple[str, ...]:
    status = camera["status"]
    counts = status["counts"] or {}
    return (
        camera["id"], camera["name"], status["state"], _count(counts, "frames"), _count(counts, "missed"),
        status["reader"] or "", camera["address"] or "", status["problem"] or "",
    )  # fmt: skip


def _count(counts: dict[str, Any], name: str) -> str:
    return f"{counts[name]:,}" if name in counts else ""


def _texts(**texts: str | None) -> dict[str, Any]:
    """Those that were named; an empty one takes something away."""
    return {name: text or None for name, text in texts.items() if text is not None}


def _changed(motion: dict[str, Any], changes: list[str] | None) -> dict[str, Any]:
    settings = dict(motion)
    for change in changes or ():
        name, equals, text = change.partition("=")
        if not equals:
            raise typer.BadParameter(f"{change!r} is not NAME=VALUE; one looks like sensitivity=60.")
        settings[name.strip()] = _value(text.strip())
    return {name: value for name, value in settings.items() if value != ""}


def _value(text: str) -> Any:
    try:
        return jsonlib.loads(text)
    except ValueError:
        return text


def _tell(camera: dict[str, Any], what: str, json: bool) -> None:
    if json:
        console.as_json(camera)
    else:
        console.line(f"{what:<10} {camera['id']}: {camera['name']}, {camera['status']['state']}")


def _write(data: bytes, output: Path | None, usual: str) -> None:
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    target = output or Path(usual)
    if output is None and target.exists():
        raise ApiError(f"{target} exists; name the file to write with -o.")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise ApiError(f"{target} cannot be written: {error.strerror}.") from error
    console.hint(f"{target}: {say.size(len(data))}")
