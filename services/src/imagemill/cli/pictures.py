"""`imagemill show, journal, list, rejections`."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import path_of
from imagemill.cli.options import Api, AsJson, Batch, ImageId, Limit, connect

State = Annotated[
    str | None,
    typer.Option("--state", help="accepted, in_flight, stored, failed, duplicate, damaged or erased.", metavar="STATE"),
]


def show(image: ImageId, api: Api = None, json: AsJson = False) -> None:
    """Status, facts and trace of a picture."""
    found = connect(api).get(path_of("images", image))
    if json:
        console.as_json(found)
        return
    for name, value in _facts(found):
        console.line(f"{name:<10}{value}")
    _show_trace(found["trace"])


def _facts(image: dict[str, Any]) -> list[tuple[str, str]]:
    duplicate = " (duplicate: the result was known)" if image["duplicate"] else ""
    saved = f", {say.saved(image)}" if image["result"] else ""
    facts = [
        ("picture", f"{image['name']} ({image['recipe']})"),
        ("batch", image["batch"]),
        ("status", ", ".join([image["status"] + duplicate, *image["warnings"]])),
        ("original", say.picture(image["original"])),
        ("result", say.picture(image["result"]) + saved),
    ]
    facts += [("reason", f"{image['reason']} ({image['code']})")] if image["reason"] else []
    facts += [("erased", _erased(image["erasure"]))] if image["erasure"] else []
    facts += [("source", image["source"])] if image["source"] else []
    return facts + ([("retry of", image["retry_of"])] if image["retry_of"] else [])


def _erased(erasure: dict[str, Any]) -> str:
    until = {"pending": f"; its bytes go from {erasure['due']} on", "purging": "; its bytes are going"}
    note = f": {erasure['note']}" if erasure["note"] else ""
    return f"{erasure['at']} by {erasure['by']}{note}{until.get(erasure['state'], '; its bytes are gone')}"


def _show_trace(steps: list[dict[str, Any]]) -> None:
    for step, at, since, who in say.trace(steps):
        console.line(f"{step:<10}{at}  {since:>12}  {who}")
    if len(steps) > 1:
        console.line(f"{'':<10}{say.took(steps)}")


def journal(
    image: Annotated[str, typer.Option("--image", help="The id which the upload told.", metavar="ID")],
    api: Api = None,
    json: AsJson = False,
) -> None:
    """One picture's story: everything that was noted of it."""
    story = connect(api).get(path_of("images", image, "story"))
    if json:
        console.as_json(story)
        return
    console.line(f"{story['name']} ({story['recipe']}): {story['status']}")
    if not story["activity"]:
        console.hint("Nothing was noted of it; is the journal running?")
    for record in story["activity"]:
        facts = {k: v for k, v in record.items() if k not in ("at", "kind", "program", "by", "image", "batch")}
        told = ", ".join(f"{name} {value}" for name, value in facts.items())
        console.line(f"{record['at']}  {record['kind']:<10}{record['by']:<16} {told}")


def list_images(
    batch: Batch = None,
    state: State = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="Only those under this recipe.", metavar="NAME")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Only those with this in their names.", metavar="TEXT")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only those posted with it.", metavar="NAME")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Accepted then or later.", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Accepted until then.", metavar="DATE")] = None,
    limit: Limit = 50,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Pictures, newest first."""
    wanted = {"recipe": recipe, "name": name, "source": source, "since": since, "until": until}
    given = {field: value for field, value in wanted.items() if value}
    found = list(connect(api).pages(path_of("images"), "images", limit, batch=batch, state=state, **given))
    if json:
        console.as_json({"images": found})
        return
    rows = [
        (
            i["id"],
            ", ".join([i["status"], *i["warnings"], *(["erased"] if i["erasure"] else [])]),
            i["recipe"],
            say.size(i["original"]["bytes"]),
            say.saved(i),
            i["batch"],
            i["name"],
        )
        for i in found
    ]
    _table_or_hint(("id", "status", "recipe", "original>", "result>", "batch", "name"), rows, "No pictures.")


def rejections(batch: Batch = None, limit: Limit = 50, api: Api = None, json: AsJson = False) -> None:
    """Pictures refused at the door, newest first, with the reason in words."""
    found = list(connect(api).pages(path_of("rejections"), "rejections", limit, batch=batch))
    if json:
        console.as_json({"rejections": found})
        return
    rows = [(item["at"], item["name"], item["code"], item["batch"], item["detail"]) for item in found]
    _table_or_hint(("at", "name", "code", "batch", "reason"), rows, "Nothing was rejected.")


def _table_or_hint(titles: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    if rows:
        console.table(titles, rows)
    else:
        console.hint(nothing)
