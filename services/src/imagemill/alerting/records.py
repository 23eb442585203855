"""Makes the alerter's records (see domain.alerts), their ids, and what judging and sending read from them."""

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.alerting.channels import hide
from imagemill.alerting.judge import PastAlert, Snooze, Verdict
from imagemill.alerting.message import describe
from imagemill.alerting.retries import Attempt, RetryPlan
from imagemill.domain.alerts import AcknowledgedAlert, Acknowledgement, Alert, SentAttempt, Suppression
from imagemill.domain.events import Event

Document = dict[str, Any]
# An answer or an error is kept for people; the first lines tell.
MOST_ANSWER_CHARACTERS = 300


def raised_alert(event: Event, verdict: Verdict, at: float) -> Alert:
    """Make the alert that is to be numbered."""
    return Alert(
        camera=event.source, kind=event.kind, event=event.id, at=at, started_at=event.started_at,
        description=describe(event), facts=event, rules=verdict.rules, channels=verdict.channels,
        reason=verdict.reason,
    )  # fmt: skip


def sent_id(number: int, channel: str, attempt: int) -> str:
    """One document per attempt (from 1): an attempt is recorded once, however often it is written."""
    return f"sent:{number:010d}:{channel}:{attempt:03d}"


def begun_id(number: int, channel: str, attempt: int) -> str:
    """Created before the attempt, by exactly one alerter: it alone may make the attempt."""
    return f"{sent_id(number, channel, attempt)}:begun"


def sent_attempt(
    number: int, channel: str, attempt: Attempt, planned: RetryPlan, answer: str, secret_urls: Sequence[str] = (),
    attached: str = "",
) -> SentAttempt:  # fmt: skip
    """Make the record of an attempt; nothing of a secret is in it."""
    return SentAttempt(
        number=number,
        channel=channel,
        at=attempt.at,
        ok=attempt.ok,
        status=attempt.status,
        retry_after_seconds=attempt.retry_after_seconds,
        answer=hide(answer, secret_urls)[:MOST_ANSWER_CHARACTERS],
        attached=attached,
        result=planned.result or "failed",
        next_at=planned.next_at,
        reason=planned.reason,
    )


def suppression(event: Event, verdict: Verdict, at: float) -> Suppression:
    """Make the record of why an event did not become an alert."""
    return Suppression(
        event=event.id, camera=event.source, kind=event.kind, event_class=event.event_class,
        started_at=event.started_at, at=at, code=str(verdict.code), reason=verdict.reason,
    )  # fmt: skip


def acknowledged_id(number: int) -> str:
    """The first who acknowledges an alert is the one who did."""
    return f"acknowledged:{number:010d}"


def acknowledgement(
    number: int, by: str, at: float, note: str = "", alert: AcknowledgedAlert | None = None
) -> Acknowledgement:
    """Make the record that somebody has seen it."""
    return Acknowledgement(number=number, by=by, at=at, note=note[:MOST_ANSWER_CHARACTERS], alert=alert)


def snooze_id(since: float, by: str) -> str:
    """Two people may snooze in the same second."""
    return f"snooze:{round(since * 1000)}:{by}"


def snooze_document(snooze: Snooze, by: str) -> Document:
    """Quiet for a while; it ends by itself, or by a document `snooze-end:<the rest of its id>`."""
    if snooze.until <= snooze.since:
        raise ValueError("a snooze must end after it begins")
    return {"type": "snooze", "by": by} | {name: getattr(snooze, name) for name in ("since", "until", "camera", "rule")}


def snooze_of(document: Mapping[str, Any], ended_at: float | None = None) -> Snooze:
    """The snooze of a document, cut short when it was ended early."""
    until = min(document["until"], ended_at) if ended_at is not None else document["until"]
    return Snooze(document["since"], until, document.get("camera"), document.get("rule"))


def past_alert(alert: Alert, acknowledged: bool) -> PastAlert:
    """Take what judging needs of an alert."""
    return PastAlert(alert.number, alert.event, alert.camera, alert.rules, alert.at, acknowledged)


def tried(records: Sequence[SentAttempt]) -> list[Attempt]:
    """Take what planning needs of the attempts at one channel, in order."""
    ordered = sorted(records, key=lambda sent: sent.at)
    return [Attempt(sent.at, sent.ok, sent.status, sent.retry_after_seconds) for sent in ordered]
