"""The page of the activity log: it begins with what is known; `static/js/livelog.js` writes what happens next."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, render_template, request

from imagemill.api.access.permissions import add_pages
from imagemill.api.services import Services
from imagemill.api.web.formatting import number, plural
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.activity import Record
from imagemill.domain.images import Image

MOST_LINES = 100
_MOST_PICTURES = 50
# Told every few seconds of every camera: shown when they are asked for.
OFTEN = "camera-counts"
KINDS = (
    "accepted", "taken", "done", "stored", "failed", "rejected", "redriven", "retried", "discarded", "reopened",
    "erased", "unerased", "purged",
    "alert", "told", "acknowledged", "camera",
    OFTEN,
)  # fmt: skip
_PLAIN = ("recipe", "code", "channel", "result", "state", "problem")
_LATEST = "~"
_ONCE, _EACH_ATTEMPT = ("accepted", "stored", "failed"), ("taken", "done")
_OTHERS = ("at", "kind", "by", "image", "number", "channel", "camera", "name")


def add_to(blueprint: Blueprint) -> None:
    """Adds the route."""
    add_pages(blueprint, ("/live", live_page, Permission.VIEW))


def live_page() -> str:
    """The newest lines; those that follow come over the event stream."""
    mill = services()
    return render_template("live.html", origin=request.host_url.rstrip("/"), lines=lines(mill), kinds=KINDS)


def lines(mill: Services) -> list[dict[str, Any]]:
    """What this process has heard, and before that what the ledger knows of the newest pictures; newest first."""
    heard = sorted(mill.hub.recent(), key=_at, reverse=True)
    before = str(heard[-1]["at"]) if heard else _LATEST
    known = {str(record.get("image")) for record in heard}
    newest = mill.stores.ledger.images(mill.stores.ledger.newest_ids(_MOST_PICTURES))
    earlier = [record for image in newest if image.job.id not in known for record in records_of(image)]
    older = sorted((record for record in earlier if record["at"] < before), key=_at, reverse=True)
    shown = [*heard, *older][:MOST_LINES]
    names = _names(mill, shown, newest)
    return [_line(record, names) for record in shown]


def records_of(image: Image) -> list[Record]:
    """The marks of a picture's way as activity records; the last one of a failed picture says so."""
    job, outcome = image.job, image.outcome
    marks = outcome.trace if outcome else [job.accepted_step()]
    of = {"image": job.id, "name": job.name}
    records: list[Record] = [
        {"at": mark.at, "kind": mark.step, "by": mark.by, "attempt": mark.attempt, **of} for mark in marks
    ]
    if records:
        records[0]["recipe"] = job.recipe
    if outcome and outcome.status == "failed" and len(records) > 1:
        records[-1] |= {"kind": "failed", "code": outcome.code}
    return records


def more(record: Mapping[str, Any]) -> str:
    """What else is to be said of it, in words."""
    said = [str(record[name]) for name in _PLAIN if record.get(name)]
    if record.get("attempt", 1) > 1:
        said.append(f"attempt {record['attempt']}")
    if record.get("times"):
        said.append(plural(int(record["times"]), "time"))
    if record.get("frames") is not None:
        said.append(f"{number(int(record['frames']))} frames, {number(int(record.get('missed', 0)))} missed")
    return ", ".join(said)


def _names(mill: Services, shown: Iterable[Record], newest: Iterable[Image]) -> dict[str, str]:
    names = {image.job.id: image.job.name for image in newest}
    unknown = {str(record["image"]) for record in shown if record.get("image")} - names.keys()
    return names | {job_id: job.name for job_id, job in mill.stores.ledger.jobs(sorted(unknown)).items()}


def _line(record: Record, names: Mapping[str, str]) -> dict[str, Any]:
    image = record.get("image")
    known = names.get(str(image)) if image else record.get("name")
    return {**record, "name": known, "more": more(record), "key": key_of(record)}


def key_of(record: Mapping[str, Any]) -> str:
    """The same for what was heard of a mark and what the ledger knows of it; as `keyOf` in `static/js/livelog.js`."""
    kind = record["kind"]
    if kind in _ONCE and record.get("image"):
        return f"{record['image']} {kind}"
    if kind in _EACH_ATTEMPT:
        return f"{record.get('image')} {kind} {record.get('attempt')}"
    return " ".join("" if record.get(name) is None else str(record[name]) for name in _OTHERS)


def _at(record: Record) -> str:
    return str(record["at"])
