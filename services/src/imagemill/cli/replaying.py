"""`imagemill replay`: what other settings would make of frames that are there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import ApiError, Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, connect
from imagemill.motion.settings import MotionSettings, parse_settings, with_changes

if TYPE_CHECKING:
    from imagemill.motion import Event

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_EVENTS = 1000
# The strip's first picture shows the place before: seen for so long, it becomes the background.
_STILL_FRAMES = 3


@dataclass(frozen=True)
class Replayed:
    """What a replay says: lines for people, members for programs."""

    lines: list[str]
    members: dict[str, Any]


def replay(
    changes: Annotated[
        list[str], typer.Option("--set", help="A setting to try, like sensitivity=70.", metavar="NAME=VALUE")
    ],
    camera: Annotated[
        str | None, typer.Option("--camera", help="Take its settings, and its stored events.", metavar="ID")
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

    A video tells it exactly. Of a camera only events are stored, with a strip of small pictures: these tell which of
    them would go, and which would be of another class; what never was an event cannot be found in them.
    """
    if file is None and camera is None:
        raise typer.BadParameter("Name a --camera, or a --file.")
    client = connect(api)
    before = _settings_of(client, camera) if camera else MotionSettings()
    try:
        after = with_changes(before, changes)
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from None
    found = _of_file(file, before, after) if file else _of_events(client, str(camera), _since(since), before, after)
    if json:
        console.as_json(found.members)
        return
    for line in found.lines:
        console.line(line)


# --- a video --------------------------------------------------------------------------------------


def _of_file(path: Path, before: MotionSettings, after: MotionSettings) -> Replayed:
    _need_opencv()
    from imagemill.feeds import FeedError, FeedPolicy, from_address
    from imagemill.feeds.replay import replay as replay_file
    from imagemill.motion.compare import described

    real = path.resolve()
    try:
        spec = from_address(str(real), frames_per_second=min(30.0, 1 / before.interval_seconds))
        difference = replay_file(spec, FeedPolicy(folders=(real.parent, real)), before, after)
    except FeedError as error:
        raise ApiError(f"{path} cannot be replayed: {error}.") from error
    return Replayed(described(difference, 0.0), difference.as_dict())


# --- stored events --------------------------------------------------------------------------------


def _of_events(client: Client, camera: str, since: datetime, before: MotionSettings, after: MotionSettings) -> Replayed:
    _need_opencv()
    lines, gone, changed, kept, untold = [], [], [], 0, 0
    for event in _events(client, camera, since):
        pictures = _strip(client, event)
        was, would_be = (_seen_as(pictures, settings) for settings in (before, after))
        if was is None:
            untold += 1
        elif would_be is None:
            gone.append(event)
            lines.append(f"- {_line(event)}: would not come any more")
        elif was.event_class != would_be.event_class:
            changed.append({**event, "would_be": would_be.event_class})
            lines.append(f"~ {_line(event)}: {was.event_class} would become {would_be.event_class}")
        else:
            kept += 1
    lines.append(f"{kept} kept, {len(gone)} gone, {len(changed)} of another class")
    if untold:
        lines.append(f"{say.plural(untold, 'event')} whose few stored pictures do not tell it")
    return Replayed(lines, {"kept": kept, "gone": gone, "changed": changed, "untold": untold})


def _events(client: Client, camera: str, since: datetime) -> Iterator[dict[str, Any]]:
    for event in client.pages(path_of("camera-events"), "events", _MOST_EVENTS, camera=camera):
        if datetime.fromisoformat(event["started_at"]) < since:
            return
        if event["kind"] == "motion" and event["ended_at"] is not None:
            yield event


def _strip(client: Client, event: dict[str, Any]) -> list[bytes]:
    names = sorted(item["name"] for item in event["pictures"] if item["name"].startswith("strip-"))
    pictures = []
    for name in names:
        with client.stream(path_of("camera-events", event["id"], "pictures", name)) as answer:
            pictures.append(answer.content)
    return pictures


def _seen_as(pictures: list[bytes], settings: MotionSettings) -> "Event | None":
    from imagemill.motion import Frame
    from imagemill.motion.compare import events_of

    shown = [*pictures[:1] * _STILL_FRAMES, *pictures[1:]]
    frames = [Frame(number * settings.interval_seconds, data, number) for number, data in enumerate(shown)]
    return next((one for one in events_of(frames, settings) if one.kind == "motion"), None)


def _line(event: dict[str, Any]) -> str:
    number = f"alert {event['alert']}, " if event["alert"] else ""
    return f"{number}{event['started_at']} {event['description']}"


# --- around both ----------------------------------------------------------------------------------


def _settings_of(client: Client, camera: str) -> MotionSettings:
    try:
        found = client.get(path_of("cameras", camera))
    except ProblemAnswer as problem:
        if problem.status != 404:
            raise
        return MotionSettings()  # pictures posted with a source: it has no document, and the usual settings
    rate = float(found.get("frames_per_second", 1.0))
    return parse_settings({"interval_seconds": 1 / rate, **found.get("motion", {})})


def _since(text: str) -> datetime:
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and unit in _UNITS:
        return datetime.now(UTC) - timedelta(seconds=int(number) * _UNITS[unit])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write it like 2h, 3d or 2026-11-20.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _need_opencv() -> None:
    try:
        import cv2
    except ImportError:
        raise ApiError("A replay needs OpenCV: install imagemill with its extra `analyzer`.") from None
    cv2.setNumThreads(1)
