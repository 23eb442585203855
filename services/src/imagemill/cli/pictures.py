"""`imagemill show, journal, list, failures, retry`."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.client import Client, ProblemAnswer, path_of
from imagemill.cli.options import Api, AsJson, Batch, ImageId, Limit, connect

_MOST = 1_000_000
State = Annotated[
    str | None, typer.Option("--state", help="accepted, in_flight, stored, failed or duplicate.", metavar="STATE")
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
        ("status", image["status"] + duplicate),
        ("original", say.picture(image["original"])),
        ("result", say.picture(image["result"]) + saved),
    ]
    facts += [("reason", f"{image['reason']} ({image['code']})")] if image["reason"] else []
    facts += [("source", image["source"])] if image["source"] else []
    return facts + ([("retry of", image["retry_of"])] if image["retry_of"] else [])


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
        console.line(f"{record['at']}  {record['kind']:<10}{record['by']:<16}{told}")


def list_images(
    batch: Batch = None, state: State = None, limit: Limit = 50, api: Api = None, json: AsJson = False
) -> None:
    """Pictures, newest first."""
    found = list(connect(api).pages(path_of("images"), "images", limit, batch=batch, state=state))
    if json:
        console.as_json({"images": found})
        return
    rows = [
        (i["id"], i["status"], i["recipe"], say.size(i["original"]["bytes"]), say.saved(i), i["batch"], i["name"])
        for i in found
    ]
    _table_or_hint(("id", "status", "recipe", "original>", "result>", "batch", "name"), rows, "No pictures.")


def failures(
    batch: Batch = None,
    limit: Limit = 50,
    rejected: Annotated[bool, typer.Option("--rejected", help="Those refused at the door instead.")] = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Pictures that failed, with the reason in words."""
    client = connect(api)
    if rejected:
        _rejections(list(client.pages(path_of("rejections"), "rejections", limit, batch=batch)), json)
        return
    found = list(client.pages(path_of("images"), "images", limit, batch=batch, state="failed"))
    if json:
        console.as_json({"images": found})
        return
    rows = [
        (i["id"], i["name"], i["recipe"], i["code"], str(max(s["attempt"] for s in i["trace"])), i["reason"])
        for i in found
    ]
    _table_or_hint(("id", "name", "recipe", "code", "attempts>", "reason"), rows, "Nothing has failed.")


def _rejections(found: list[dict[str, Any]], json: bool) -> None:
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


def retry(
    images: Annotated[list[str] | None, typer.Argument(help="Ids of failed pictures.", metavar="ID...")] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="Every failed picture not retried yet.")] = False,
    batch: Batch = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Failed pictures again, as new ones. Ends with 1 if any could not be."""
    if bool(images) == all_failed or (batch and not all_failed):
        raise typer.BadParameter("Name ids, or --all-failed (of a --batch, if you like).")
    client = connect(api)
    wanted = _failed_and_not_retried(client, batch) if all_failed else list(images or [])
    retried, refused = _retry(client, wanted)
    if json:
        console.as_json({"retried": retried, "refused": refused})
    else:
        _tell_retries(retried, refused)
    sys.exit(1 if refused else 0)


def _retry(client: Client, wanted: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    retried, refused = [], []
    for image in wanted:
        try:
            retried.append(client.post(path_of("images", image, "retry")))
        except ProblemAnswer as problem:
            refused.append({"id": image, "code": problem.code, "detail": str(problem)})
    return retried, refused


def _tell_retries(retried: list[dict[str, Any]], refused: list[dict[str, Any]]) -> None:
    for item in retried:
        console.line(f"retried    {item['retry_of']} as {item['id']}")
    for item in refused:
        console.line(f"refused    {item['id']}: {item['detail']} ({item['code']})", style="yellow")
    console.line(f"{say.plural(len(retried), 'picture')} retried, {len(refused):,} refused")


def _failed_and_not_retried(client: Client, batch: str | None) -> list[str]:
    """Oldest first. A retry is younger than what it retries, so the search ends at the oldest failure."""
    failed = [i["id"] for i in client.pages(path_of("images"), "images", _MOST, batch=batch, state="failed")]
    retried = set()
    for image in client.pages(path_of("images"), "images", _MOST, batch=batch) if failed else ():
        if image["id"] <= failed[-1]:
            break
        retried.add(image["retry_of"])
    return [image for image in reversed(failed) if image not in retried]
