"""`imagemill status`: how things are, in a few lines."""

from typing import Any

from imagemill.cli import console, say
from imagemill.cli.client import Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, connect


def status(api: Api = None, json: AsJson = False) -> None:
    """Where the API is and who asks, the equation, open failures, and the worker pools."""
    client = connect(api)
    who, totals, pools = client.get(path_of("whoami")), client.get(path_of("totals")), _pools(client)
    if json:
        console.as_json({"api": client.url, "who": who, "totals": totals, "pools": pools})
        return
    console.line(f"{client.url}, as {who['name']} ({who['role']})")
    console.line(say.equation(totals))
    if totals["failed_open"]:
        are = "is" if totals["failed_open"] == 1 else "are"
        console.line(f"{say.plural(totals['failed_open'], 'failure')} {are} open: imagemill failures list", style="red")
    for pool in pools:
        console.line(f"{pool['name']}: {pool['reason']}")


def _pools(client: Client) -> list[dict[str, Any]]:
    """None where there is no scaler, or it does not answer: the rest is told all the same."""
    try:
        answer = client.get(path_of("pools"))
    except ProblemAnswer:
        return []
    return list(answer.get("pools") or answer.get("items") or [])
