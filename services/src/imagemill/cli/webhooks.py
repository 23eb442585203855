"""`imagemill webhooks receivers, list, show, retry`."""

import sys
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, Limit, connect

app = typer.Typer(help="Other programs that are told of outcomes: who, and whether it worked.", no_args_is_help=True)

_AT_ONCE = 500
_KIND = "dev.imagemill."
Receiver = Annotated[str | None, typer.Option("--receiver", help="Only to this receiver.", metavar="NAME")]


@app.command("receivers")
def receivers(api: Api = None, json: AsJson = False) -> None:
    """Channels that are told of outcomes, always or when an upload names them."""
    answer = connect(api).get(path_of("channels"))
    found = [one for one in answer["channels"] if one["outcomes"] or one["callback"]]
    if json:
        console.as_json({"receivers": found})
    elif found:
        rows = [(one["name"], ", ".join(one["outcomes"]), "yes" if one["callback"] else "no") for one in found]
        console.table(("receiver", "is always told of", "--callback"), rows)
    else:
        console.hint("Nobody is told of outcomes; see docs/outcomes.md.")


@app.command("list")
def list_deliveries(
    state: Annotated[
        str | None, typer.Option("--state", help="waiting, delivered or failed (given up).", metavar="STATE")
    ] = None,
    receiver: Receiver = None,
    limit: Limit = 50,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Deliveries, newest event first."""
    pages = connect(api).pages(path_of("deliveries"), "deliveries", limit, state=state, receiver=receiver)
    found = list(pages)
    if json:
        console.as_json({"deliveries": found})
        return
    if not found:
        console.hint("There is no delivery like that." if state or receiver else "Nobody was told of anything yet.")
        return
    console.table(("id", "event", "receiver", "state", "try>", "last answer"), [_row(one) for one in found])


def _row(delivery: dict[str, Any]) -> tuple[str, ...]:
    attempts, kind = delivery["attempts"], str(delivery["event"]["type"]).removeprefix(_KIND)
    answer = attempts[-1]["answer"] if attempts else "not tried yet"
    return delivery["id"], kind, delivery["receiver"], delivery["state"], str(len(attempts)), answer


@app.command("show")
def show(delivery: Annotated[str, typer.Argument(help="The delivery's id.", metavar="ID")], api: Api = None) -> None:
    """One delivery as JSON: its event, and all attempts."""
    console.as_json(connect(api).get(path_of("deliveries", delivery)))


@app.command("retry")
def retry(
    deliveries: Annotated[list[str] | None, typer.Argument(help="Ids of deliveries.", metavar="ID...")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    receiver: Receiver = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Send again what was given up. Ends with 1 if any could not be, or there was none."""
    if bool(deliveries) == all_of_them or (receiver and not all_of_them):
        raise typer.BadParameter("Name ids, or --all, perhaps with --receiver.")
    done, refused = _retried(connect(api), deliveries or [], receiver)
    if json:
        console.as_json({"retried": done, "refused": refused})
    else:
        for item in refused:
            console.line(f"refused    {item['id']}: {item['detail']} ({item['code']})", style="yellow")
        console.line(f"{say.plural(len(done), 'delivery', 'deliveries')} will be sent again, {len(refused):,} refused")
    sys.exit(0 if done and not refused else 1)


def _retried(client: Client, ids: list[str], receiver: str | None) -> tuple[list[str], list[dict[str, Any]]]:
    """Ask, and with all of them go on while there are more."""
    parts = [{"deliveries": ids[at : at + _AT_ONCE]} for at in range(0, len(ids), _AT_ONCE)]
    done, refused = list[str](), list[dict[str, Any]]()
    for body in parts:
        answer = client.post(path_of("deliveries", "retry"), json=body)
        done, refused = done + answer["retried"], refused + answer["refused"]
    while not ids:
        answer = client.post(path_of("deliveries", "retry"), json={"matching": {"receiver": receiver or ""}})
        done, refused = done + answer["retried"], refused + answer["refused"]
        if len(answer["retried"]) < _AT_ONCE:
            break
    return done, refused
