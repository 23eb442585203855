"""The page of the activity log: it begins with what is known; `static/js/livelog.js` writes what happens next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from imagemill.api.access.permissions import add_pages
from imagemill.api.live.log_filter import OFTEN, LogFilter, filter_of, is_trouble
from imagemill.api.services import Services
from imagemill.api.web.formatting import number, plural
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.activity import Record
from imagemill.domain.ids import seconds_of, timestamp
from imagemill.domain.images import Image, Job
from imagemill.store import activity_log
from imagemill.store.couch import StoreUnavailable
from imagemill.wire import topology

MOST_LINES = 100
_MOST_PICTURES = 50
# Of the journal so many are looked at for one page, in portions: what is rare is not looked for in a whole year.
_PORTION, _PORTIONS = 400, 5
KINDS = (
    "accepted", "taken", "done", "stored", "failed", "rejected", "redriven", "retried", "discarded", "reopened",
    "erased", "unerased", "purged",
    "alert", "told", "acknowledged", "unacknowledged", "camera",
    OFTEN,
)  # fmt: skip
_PLAIN = ("code", "channel", "result", "state", "problem")
_LATEST = "~"
_ONCE, _EACH_ATTEMPT = ("accepted", "stored", "failed"), ("taken", "done")
_OTHERS = ("at", "kind", "by", "image", "number", "channel", "camera", "name")

Line = dict[str, Any]


def add_to(blueprint: Blueprint) -> None:
    """Adds the route."""
    add_pages(blueprint, ("/live", live_page, Permission.VIEW))


@dataclass(frozen=True)
class LogPage:
    """Lines, newest first. `earlier` is the time before which more may be found, None when there is none."""

    lines: Sequence[Line]
    earlier: str | None
    problem: str = ""


def live_page() -> str:
    """The newest lines; those that follow come over the event stream. With `before`, what happened before that."""
    mill, wanted = services(), filter_of(request.args)
    before = time_in(request.args.get("before"))
    page = newest(mill, wanted) if before is None else earlier(mill, wanted, before)
    return render_template(
        "live.html", origin=request.host_url.rstrip("/"), page=page, lines=page.lines, kinds=KINDS, wanted=wanted,
        before=before, pools=sorted(mill.settings.pools), recipe_pools=_pools_of_recipes(mill),
    )  # fmt: skip


def time_in(text: str | None) -> str | None:
    """The time that an address names, as records have it; None when it names none."""
    try:
        at = timestamp(seconds_of(text)) if text else None
        return at if at is None or activity_log.just_before(at) else None
    except (ValueError, OverflowError):
        return None


def newest(mill: Services, wanted: LogFilter) -> LogPage:
    """What this process has heard, and before that what the ledger knows of the newest pictures."""
    heard = sorted(mill.hub.recent(), key=_at, reverse=True)
    before = str(heard[-1]["at"]) if heard else _LATEST
    known = {str(record.get("image")) for record in heard}
    images = mill.stores.ledger.images(mill.stores.ledger.newest_ids(_MOST_PICTURES))
    marks = [record for image in images if image.job.id not in known for record in records_of(image)]
    older = sorted((record for record in marks if record["at"] < before), key=_at, reverse=True)
    jobs = {image.job.id: image.job for image in images}
    found = [line for line in _lines(mill, [*heard, *older], jobs) if wanted.matches(line)]
    # Before what was heard the ledger tells the marks of the newest pictures, and the journal all that happened.
    return LogPage(found[:MOST_LINES], before if time_in(before) else timestamp())


def earlier(mill: Services, wanted: LogFilter, before: str) -> LogPage:
    """What the journal has of the time before, as far as it is looked through for one page."""
    found, place = list[Line](), before
    try:
        for _ in range(_PORTIONS):
            records, more = portion(lambda at: activity_log.until(mill.stores.couch, at, _PORTION + 1), place)
            sound = [record for record in records if time_in(record["at"])]
            found += [line for line in _lines(mill, sound, {}, wanted.needs_jobs) if wanted.matches(line)]
            if not more:
                return LogPage(_named(mill, found), None)
            place = str(records[-1]["at"])
            if len(found) >= MOST_LINES:
                break
    except StoreUnavailable as error:
        return LogPage(_named(mill, found), place, f"The journal does not answer now ({error}).")
    return LogPage(_named(mill, found), place)


def portion(read: Callable[[str], Sequence[Record]], before: str) -> tuple[list[Record], bool]:
    """The records just before a time, and whether there are more: what happened within one moment is not torn apart."""
    records = list(read(activity_log.just_before(before)))
    if len(records) <= _PORTION:
        return records, False
    last = records[-1]["at"]
    return [record for record in records if record["at"] != last] or records, True


def records_of(image: Image) -> list[Record]:
    """The marks of a picture's way as activity records; the last one of a failed picture says so."""
    job, outcome = image.job, image.outcome
    marks = outcome.trace if outcome else [job.accepted_step()]
    of = {"image": job.id, "name": job.name, "batch": job.batch, "recipe": job.recipe}
    records: list[Record] = [
        {"at": mark.at, "kind": mark.step, "by": mark.by, "attempt": mark.attempt, **of} for mark in marks
    ]
    if outcome and outcome.status == "failed" and len(records) > 1:
        records[-1] |= {"kind": "failed", "code": outcome.code}
    return records


def more(record: Mapping[str, Any]) -> str:
    """What else is to be said of it, in words."""
    said = [str(record["recipe"])] if record["kind"] == "accepted" and record.get("recipe") else []
    said += [str(record[name]) for name in _PLAIN if record.get(name)]
    if record.get("attempt", 1) > 1:
        said.append(f"attempt {record['attempt']}")
    if record.get("times"):
        said.append(plural(int(record["times"]), "time"))
    if record.get("frames") is not None:
        said.append(f"{number(int(record['frames']))} frames, {number(int(record.get('missed', 0)))} missed")
    return ", ".join(said)


def _lines(mill: Services, records: Sequence[Record], known: Mapping[str, Job], complete: bool = True) -> list[Line]:
    jobs = {**known, **_jobs(mill, records, known)} if complete else known
    return [_line(mill, record, jobs) for record in records]


def _named(mill: Services, lines: Sequence[Line]) -> list[Line]:
    jobs = _jobs(mill, [line for line in lines if not line["name"]], {})
    return [_line(mill, line, jobs) if line.get("image") in jobs else line for line in lines]


def _jobs(mill: Services, records: Iterable[Record], known: Mapping[str, Job]) -> dict[str, Job]:
    unknown = {str(record["image"]) for record in records if record.get("image")} - known.keys()
    return mill.stores.ledger.jobs(sorted(unknown)) if unknown else {}


def _line(mill: Services, record: Record, jobs: Mapping[str, Job]) -> Line:
    job = jobs.get(str(record.get("image")))
    recipe = record.get("recipe") or (job.recipe if job else None)
    return {
        **record,
        "name": job.name if job else record.get("name"),
        "batch": record.get("batch") or (job.batch if job else None),
        "pool": topology.pool_of(str(recipe), mill.settings.pools) if recipe and record.get("image") else None,
        "more": more(record),
        "key": key_of(record),
        "trouble": is_trouble(record),
    }


def _pools_of_recipes(mill: Services) -> dict[str, str]:
    """Which pool works on what; the empty name stands for all other recipes."""
    pools = mill.settings.pools
    return {recipe: topology.pool_of(recipe, pools) for recipe in ("", *sorted(mill.recipes))}


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
