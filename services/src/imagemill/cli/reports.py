"""What became of an upload: lines for people, JSON lines for programs, a manifest for the record."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.cli import console, say
from imagemill.cli.accounts import Account
from imagemill.cli.client import ApiError
from imagemill.cli.waiting import Waited

_MOST_LINES = 20
_STYLES = {"rejected": "yellow", "not-sent": "red"}
_COLUMNS = ("file", "status", "id", "recipe", "sha256", "code", "detail")


def tell(account: Account, waited: Waited | None, seconds: float, as_lines: bool) -> None:
    """The end of an upload; as JSON lines the items were told already."""
    if as_lines:
        for image in waited.wrong if waited else []:
            console.json_line({"event": "failed" if image["status"] == "failed" else "in-flight", **image})
        ended = {"stored": waited.stored, "failed": len(waited.failed)} if waited else {}
        console.json_line(
            {"event": "summary", "batch": account.batch, **account.counts(), **ended, "seconds": round(seconds, 3)}
        )
        return
    if len(account.accepted) <= _MOST_LINES:
        _tell_events(event for event in account.events() if event["event"] == "accepted")
    _tell_events(event for event in account.events() if event["event"] in ("rejected", "not-sent"))
    for image in waited.wrong if waited else []:
        console.line(_why(image), style="red")
    console.line(summary(account, waited, seconds))
    if account.accepted:
        console.hint(f"The results: imagemill download {account.batch} --to FOLDER")


def _tell_events(events: Iterable[Mapping[str, Any]]) -> None:
    for event in events:
        console.line(file_line(event), style=_STYLES.get(str(event["event"]), ""))


def file_line(event: Mapping[str, Any]) -> str:
    """What became of a file, as a line."""
    if event["event"] == "accepted":
        return f"accepted   {event['id']}  {event['name']} ({event['recipe']})"
    code = f" ({event['code']})" if "code" in event else ""
    detail = f": {event['detail']}{code}" if "detail" in event else ""
    return f"{event['event'].replace('-', ' '):<11}{event['file']}{detail}"


def _why(image: Mapping[str, Any]) -> str:
    if image["status"] == "accepted":
        return f"in flight  {image['id']}  {image['name']} ({image['recipe']})"
    return f"failed     {image['id']}  {image['name']} ({image['recipe']}): {image['reason']} ({image['code']})"


def summary(account: Account, waited: Waited | None, seconds: float) -> str:
    """One line that adds up."""
    parts = [f"{len(account.accepted):,} accepted ({say.plural(account.duplicates, 'duplicate')})"]
    parts.append(f"{len(account.rejected):,} rejected")
    parts += [f"{len(account.failed):,} not sent"] if account.failed else []
    parts += [f"{len(account.skipped):,} there already"] if account.skipped else []
    ended = [f"{waited.stored:,} stored, {len(waited.failed):,} failed"] if waited else []
    known = f" ({say.plural(account.known, 'file')} known, not sent)" if account.known else ""
    sent = f"{say.size(account.sent_bytes)} sent{known} in {say.seconds(seconds)}"
    return "; ".join([", ".join(parts), *ended, sent, f"batch {account.batch}"])


def tell_preview(found: Mapping[str, int], batch: str, as_lines: bool) -> None:
    """What an upload would do."""
    if as_lines:
        console.json_line({"event": "dry-run", **found})
        return
    sending = f"Would send {say.plural(found['to_send'], 'file')} ({say.size(found['bytes'])}) into the batch {batch}"
    known = f"{found['known']:,} known, not sent; {found['there']:,} there already"
    console.line(f"{sending}; {known}; {found['unreadable']:,} cannot be read")


def write_manifest(path: Path, account: Account, waited: Waited | None) -> None:
    """What became of every file, under every recipe; raises ApiError."""
    rows = manifest_rows(account, waited)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".csv":
                writer = csv.DictWriter(file, _COLUMNS, restval="")
                writer.writeheader()
                writer.writerows(rows)
            else:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as error:
        raise ApiError(f"The manifest {path} cannot be written: {error.strerror}.") from error


def manifest_rows(account: Account, waited: Waited | None) -> Sequence[dict[str, str]]:
    """A row for each file and recipe; `status` is `accepted` while nobody waited for the outcome."""
    ended = {image["id"]: image for image in waited.wrong} if waited else {}
    rows = []
    for event in account.events():
        row = {name: str(event[name]) for name in _COLUMNS if event.get(name)}
        status = event["event"]
        if status == "accepted" and waited:
            image = ended.get(event["id"], {"status": "stored"})
            status = "in-flight" if image["status"] == "accepted" else image["status"]
            row |= {"code": str(image["code"]), "detail": str(image["reason"])} if status == "failed" else {}
        rows.append({"file": row.pop("file"), "status": status, **row})
    return rows
