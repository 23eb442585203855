"""`imagemill events`."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

import requests
import typer

from imagemill.cli import console, say
from imagemill.cli.client import ApiError, Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, Batch, connect
from imagemill.cli.sse import events as events_of
from imagemill.concurrency.retry import pause_seconds

# A comment comes every 15 s: after three of them did not, the connection is dead.
_SILENCE_SECONDS = 45.0
_MOST_FAILURES = 20

StreamEvent = tuple[str, dict[str, Any]]


def events(
    batch: Batch = None,
    activity: Annotated[bool, typer.Option("--activity", help="Every mark on every picture's way.")] = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """What happens, as it happens, until Ctrl-C."""
    client = connect(api)
    client.get(path_of("totals"))  # a wrong address is told at once, and not tried again and again
    for kind, data in _forever(client, batch):
        if kind == "activity" and not activity:
            continue
        if json:
            console.json_line({"event": kind, "data": data})
        else:
            console.line(told(kind, data))


def told(kind: str, data: dict[str, Any]) -> str:
    """An event as a line."""
    if kind == "totals":
        return f"{'totals':<12}{say.equation(data)}"
    if kind == "alerts":
        return f"{'alerts':<12}{data['new']:,} new"
    if kind == "outcome":
        return f"{data['status']:<12}{data['id']}  {data['recipe']}  {_how(data)}"
    if kind == "activity":
        about = data.get("image") or data.get("name") or ""
        return f"{data['kind']:<12}{about}  {say.time_of_day(data['at'])}  {data['by']}"
    return f"{kind:<12}{data.get('detail', '')}"


def _how(outcome: dict[str, Any]) -> str:
    if outcome["status"] == "failed":
        return f"{outcome['reason']} ({outcome['code']})"
    if outcome["duplicate"]:
        return "duplicate: the result was known"
    return f"{say.picture(outcome['result'])}, {say.took(outcome['trace'])}"


def _forever(client: Client, batch: str | None) -> Iterator[StreamEvent]:
    failures = 0
    while True:
        try:
            for event in _stream(client, batch):
                failures = 0
                yield event
        except (requests.RequestException, ApiError) as error:
            if not _passes(error):
                raise
        failures += 1
        if failures > _MOST_FAILURES:
            raise ApiError(f"{client.url} ended the stream {failures} times in a row; giving up.")
        console.hint("the stream ended; connecting again")
        client.pause(pause_seconds(failures, first=1))


def _passes(error: Exception) -> bool:
    """A restart of the server, as against a request that it will never like."""
    return not isinstance(error, ProblemAnswer) or error.status == HTTPStatus.SERVICE_UNAVAILABLE


def _stream(client: Client, batch: str | None) -> Iterator[StreamEvent]:
    with client.stream(path_of("events"), read_seconds=_SILENCE_SECONDS, batch=batch) as answer:
        # Without a chunk size lines come as they are sent, not when enough of them are there.
        yield from events_of(line.decode("utf-8", "replace") for line in answer.iter_lines(chunk_size=None))
