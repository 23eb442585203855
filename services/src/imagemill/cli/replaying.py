"""`imagemill replay`: what other settings would make of frames that are there."""

from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.cli import console
from imagemill.cli.client import ApiError, Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, connect
from imagemill.cli.times import moment_of
from imagemill.domain.motion_settings import MotionSettings, parse_settings, settings_as_dict, with_changes

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
    before, after = _compared(_settings_of(found), changes)
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
    client: Client, camera: str, known: Json | None, since: datetime, before: MotionSettings, after: MotionSettings,
    tried: str,
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


# --- settings -------------------------------------------------------------------------------------


def _camera(client: Client, camera: str) -> Json | None:
    """Its document; None for a source that has none, as pictures may be posted with any."""
    try:
        return client.get(path_of("cameras", camera))
    except ProblemAnswer as problem:
        if problem.status != 404:
            raise
        return None


def _settings_of(camera: Json | None) -> MotionSettings:
    if camera is None:
        return MotionSettings()
    rate = float(camera.get("frames_per_second", 1.0))
    return parse_settings({"interval_seconds": 1 / rate, **camera.get("motion", {})})


def _compared(now: MotionSettings, changes: list[str]) -> tuple[MotionSettings, MotionSettings]:
    """The settings as they are and as they are tried, both without the people detector; BadParameter."""
    try:
        then = with_changes(now, changes)
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from None
    if then == now:
        raise typer.BadParameter(f"{', '.join(changes)} is as it is set now; nothing would come or go.")
    before, after = _without_people(now), _without_people(then)
    if before == after:
        raise typer.BadParameter("A replay does not look for people, so it cannot tell what that would change.")
    if (before, after) != (now, then):
        console.hint("People are not looked for in a replay: events count as if somebody was found in them.")
    return before, after


def _without_people(settings: MotionSettings) -> MotionSettings:
    return replace(settings, people=False, alert_when=replace(settings.alert_when, people=False))


def words_of(before: MotionSettings, after: MotionSettings) -> str:
    """`sensitivity 50 → 70`."""
    old, new = (_flat(settings_as_dict(settings)) for settings in (before, after))
    return ", ".join(f"{name} {_short(old[name])} → {_short(new[name])}" for name in old if old[name] != new[name])


def _flat(settings: Json) -> Json:
    when = {f"alert_when.{name}": value for name, value in settings["alert_when"].items()}
    return {name: value for name, value in settings.items() if name != "alert_when"} | when


def _short(value: Any) -> str:
    """Areas have too many corners to be read; their number tells that they changed."""
    if isinstance(value, list):
        return (
            f"({len(value)} areas)" if any(not isinstance(item, str) for item in value) else ",".join(value) or "none"
        )
    return f"{value:g}" if isinstance(value, float) else str(value)


def _need_opencv() -> None:
    try:
        import cv2
    except ImportError:
        raise ApiError("A replay needs OpenCV: install imagemill with its extra `analyzer`.") from None
    cv2.setNumThreads(1)
