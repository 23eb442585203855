"""`imagemill failures list, retry, discard, reopen`."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import Client, path_of
from imagemill.cli.options import Api, AsJson, Batch, Limit, connect, with_options_of

app = typer.Typer(help="Pictures that failed: list, retry, discard, reopen.", no_args_is_help=True)

_AT_ONCE = 500
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of failed pictures.", metavar="ID...")]
All = Annotated[bool, typer.Option("--all", help="Every open failure that matches the options below.")]
Code = Annotated[str | None, typer.Option("--code", help="Only those that failed for this reason.", metavar="CODE")]
Recipe = Annotated[str | None, typer.Option("--recipe", help="Only those under this recipe.", metavar="NAME")]
Since = Annotated[str | None, typer.Option("--since", help="Only those accepted then or later.", metavar="DATE")]
Until = Annotated[str | None, typer.Option("--until", help="Only those accepted until then.", metavar="DATE")]


@dataclass(frozen=True)
class Matching:
    """Which failures are meant, as the API's filter."""

    query: dict[str, str]


def matching(
    batch: Batch = None, code: Code = None, recipe: Recipe = None, since: Since = None, until: Until = None
) -> Matching:
    """The filter that the options describe."""
    given = {"batch": batch, "code": code, "recipe": recipe, "since": since, "until": until}
    return Matching({name: value for name, value in given.items() if value})


@app.command("list")
@with_options_of(matching)
def list_failures(
    given: Matching,
    state: Annotated[
        str, typer.Option("--state", help="open, retried, solved, discarded or all.", metavar="STATE")
    ] = "open",
    limit: Limit = 50,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Pictures that failed, with the reason in words and what to do."""
    pages = connect(api).pages(path_of("failures"), "failures", limit, state=state, **given.query)
    found = list(pages)
    if json:
        console.as_json({"failures": found})
        return
    if not found:
        console.hint("Nothing has failed." if state == "all" else f"No failure is {state}.")
        return
    rows = [(i["id"], i["name"], i["recipe"], i["failure_state"], str(i["tries"]), i["code"], _why(i)) for i in found]
    console.table(("id", "name", "recipe", "state", "try>", "code", "why"), rows)


def _why(failure: dict[str, Any]) -> str:
    if failure["failure_state"] == "open":
        return f"{failure['reason']} {failure['advice']}"
    answer = failure["resolution"]
    return f"{answer['kind']} by {answer['by']}: {answer['retry'] or answer['note'] or 'no note'}"


@app.command("retry")
@with_options_of(matching)
def retry_failures(
    given: Matching,
    images: Ids = None,
    all_of_them: All = False,
    other: Annotated[str | None, typer.Option("--with", help="Another recipe than their own.", metavar="NAME")] = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Retry failed pictures, each as a new one. Ends with 1 if any could not be, or there was none."""
    body = {"recipe": other} if other else {}
    done, refused = _each(connect(api), "retry", _chosen(images, all_of_them, given), body)
    if json:
        console.as_json({"retried": done, "refused": refused})
    else:
        for item in done:
            console.line(f"retried    {item['id']} as {item['retry']}")
        _tell(len(done), "retried", refused)
    sys.exit(0 if done and not refused else 1)


@app.command("discard")
@with_options_of(matching)
def discard_failures(
    given: Matching,
    images: Ids = None,
    all_of_them: All = False,
    note: Annotated[str, typer.Option("--note", "-m", help="Why nothing more is to be done.")] = "",
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Discard failed pictures: they stay failed, and are open no more. Ends with 1 if any could not be."""
    done, refused = _each(connect(api), "discard", _chosen(images, all_of_them, given), {"note": note})
    if json:
        console.as_json({"discarded": done, "refused": refused})
    else:
        _tell(len(done), "discarded", refused)
        if done:
            console.hint("To take it back: imagemill failures reopen, and the ids.")
    sys.exit(0 if done and not refused else 1)


@app.command("reopen")
def reopen_failures(
    images: Annotated[list[str], typer.Argument(help="Ids of discarded pictures.", metavar="ID...")],
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Open discarded failures again. Ends with 1 if none of them was discarded."""
    client = connect(api)
    done = [one for part in _parts(images) for one in _post(client, "reopen", {"images": part})["reopened"]]
    if json:
        console.as_json({"reopened": done})
    else:
        console.line(f"{say.plural(len(done), 'picture')} open again")
    sys.exit(0 if done else 1)


def _chosen(images: list[str] | None, all_of_them: bool, given: Matching) -> list[dict[str, Any]]:
    """What is asked of the API, a request each."""
    if bool(images) == all_of_them or (given.query and not all_of_them):
        raise typer.BadParameter("Name ids, or --all with options that say which.")
    return [{"matching": given.query}] if all_of_them else [{"images": part} for part in _parts(images or [])]


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]


def _each(
    client: Client, verb: str, asked: list[dict[str, Any]], more: dict[str, str]
) -> tuple[list[Any], list[dict[str, Any]]]:
    """Ask, and go on while more of them match; returns what was done, and what was refused."""
    done, refused = list[Any](), list[dict[str, Any]]()
    for body in asked:
        after: str | None = ""
        while after is not None:
            answer = _post(client, verb, {**body, **more, **({"after": after} if after else {})})
            done += answer["retried" if verb == "retry" else "discarded"]
            refused += answer["refused"]
            after = answer["next"]
    return done, refused


def _post(client: Client, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    return client.post(path_of("failures", verb), json=body)


def _tell(count: int, verb: str, refused: list[dict[str, Any]]) -> None:
    for item in refused:
        console.line(f"refused    {item['id']}: {item['detail']} ({item['code']})", style="yellow")
    console.line(f"{say.plural(count, 'picture')} {verb}, {len(refused):,} refused")
