"""Decides whether an event becomes an alert, and says why not when it does not. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from imagemill.alerting.words import duration
from imagemill.domain.events import Event
from imagemill.domain.rules import WEEKDAYS, Hours, Rule, zone_of

Outcome = Literal["alert", "held_back"]
# Why an event was suppressed. The first word is the one that is kept in the ledger.
Code = Literal[
    "no-rule", "disabled", "camera", "kind", "class", "score", "zone", "hours", "snoozed", "unacknowledged",
    "cool-down", "limit",
]  # fmt: skip
# The nearer to an alert, the more it tells: an event outside the hours of one rule and of another rule's camera was
# suppressed by the hours.
NEARNESS: tuple[Code, ...] = (
    "no-rule", "disabled", "camera", "kind", "zone", "class", "score", "hours", "snoozed", "unacknowledged",
    "cool-down", "limit",
)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """What a rule asks of an event. `at` is its begin in seconds since the epoch."""

    event_id: str
    camera: str
    kind: str
    event_class: str | None
    at: float
    score: float = 1.0
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class PastAlert:
    """An alert that was raised; `at` is when, by the alerter's clock."""

    number: int
    event_id: str
    camera: str
    rules: tuple[str, ...]
    at: float
    acknowledged: bool = False


@dataclass(frozen=True)
class Snooze:
    """Nobody is told from `since` until `until` about this camera, this rule, or anything (both None)."""

    since: float
    until: float
    camera: str | None = None
    rule: str | None = None

    def has_scope_of(self, other: "Snooze") -> bool:
        """Is the other one about the same?"""
        return (self.camera, self.rule) == (other.camera, other.rule)

    def covers(self, candidate: Candidate, rule: Rule, now: float) -> bool:
        """Whether it keeps this rule quiet about this event now."""
        return (
            self.since <= now < self.until
            and self.camera in (None, candidate.camera)
            and self.rule in (None, rule.name)
        )


@dataclass(frozen=True)
class AlertHistory:
    """Alerts of the longest cool-down or period of any rule, and those not acknowledged yet; the snoozes that last."""

    alerts: Sequence[PastAlert] = ()
    snoozes: Sequence[Snooze] = ()


@dataclass(frozen=True)
class Verdict:
    """`alert` with the rules that say so and the channels to tell, or `held_back` with the code and a sentence."""

    outcome: Outcome
    reason: str
    code: Code | None = None
    rules: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Objection:
    code: Code
    sentence: str


def judge(candidate: Candidate, rules: Sequence[Rule], history: AlertHistory, now: float) -> Verdict:
    """The verdict of all rules together: one that says alert is enough, and all that say so tell their channels.

    Hours are those at which the event began; cool-downs, limits and snoozes go by `now`, because they are about how
    often people are told. An event that has an alert already is an alert of the same rules again.
    """
    told = next((past for past in history.alerts if past.event_id == candidate.event_id), None)
    if told is not None:
        return _again(told, rules)
    objections = {rule.name: _objection(candidate, rule, history, now) for rule in rules}
    agreed = [rule for rule in rules if objections[rule.name] is None]
    if agreed:
        return _alert(agreed)
    nearest = max(filter(None, objections.values()), key=lambda found: NEARNESS.index(found.code), default=None)
    if nearest is None:
        return Verdict("held_back", "there are no rules", "no-rule")
    return Verdict("held_back", nearest.sentence, nearest.code)


def candidate_of(event: Event) -> Candidate:
    """Take what rules ask of an event; one without a score is sure."""
    return Candidate(
        event_id=event.id,
        camera=event.source,
        kind=event.kind,
        event_class=event.event_class,
        at=event.started_at,
        score=1.0 if event.score is None else event.score,
        zones=event.zones or (),
    )


def history_seconds(rules: Iterable[Rule]) -> float:
    """How far back alerts must be known to judge by these rules."""
    return max((max(rule.cool_down_seconds, rule.period_seconds) for rule in rules), default=0.0)


def _again(told: PastAlert, rules: Sequence[Rule]) -> Verdict:
    channels = tuple(dict.fromkeys(name for rule in rules if rule.name in told.rules for name in rule.channels))
    return Verdict("alert", f"it is alert {told.number} already", None, told.rules, channels)


def _alert(agreed: Sequence[Rule]) -> Verdict:
    names = tuple(rule.name for rule in agreed)
    channels = tuple(dict.fromkeys(name for rule in agreed for name in rule.channels))
    return Verdict("alert", f"{' and '.join(names)} {'say' if len(names) > 1 else 'says'} so", None, names, channels)


def _objection(candidate: Candidate, rule: Rule, history: AlertHistory, now: float) -> _Objection | None:
    """The first thing that speaks against it: what the event is, then when, then how often."""
    return (
        _about_the_event(candidate, rule)
        or _about_the_hour(candidate, rule)
        or _about_snoozes(candidate, rule, history, now)
        or _about_earlier_alerts(candidate, rule, history, now)
    )


def _about_the_event(candidate: Candidate, rule: Rule) -> _Objection | None:
    name = f"rule {rule.name!r}"
    if not rule.enabled:
        return _Objection("disabled", f"{name} is switched off")
    if rule.cameras and not any(fnmatchcase(candidate.camera, pattern) for pattern in rule.cameras):
        return _Objection("camera", f"{name} is not for the camera {candidate.camera}")
    if candidate.kind not in rule.kinds:
        return _Objection("kind", f"{name} is not for events of the kind {candidate.kind}")
    if rule.zones and not set(rule.zones) & set(candidate.zones):
        where = f"it was in {', '.join(candidate.zones)}" if candidate.zones else "it was in no zone"
        return _Objection("zone", f"{name} is for {' or '.join(rule.zones)}; {where}")
    if candidate.event_class not in rule.classes:
        wanted = " or ".join(rule.classes)
        return _Objection("class", f"{name} is for the class {wanted}; this was of the class {candidate.event_class}")
    if candidate.score < rule.min_score:
        return _Objection("score", f"{name} wants a score of {rule.min_score:g}; this had {candidate.score:.2f}")
    return None


def _about_the_hour(candidate: Candidate, rule: Rule) -> _Objection | None:
    local = datetime.fromtimestamp(candidate.at, zone_of(rule.timezone))
    if is_within(local, rule.hours, rule.weekdays):
        return None
    when = " ".join(filter(None, [", ".join(map(str, rule.hours)), ", ".join(rule.weekdays)]))
    return _Objection("hours", f"it was {local:%A %H:%M}; rule {rule.name!r} is for {when} ({rule.timezone})")


def is_within(local: datetime, hours: Sequence[Hours], weekdays: Sequence[str]) -> bool:
    """Whether a local time is within any of the hours on any of the weekdays; none given means any."""
    return any(_begins(local, part, weekdays) for part in hours) if hours else _is_day(local, weekdays)


def _begins(local: datetime, part: Hours, weekdays: Sequence[str]) -> bool:
    clock = local.time().replace(tzinfo=None)
    if not part.wraps:
        return part.begin <= clock < part.end and _is_day(local, weekdays)
    if clock >= part.begin:
        return _is_day(local, weekdays)
    return clock < part.end and _is_day(local - timedelta(days=1), weekdays)


def _is_day(local: datetime, weekdays: Sequence[str]) -> bool:
    return not weekdays or WEEKDAYS[local.weekday()] in weekdays


def _about_snoozes(candidate: Candidate, rule: Rule, history: AlertHistory, now: float) -> _Objection | None:
    for snooze in history.snoozes:
        if snooze.covers(candidate, rule, now):
            named = [snooze.camera and f"camera {snooze.camera}", snooze.rule and f"rule {snooze.rule!r}"]
            what = " and ".join(filter(None, named)) or "everything"
            return _Objection("snoozed", f"{what} is snoozed for another {duration(snooze.until - now)}")
    return None


def _about_earlier_alerts(candidate: Candidate, rule: Rule, history: AlertHistory, now: float) -> _Objection | None:
    alerts = [past for past in history.alerts if rule.name in past.rules]
    last = max((past for past in alerts if past.camera == candidate.camera), key=lambda past: past.at, default=None)
    if last is not None and rule.until_acknowledged and not last.acknowledged:
        return _Objection("unacknowledged", f"alert {last.number} of the same camera is not acknowledged yet")
    if last is not None and now - last.at < rule.cool_down_seconds:
        ago, rest = duration(now - last.at), duration(rule.cool_down_seconds)
        return _Objection("cool-down", f"alert {last.number} of the same camera was {ago} ago; the cool-down is {rest}")
    recent = sum(now - past.at < rule.period_seconds for past in alerts)
    if rule.at_most is not None and recent >= rule.at_most:
        period = duration(rule.period_seconds)
        many = f"rule {rule.name!r} gave {recent} alerts in {period}"
        return _Objection("limit", f"{many}; at most {rule.at_most} are allowed")
    return None
