"""Snoozes: for how long, of what, and that a second one takes the place of the first."""

import math
import time
from datetime import datetime, timedelta
from typing import Any

from imagemill.alerting.judge import Snooze
from imagemill.api.alerts.service import AlertStores, Json, by, name_in
from imagemill.api.alerts.views import SnoozeMade, snooze_view
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.rules import zone_of
from imagemill.store.snoozes import LONGEST_SECONDS

MORNING = "morning"
_MORNING_HOUR = 7


def snooze(found: AlertStores, body: Json, camera: str | None = None) -> SnoozeMade:
    """Begin one; raises Problem. One of the same camera and rule that lasts still is ended."""
    now = time.time()
    until = now + seconds_of(body, now, services().settings.timezone)
    rule = name_in(body, "rule") or None
    covers = Snooze(now, until, camera or name_in(body, "camera") or None, rule)
    before = [one for one in found.snoozes.lasting(now) if covers.has_scope_of(one.snooze)]
    made = found.snoozes.add(covers, by(body))
    for one in before:
        if one.id != made.id:
            found.snoozes.end(one.id, now)
    about = {"seconds": round(until - now), "camera": covers.camera, "rule": covers.rule}
    services().record("snooze.begin", made.id, after=about)
    return SnoozeMade(**dict(snooze_view(made)), url=f"/api/v1/snoozes/{made.id}",
                      replaced=tuple(snooze_view(one) for one in before if one.id != made.id))  # fmt: skip


def end_snooze(found: AlertStores, snooze_id: str) -> None:
    """End one early; raises Problem."""
    if not found.snoozes.end(snooze_id, time.time()):
        raise Problem(404, "unknown-snooze", f"There is no snooze {snooze_id!r}.")
    services().record("snooze.end", snooze_id)


def seconds_of(body: Json, now: float, timezone: str) -> float:
    """How long a body asks for: `seconds`, or until the next morning of `timezone`; raises Problem."""
    until = body.get("until")
    if until is None or until == "":
        return _seconds(body.get("seconds"))
    if until != MORNING:
        raise Problem(422, "bad-value", f"until is {until!r}; it can be {MORNING!r}, or send seconds.", member="until")
    return morning_after(now, name_in(body, "timezone", timezone)) - now


def morning_after(now: float, timezone: str) -> float:
    """The next seven o'clock; raises Problem when the time zone is not known."""
    try:
        zone = zone_of(timezone)
    except ValueError as error:
        sentence = f"{str(error)[0].upper()}{str(error)[1:]}."
        raise Problem(422, "bad-value", sentence, member="timezone") from None
    local = datetime.fromtimestamp(now, zone)
    morning = local.replace(hour=_MORNING_HOUR, minute=0, second=0, microsecond=0, fold=0)
    # By the clock on the wall: a night on which clocks change is longer or shorter.
    return (morning if local < morning else morning + timedelta(days=1)).timestamp()


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if isinstance(value, bool) or not 1 <= seconds <= LONGEST_SECONDS:
        most = f"{LONGEST_SECONDS:,.0f} (30 days)"
        raise Problem(422, "bad-value", f"seconds is {value!r}; it must be from 1 to {most}.", member="seconds")
    return seconds
