"""Alerts, events and what was held back, as the API and the page tell them."""

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.alerting.message import describe
from imagemill.domain.ids import timestamp
from imagemill.store.couch import Document
from imagemill.store.snoozes import Named

Json = dict[str, Any]
# In the order in which a person looks at them; the strip follows.
LARGE = ("best.jpg", "annotated.jpg", "before.jpg")
_EVENT = (
    "id", "source", "kind", "class", "seconds", "score", "area", "zones", "regions", "people", "frames",
    "moving_frames", "end_reason",
)  # fmt: skip


def alert(document: Document, acknowledged: Document | None, pin: Document | None) -> Json:
    """An alert in a list."""
    return {
        "number": document["number"],
        "at": timestamp(document["at"]),
        "camera": document["camera"],
        "kind": document["kind"],
        "event": document["event"],
        "started_at": timestamp(document["started_at"]),
        "description": document.get("description") or describe(document),
        "rules": document["rules"],
        "channels": document["channels"],
        "reason": document["reason"],
        "acknowledged": seen(acknowledged) if acknowledged else None,
        "pinned": pin is not None,
        "url": f"/alerts/{document['number']}",
    }


def whole_alert(listed: Json, facts: Mapping[str, Any], stored: Document | None, sent: Sequence[Document]) -> Json:
    """An alert by itself. `facts` are the event's as the alert was raised, `stored` is its document, if it is kept."""
    return listed | {
        "details": event(stored or facts, listed["number"], f"/api/v1/alerts/{listed['number']}/pictures"),
        "kept": stored is not None,
        "sent": attempts(sent),
    }


def event(document: Mapping[str, Any], number: int | None, pictures_at: str) -> Json:
    """An event. Whatever program told it, all members are there."""
    names = sorted(document.get("_attachments", {}), key=_place)
    return {name: document.get(name) for name in _EVENT} | {
        "description": describe(document),
        "started_at": timestamp(document["started_at"]),
        "ended_at": timestamp(document["ended_at"]) if document.get("ended_at") is not None else None,
        "pictures": [{"name": name, "url": f"{pictures_at}/{name}"} for name in names],
        "alert": number,
    }


def attempts(documents: Sequence[Document]) -> list[Json]:
    """What was sent to whom, in order; `result` is `unknown` for what was begun and has no answer (yet)."""
    sent = {document["_id"]: document for document in documents if document["type"] == "sent"}
    begun = {document["_id"].removesuffix(":begun"): document for document in documents if document["type"] == "begun"}
    lines = [_attempt(doc_id, sent.get(doc_id), begun.get(doc_id)) for doc_id in {*sent, *begun}]
    return sorted(lines, key=lambda line: (line["at"], line["channel"], line["attempt"]))


def seen(document: Document) -> Json:
    """Who acknowledged an alert."""
    return {"by": document["by"], "at": timestamp(document["at"]), "note": document.get("note", "")}


def held(document: Document, number: int | None) -> Json:
    """Why an event did not become an alert; `alert` when it became one later."""
    return {
        "event": document["event"],
        "camera": document["camera"],
        "kind": document["kind"],
        "class": document["class"],
        "started_at": timestamp(document["started_at"]),
        "at": timestamp(document["at"]),
        "code": document["code"],
        "reason": document["reason"],
        "alert": number,
    }


def snooze(named: Named) -> Json:
    """A snooze that lasts."""
    found = named.snooze
    return {
        "id": named.id, "by": named.by, "since": timestamp(found.since), "until": timestamp(found.until),
        "camera": found.camera, "rule": found.rule,
    }  # fmt: skip


def _attempt(doc_id: str, sent: Document | None, begun: Document | None) -> Json:
    document = sent or begun or {}
    answered: Mapping[str, Any] = sent or {}
    next_at = answered.get("next_at")
    return {
        "channel": document["channel"],
        "attempt": int(doc_id.rpartition(":")[2]),
        "at": timestamp((begun or document)["at"]),
        "result": answered.get("result", "unknown"),
        "status": answered.get("status"),
        "answer": answered.get("answer", ""),
        "attached": answered.get("attached", ""),
        "reason": answered.get("reason", "it was begun, and there is no answer yet"),
        "next_at": timestamp(next_at) if next_at else None,
    }


def _place(name: str) -> tuple[int, str]:
    return (LARGE.index(name) if name in LARGE else len(LARGE), name)
