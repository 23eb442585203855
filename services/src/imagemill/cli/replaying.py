"""`imagemill replay`: what other settings would make of frames that are there."""

from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagemill.cli import console
from imagemill.cli.client import ApiError, Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, connect
from imagemill.cli.times import moment_of

if TYPE_CHECKING:
    from imagemill.domain.motion_settings import MotionSettings

Json = dict[str, Any]


def replay(
    changes: Annotated[
        list[str], typer.Option("--set", help="A setting to try, repeated: sensitivity=70.", metavar="NAME=VALUE")
    ],
    camera: Annotated[
        str | None, typer.Option("--camera", help="Take its settings, and what is stored of it.", metavar="ID")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="How far back: 2h, 3d, or a date like 2026-11-20.", metavar="WHEN")
    ] = "1d",
    file: Annotated[
        Path | None, typer.Option("--file", help="A video, or a folder of pictures, instead.", metavar="PATH")
    ] = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Which events would come and which would go with other motion settings.

    Pictures that were posted with --source are all kept, and a video has all its frames: both tell it exactly. Of a
    camera that is read only its events are kept, each with a strip of small pictures: these tell which of them would
    go or be of another class. What never was an event is not stored; record a video of the place and use --file.
    """
    if file is None and camera is None:
        raise typer.BadParameter("Name a --camera, or a --file.")
    client, moment = connect(api), moment_of(since)
    found = _camera(client, camera) if camera else None
    from imagemill.cli.replay_settings import compared, settings_of, words_of

    before, after = compared(settings_of(found), changes)
    _need_opencv()
    tried = words_of(before, after)
    if file:
        from imagemill.cli.replay_file import of_file

        said = of_file(file, before, after, tried)
    else:
        said = _of_camera(client, str(camera), found, moment, before, after, tried)
    if json:
        console.as_json(said.members)
        return
    for line in said.lines:
        console.line(line)


def _of_camera(
    client: Client, camera: str, known: Json | None, since: datetime, before: "MotionSettings",
    after: "MotionSettings", tried: str,
) -> Any:  # fmt: skip
    from imagemill.cli.replay_posted import of_posted, posted_pictures
    from imagemill.cli.replay_strips import of_strips, stored_events

    pictures = [] if known and known["address"] else posted_pictures(client, camera, since)
    stored = stored_events(client, camera, since)
    if pictures:
        return of_posted(client, camera, pictures, stored.events, before, after, tried)
    if stored.motions:
        return of_strips(client, camera, stored, before, after, tried)
    raise _nothing(client, camera, known, since)


def _nothing(client: Client, camera: str, known: Json | None, since: datetime) -> ApiError:
    """Neither pictures nor events: is the camera unknown, or was it quiet?"""
    earlier = next(client.pages(path_of("camera-events"), "events", 1, camera=camera), None)
    if known is None and earlier is None:
        names = [item["id"] for item in client.get(path_of("cameras"))["cameras"]]
        near = get_close_matches(camera, names, 1)
        meant = f" Did you mean {near[0]}?" if near else f" There are {', '.join(names)}." if names else ""
        return ApiError(f"There is no camera {camera!r}, and no picture was posted with that source.{meant}")
    if earlier is None:
        return ApiError(f"Nothing is stored of {camera} yet: no event, and no picture posted with its id as source.")
    return ApiError(
        f"No motion of {camera} that has ended is stored since {since:%Y-%m-%d %H:%M} UTC; its newest event"
        f" ({earlier['kind']}) began {earlier['started_at']}. Go further back with --since, like --since 7d."
    )


def _camera(client: Client, camera: str) -> Json | None:
    """Its document; None for a source that has none, as pictures may be posted with any."""
    try:
        return client.get(path_of("cameras", camera))
    except ProblemAnswer as problem:
        if problem.status != 404:
            raise
        return None


def _need_opencv() -> None:
    try:
        import cv2
    except ImportError:
        raise ApiError("A replay needs OpenCV: install imagemill with its extra `analyzer`.") from None
    cv2.setNumThreads(1)
