"""A replay of pictures that were posted with a source: all originals are kept, so it tells what would go and come."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from imagemill.cli import say
from imagemill.cli.client import Client, ProblemAnswer, path_of
from imagemill.cli.replay_words import Replayed, clock, counted, facts_of, lines_of
from imagemill.domain.events import Event
from imagemill.domain.ids import made_at
from imagemill.motion import Frame, MotionSettings
from imagemill.motion.compare import SLACK_SECONDS, compare, events_of_both

Json = dict[str, Any]
_PAGE = 500
_AT_ONCE = 4
_AHEAD = 16
# Pictures of one request have one time; the analyzer has seen them one after the other.
_LEAST_STEP_SECONDS = 0.001


def posted_pictures(client: Client, source: str, since: datetime) -> list[Json]:
    """What was posted with a source since then, oldest first, each picture once."""
    newest_first = list(_listed(client, source, since))
    return _once(newest_first[::-1])


def of_posted(
    client: Client, source: str, pictures: list[Json], stored: list[Json], before: MotionSettings,
    after: MotionSettings, tried: str,
) -> Replayed:  # fmt: skip
    """Both settings over the same pictures, in the order of their time."""
    gone: list[str] = []
    difference = compare(*events_of_both(_frames(client, pictures, gone), before, after))
    head = [
        f"{source}: {say.plural(len(pictures), 'posted picture')} from {_second(pictures[0])} to"
        f" {_second(pictures[-1])} UTC, {tried}"
    ]
    notes = [f"{say.plural(len(gone), 'original')} could not be read any more."] if gone else []
    members = difference.as_dict() | {
        "of": "posted", "pictures": len(pictures), "missing": gone, "tells_what_would_come": True,
    }  # fmt: skip
    return Replayed([*head, *lines_of(difference, lambda event: _title(event, stored)), *notes], members)


def _listed(client: Client, source: str, since: datetime) -> Iterator[Json]:
    after: str | None = None
    while True:
        page = client.get(path_of("images"), source=source, limit=_PAGE, after=after)
        for image in page["images"]:
            if datetime.fromisoformat(image["accepted_at"]) < since:
                return
            yield image
        after = page["next"]
        if after is None or made_at(after) < since.timestamp():
            return


def _once(oldest_first: list[Json]) -> list[Json]:
    """A picture under several recipes is several jobs, and one that is tried again another: it was one frame."""
    recipe_of: dict[tuple[str, str, str], str] = {}
    found = []
    for image in oldest_first:
        key = (image["batch"], image["name"], image["original"]["sha256"])
        if recipe_of.setdefault(key, image["recipe"]) == image["recipe"] and image["retry_of"] is None:
            found.append(image)
    return found


def _frames(client: Client, pictures: list[Json], gone: list[str]) -> Iterator[Frame]:
    at = float("-inf")
    for image, data in counted(_fetched(client, pictures), "Replaying", len(pictures)):
        if data is None:
            gone.append(image["id"])
            continue
        at = max(datetime.fromisoformat(image["accepted_at"]).timestamp(), at + _LEAST_STEP_SECONDS)
        yield Frame(at, data)


def _fetched(client: Client, pictures: list[Json]) -> Iterator[tuple[Json, bytes | None]]:
    """A few at once, and no more ahead than are soon wanted."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for begin in range(0, len(pictures), _AHEAD):
            some = pictures[begin : begin + _AHEAD]
            yield from zip(some, pool.map(lambda image: _original(client, image), some), strict=True)


def _original(client: Client, image: Json) -> bytes | None:
    try:
        with client.stream(path_of("images", image["id"], "original")) as answer:
            return answer.content
    except ProblemAnswer as problem:
        if problem.status not in (404, 410):
            raise
        return None


def _title(event: Event, stored: list[Json]) -> str:
    number = next((item["alert"] for item in stored if item["alert"] and _is(item, event)), None)
    return f"{clock(event.started_at)} {facts_of(event)}" + (f" (alert {number})" if number else "")


def _is(stored: Json, event: Event) -> bool:
    began = datetime.fromisoformat(stored["started_at"]).timestamp()
    lasted = stored["seconds"] or 0.0
    overlaps = began - SLACK_SECONDS < event.shown_until and event.started_at < began + lasted + SLACK_SECONDS
    return bool(stored["kind"] == event.kind and overlaps)


def _second(image: Json) -> str:
    return clock(datetime.fromisoformat(image["accepted_at"]).timestamp())
