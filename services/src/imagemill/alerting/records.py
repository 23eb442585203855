"""The alerter's documents: each is written once and never changed, so that nothing can conflict.

What was sent, acknowledged or held back is a document of its own beside the alert; state is read from all of them.
Secrets are in none: channels are named by their names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.alerting.channels import hide
from imagemill.alerting.judge import PastAlert, Snooze, Verdict
from imagemill.alerting.message import describe
from imagemill.alerting.retries import Attempt, RetryPlan

Document = dict[str, Any]
# An answer or an error is kept for people; the first lines tell.
MOST_ANSWER_CHARACTERS = 300


def alert_document(event: Mapping[str, Any], verdict: Verdict, at: float) -> Document:
    """The alert as it was raised; numbering adds `number` and `event` (the id). `facts` are the event as it was then:
    what people are sent is made of them, so that every attempt sends the same.
    """
    return {
        "type": "alert",
        "at": at,
        "camera": event["source"],
        "kind": event["kind"],
        "started_at": event["started_at"],
        "description": describe(event),
        "facts": dict(event),
        "rules": list(verdict.rules),
        "channels": list(verdict.channels),
        "reason": verdict.reason,
    }


def sent_id(number: int, channel: str, attempt: int) -> str:
    """One document per attempt (from 1): an attempt is recorded once, however often it is written."""
    return f"sent:{number:010d}:{channel}:{attempt:03d}"


def begun_id(number: int, channel: str, attempt: int) -> str:
    """Created before the attempt, by exactly one alerter: it alone may make the attempt."""
    return f"{sent_id(number, channel, attempt)}:begun"


def begun_document(number: int, channel: str, by: str, at: float) -> Document:
    """An attempt was begun; without a `sent` document of the same number nobody knows how it ended."""
    return {"type": "begun", "number": number, "channel": channel, "by": by, "at": at}


def sent_document(
    number: int, channel: str, attempt: Attempt, planned: RetryPlan, answer: str, secret_urls: Sequence[str] = (),
    attached: str = "",
) -> Document:  # fmt: skip
    """What was sent to whom, when, with which picture, with what answer, and what follows from it."""
    return {
        "type": "sent",
        "number": number,
        "channel": channel,
        "at": attempt.at,
        "ok": attempt.ok,
        "status": attempt.status,
        "retry_after_seconds": attempt.retry_after_seconds,
        "answer": hide(answer, secret_urls)[:MOST_ANSWER_CHARACTERS],
        "attached": attached,
        "result": planned.result or "failed",
        "next_at": planned.next_at,
        "reason": planned.reason,
    }


def held_id(event_id: str, verdict: Verdict) -> str:
    """An event is held back once per reason: it is judged again when it gets longer or clearer."""
    return f"held:{event_id}:{verdict.code}"


def held_document(event: Mapping[str, Any], verdict: Verdict, at: float) -> Document:
    """Why an event did not become an alert."""
    return {
        "type": "held",
        "event": event["id"],
        "camera": event["source"],
        "kind": event["kind"],
        "class": event["class"],
        "started_at": event["started_at"],
        "at": at,
        "code": verdict.code,
        "reason": verdict.reason,
    }


def acknowledged_id(number: int) -> str:
    """The first who acknowledges an alert is the one who did."""
    return f"acknowledged:{number:010d}"


def acknowledged_document(number: int, by: str, at: float, note: str = "") -> Document:
    """Somebody has seen it."""
    return {"type": "acknowledged", "number": number, "by": by, "at": at, "note": note[:MOST_ANSWER_CHARACTERS]}


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


def past_alert(document: Mapping[str, Any], acknowledged: bool) -> PastAlert:
    """What judging needs of an alert's document."""
    return PastAlert(
        number=document["number"],
        event_id=document["event"],
        camera=document["camera"],
        rules=tuple(document["rules"]),
        at=document["at"],
        acknowledged=acknowledged,
    )


def attempts_of(documents: Sequence[Mapping[str, Any]]) -> list[Attempt]:
    """The attempts of one channel from their documents, in order."""
    ordered = sorted(documents, key=lambda document: document["at"])
    return [Attempt(d["at"], d["ok"], d.get("status"), d.get("retry_after_seconds")) for d in ordered]
