"""`imagemill login, logout, whoami, audit` and `imagemill tokens list, create, revoke`."""

import sys
from typing import Annotated, Any

import typer

from imagemill.cli import console, credentials
from imagemill.cli.client import DEFAULT_API, Client, path_of
from imagemill.cli.options import Api, AsJson, Limit, connect

app = typer.Typer(help="Tokens: who may do what; only admins see and change them.", no_args_is_help=True)

Json = dict[str, Any]
Role = Annotated[str, typer.Option("--role", help="viewer, uploader, operator or admin.", metavar="ROLE")]
Days = Annotated[float | None, typer.Option("--days", help="It expires after so many days.", metavar="N")]
Source = Annotated[str | None, typer.Option("--source", help="It only uploads, as this source.", metavar="NAME")]
Recipes = Annotated[list[str] | None, typer.Option("--recipe", help="Recipes it may ask for, repeated.")]
Requests = Annotated[float | None, typer.Option("--requests", help="Requests a second, on average.", metavar="N")]
Bytes = Annotated[float | None, typer.Option("--bytes", help="Bytes a second, on average.", metavar="N")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Jobs in flight at a time.", metavar="N")]
Priority = Annotated[int | None, typer.Option("--max-priority", min=0, max=9, help="Highest priority.")]


def login(api: Api = None) -> None:
    """Keeps a token for this API; it is asked for, or read from the standard input."""
    text = str(typer.prompt("Token", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline()
    client = Client(api or DEFAULT_API, token=text.strip())
    who = client.get(path_of("whoami"))
    path = credentials.keep(client.url, text.strip())
    console.line(f"logged in  {who['name']}, {who['role']}")
    console.hint(f"The token is kept in {path}; `imagemill logout` forgets it.")


def logout(api: Api = None) -> None:
    """Forgets the token that is kept for this API."""
    known = credentials.forget(api or DEFAULT_API)
    console.hint("Forgotten." if known else f"No token was kept for {api or DEFAULT_API}.")


def whoami(api: Api = None, json: AsJson = False) -> None:
    """Who one is for this API, and what one may do."""
    who = connect(api).get(path_of("whoami"))
    if json:
        console.as_json(who)
        return
    console.line(f"{who['name']}, {who['role']}: may {', '.join(who['permissions'])}")
    if not who["login_needed"]:
        console.hint("This API needs no login: whoever uses its machine may do everything.")


def audit(api: Api = None, json: AsJson = False, limit: Limit = 50) -> None:
    """What people changed, newest first."""
    entries = list(connect(api).pages(path_of("audit"), "entries", limit))
    if json:
        console.as_json({"entries": entries})
    elif entries:
        for entry in entries:
            console.line(_change(entry))
    else:
        console.hint("Nobody has changed anything yet.")


@app.command("list")
def list_tokens(api: Api = None, json: AsJson = False) -> None:
    """All tokens, newest first; never what opens the door."""
    answer = connect(api).get(path_of("tokens"))
    if json:
        console.as_json(answer)
    elif answer["tokens"]:
        titles = ("id", "name", "role", "state", "last used", "expires", "made by")
        console.table(titles, [_row(token) for token in answer["tokens"]])
    else:
        console.hint("There is no token yet; make one with `imagemill tokens create NAME --role uploader`.")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who, or what for.", metavar="NAME")],
    role: Role = "uploader",
    days: Days = None,
    source: Source = None,
    recipe: Recipes = None,
    requests: Requests = None,
    bytes_: Bytes = None,
    jobs: Jobs = None,
    max_priority: Priority = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Makes a token and prints it, this once."""
    limits = {
        "source": source, "recipes": recipe or None, "requests_per_second": requests, "bytes_per_second": bytes_,
        "jobs_in_flight": jobs, "max_priority": max_priority,
    }  # fmt: skip
    wanted: Json = {"name": name, "role": role, "expires_in_days": days}
    wanted |= {"limits": {member: value for member, value in limits.items() if value is not None}}
    made = connect(api).post(path_of("tokens"), json=wanted)
    if json:
        console.as_json(made)
        return
    console.line(made["token"])
    console.hint(f"{made['name']}, {made['role']}, id {made['id']}. It is shown this once.")


@app.command("revoke")
def revoke(token: Annotated[str, typer.Argument(help="The token's id.", metavar="ID")], api: Api = None) -> None:
    """Ends a token, its logins and streams, within seconds and for good."""
    connect(api).delete(path_of("tokens", token))
    console.line(f"revoked    {token}")


@app.command("end-logins")
def end_logins(
    name: Annotated[str, typer.Argument(help="As `whoami` tells it.", metavar="NAME")], api: Api = None
) -> None:
    """Ends all logins of a name: of a token, or of a user whom a provider has let in."""
    connect(api).delete(path_of("logins", name))
    console.line(f"ended      all logins of {name}")


def _row(token: Json) -> tuple[str, ...]:
    bound = f" (only as {token['limits']['source']})" if token["limits"]["source"] else ""
    return (
        token["id"], token["name"], token["role"] + bound, token["state"], token["last_used_at"] or "never",
        token["expires_at"] or "never", token["created_by"],
    )  # fmt: skip


def _change(entry: Json) -> str:
    who = ", ".join(filter(None, (entry["by"], entry.get("account"), entry["role"])))
    said = f"{entry['at']}  {who}: {entry['action']} {entry['subject']}"
    before, after = _members(entry["before"]), _members(entry["after"])
    if before and after:
        return f"{said}: {before} became {after}"
    return f"{said}: {before or after}" if before or after else said


def _members(changed: Json | None) -> str:
    return ", ".join(f"{name}={value}" for name, value in (changed or {}).items() if value not in (None, "", [], {}))
