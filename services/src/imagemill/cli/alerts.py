"""`imagemill alert, alerts`."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill.cli import console, say
from imagemill.cli.alert_archive import AlertArchive
from imagemill.cli.client import ApiError, Client, path_of
from imagemill.cli.options import Api, AsJson, Limit, connect

Json = dict[str, Any]
Camera = Annotated[str | None, typer.Option("--camera", help="Only of this camera.", metavar="ID")]
_RESULTS = {"sent": "received", "failed": "failed", "given_up": "given up", "unknown": "no answer known"}


def alert(
    which: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's number, or its ZIP.")],
    open_page: Annotated[bool, typer.Option("--open", help="Open its page in the browser.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for its pictures.", metavar="FOLDER")
    ] = None,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """One alert by its number, or from its ZIP: what happened, and who was told."""
    if which.lower().endswith(".zip"):
        _from_archive(AlertArchive(Path(which)), open_page, output, json)
        return
    client = connect(api)
    found = client.get(path_of("alerts", str(_number(which))))
    if json:
        console.as_json(found)
    else:
        for line in _report(found, client.url):
            console.line(line)
    if output is not None:
        _fetch(client, found, output)
    if open_page:
        _open(client.url + found["url"])


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) <= 10 and int(digits)):
        raise typer.BadParameter(f"{text!r} is neither a number from 1 nor a file that ends in .zip")
    return int(digits)


def _open(address: str) -> None:
    if not webbrowser.open(address):
        console.hint(f"No browser could be opened; the page is {address}")


def _from_archive(archive: AlertArchive, open_page: bool, output: Path | None, json: bool) -> None:
    if json:
        console.as_json(archive.alert)
    else:
        for line in _known_facts(archive.alert):
            console.line(line)
    if not open_page and output is None:
        return
    # A folder of this user's own, which stays for as long as the browser shows the page.
    folder = output or Path(tempfile.mkdtemp(prefix="imagemill-alert-"))
    page = archive.unpack(folder)
    console.hint(f"{folder}: {say.plural(len(archive.pictures), 'picture')}, and {page.name} that shows them")
    if open_page:
        _open(page.resolve().as_uri())


def _known_facts(found: Json) -> list[str]:
    """The report of a file, in which anything can stand or be missing."""
    try:
        return _report(found, "")
    except (KeyError, TypeError, AttributeError, IndexError):
        return [f"{'alert':<10}{found['number']}", f"{'what':<10}{found.get('description', '')}"]


def alerts(
    camera: Camera = None,
    limit: Limit = 50,
    held_back: Annotated[bool, typer.Option("--held-back", help="What rules held back, and why.")] = False,
    api: Api = None,
    json: AsJson = False,
) -> None:
    """Alerts, newest first."""
    client = connect(api)
    if held_back:
        _held_back(list(client.pages(path_of("held-back"), "held_back", limit, camera=camera)), json)
        return
    found = list(client.pages(path_of("alerts"), "alerts", limit, camera=camera))
    if json:
        console.as_json({"alerts": found})
        return
    rows = [
        (str(a["number"]), a["started_at"], a["camera"], "yes" if a["acknowledged"] else "no", a["description"])
        for a in found
    ]
    if rows:
        console.table(("alert>", "began", "camera", "seen", "what"), rows)
    else:
        console.hint("There is no alert.")


def _held_back(found: list[Json], json: bool) -> None:
    if json:
        console.as_json({"held_back": found})
        return
    rows = [(h["at"], h["camera"], h["kind"], h["code"], h["reason"]) for h in found]
    if rows:
        console.table(("at", "camera", "kind", "why not", "reason"), rows)
    else:
        console.hint("Nothing was held back.")


def _report(found: Json, url: str) -> list[str]:
    details = found["details"]
    until = f"until {details['ended_at']}" if details["ended_at"] else "and it goes on"
    seen = found["acknowledged"]
    facts = [
        ("alert", f"{found['number']} ({found['camera']})"),
        ("what", found["description"]),
        ("when", f"{found['started_at']}, {until}"),
        ("why", found["reason"]),
        ("seen", f"{seen['by']}, {seen['at']} {seen['note']}".rstrip() if seen else "by nobody yet"),
        ("pictures", _pictures(found)),
        ("page", url + found["url"]),
    ]
    lines = [f"{name:<10}{value}" for name, value in facts]
    return [*lines, *(f"{'told':<10}{_told(line)}" for line in found["sent"])]


def _pictures(found: Json) -> str:
    count = len(found["details"]["pictures"])
    pinned = ", pinned" if found["pinned"] else ""
    return say.plural(count, "picture") + pinned if found["kept"] else "gone with their month"


def _told(line: Json) -> str:
    again = f", again at {line['next_at']}" if line["next_at"] else ""
    answer = f": {line['answer']}" if line["answer"] else ""
    attached = f", {line['attached']}" if line["attached"] else ""
    result = _RESULTS[line["result"]]
    return f"{line['channel']} {result}{attached} (attempt {line['attempt']}, {line['at']}){answer}{again}"


def _fetch(client: Client, found: Json, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in found["details"]["pictures"]:
            # The name comes from a server: it may only name a file in this folder.
            target = folder / f"alert-{found['number']}-{Path(picture['name']).name}"
            with client.stream(path_of("alerts", str(found["number"]), "pictures", picture["name"])) as answer:
                target.write_bytes(answer.content)
    except OSError as error:
        raise ApiError(f"{folder} cannot be written: {error.strerror}.") from error
    console.hint(f"{folder}: {say.plural(len(found['details']['pictures']), 'picture')}")
