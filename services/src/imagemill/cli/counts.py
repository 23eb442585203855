"""`imagemill totals, batch, recipes, pools`."""

import sys
import time
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, connect

_POLL_SECONDS = 1.0


def totals(api: Api = None, json: AsJson = False) -> None:
    """The equation over everything. Ends with 1 if it does not add up."""
    _tell(connect(api).get(path_of("totals")), json)


def batch(
    name: Annotated[str, typer.Argument(help="The batch's name.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until nothing is in flight; 1 if any failed.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, help="How long --follow follows, in seconds.")] = 3600,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """The equation of one batch. Ends with 1 if it does not add up."""
    client = connect(api)
    counts = _followed(client, name, timeout) if follow else client.get(path_of("batches", name))
    _tell(counts, json)
    if follow:
        sys.exit(1 if counts["failed"] or counts["in_flight"] else 0)


def _tell(counts: dict[str, Any], json: bool) -> None:
    wrong = say.contradiction(counts)
    if json:
        console.as_json(counts)
    else:
        console.line(say.equation(counts))
    if wrong:
        console.hint(f"error: the counts do not add up: {wrong}")
        sys.exit(1)


def _followed(client: Client, name: str, timeout_seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_seconds
    told = ""
    while True:
        counts = client.get(path_of("batches", name))
        if not counts["in_flight"] or time.monotonic() > deadline:
            return counts
        if say.equation(counts) != told:
            told = say.equation(counts)
            console.hint(told)
        client.pause(_POLL_SECONDS)


def recipes(api: Api = None, json: AsJson = False) -> None:
    """What can be asked for."""
    answer = connect(api).get(path_of("recipes"))
    if json:
        console.as_json(answer)
        return
    rows = [
        (f"{item['name']} *" if item["name"] == answer["default"] else item["name"], item["content_type"],
         item["pool"], item["description"])
        for item in answer["recipes"]
    ]  # fmt: skip
    console.table(("recipe", "makes", "pool", "description"), rows)
    console.hint("* without --recipe")


def pools(api: Api = None, json: AsJson = False) -> None:
    """The worker pools, and why they have as many workers as they have."""
    answer = connect(api).get(path_of("pools"))
    if json:
        console.as_json(answer)
        return
    found = answer["pools"] if "pools" in answer else answer.get("items", [])
    if not found:
        console.hint("There are no pools.")
        return
    console.table(
        ("pool", "workers>", "of>", "waiting>", "in work>", "in/s>", "out/s>", "wait>", "objective>", "mode"),
        [_row(pool) for pool in found],
    )
    for pool in found:
        console.line(f"{pool['name']}: {pool['reason']}")


def _row(pool: dict[str, Any]) -> tuple[str, ...]:
    """A pool whose Deployment is left alone tells less."""
    backlog = pool.get("backlog") or {}
    return (
        pool["name"],
        f"{_number(pool.get('ready_replicas'))}/{_number(pool.get('desired_replicas'))}",
        f"{_number(pool.get('min_replicas'))}-{_number(pool.get('max_replicas'))}",
        _number(backlog.get("ready")),
        _number(backlog.get("unacked")),
        _number(pool.get("arrival_rate")),
        _number(pool.get("service_rate")),
        say.seconds(pool.get("predicted_wait_seconds")),
        _objective(pool.get("objective") or {}),
        "paused" if pool.get("paused") else str(pool.get("mode", "?")),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _objective(objective: dict[str, float]) -> str:
    if "max_wait_seconds" in objective:
        return f"{objective['max_wait_seconds']:g} s"
    return f"{objective['backlog_per_replica']:g} each" if "backlog_per_replica" in objective else "?"
