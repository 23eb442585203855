"""`imagemill erase`."""

import sys
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, Batch, connect

_AT_ONCE = 500


def erase(
    images: Annotated[list[str] | None, typer.Argument(help="Ids of pictures.", metavar="ID...")] = None,
    batch: Batch = None,
    note: Annotated[str, typer.Option("--note", "-m", help="Why they are erased.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take it back instead, where that can still be done.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Let the bytes go without the time in which it can be undone; for admins.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Erase pictures, or a batch: they are not served any more, and after a while their bytes go.

    Counts and records stay. Ends with 1 if any could not be erased.
    """
    if bool(images) == bool(batch):
        raise typer.BadParameter("Name ids, or a batch with --batch.")
    if undo and (now or note):
        raise typer.BadParameter("--undo goes without --now and --note.")
    what = f"the batch {batch}" if batch else say.plural(len(images or []), "picture")
    if not (undo or yes):
        _confirm(what, now)
    asked: list[dict[str, Any]] = [{"batch": batch}] if batch else _parts(images or [])
    verb, more = ("undone", {}) if undo else ("erased", {"note": note, "at_once": now})
    done, refused = _each(connect(api), verb, asked, more)
    if json:
        console.as_json({verb: done, "refused": refused})
    else:
        _tell(done, verb, refused)
    sys.exit(0 if done and not refused else 1)


def _confirm(what: str, now: bool) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("There is nobody to ask here; say --yes.")
    warning = "That cannot be undone." if now else "That can be undone for a while."
    typer.confirm(f"Erase {what}? {warning}", abort=True)


def _parts(ids: list[str]) -> list[dict[str, Any]]:
    return [{"images": ids[at : at + _AT_ONCE]} for at in range(0, len(ids), _AT_ONCE)]


def _each(
    client: Client, verb: str, asked: list[dict[str, Any]], more: dict[str, Any]
) -> tuple[list[Any], list[dict[str, Any]]]:
    """Ask, and go on while the batch has more; returns what was done, and what was refused."""
    path = path_of("erasures") if verb == "erased" else path_of("erasures", "undo")
    done, refused = list[Any](), list[dict[str, Any]]()
    for body in asked:
        after: str | None = ""
        while after is not None:
            answer = client.post(path, json={**body, **more, **({"after": after} if after else {})})
            done += answer[verb]
            refused += answer["refused"]
            after = answer["next"]
    return done, refused


def _tell(done: list[Any], verb: str, refused: list[dict[str, Any]]) -> None:
    for item in refused:
        console.line(f"refused    {item['id']}: {item['detail']} ({item['code']})", style="yellow")
    console.line(f"{say.plural(len(done), 'picture')} {'served again' if verb == 'undone' else verb}")
    pending = [item["due"] for item in done if verb == "erased" and item["state"] == "pending"]
    if pending:
        console.hint(f"Their bytes go from {min(pending)} on; until then: imagemill erase --undo, and the same words.")
