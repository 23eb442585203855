"""What a WorkerPool's status tells, as a person asks for it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Pool = Mapping[str, Any]
AS_IT_SHOULD_BE = {
    **dict.fromkeys(("Ready", "BrokerReachable", "ObjectiveAttainable", "GraceCoversWork", "Writable"), "True"),
    **dict.fromkeys(("SchedulesValid", "BrokerConfigured", "IdlePodsKnown", "TakenOver"), "True"),
    **dict.fromkeys(("AtMaximum", "CapacityBlocked", "PrefetchHoards", "QueueShared", "TargetConflict"), "False"),
}
MAY_BE_UNKNOWN = ("GraceCoversWork", "PrefetchHoards", "IdlePodsKnown")
"""Not known before there was work, or a replica too many."""
SILENT = "No operator has decided on it yet: is one running that serves this namespace?"


def why_text(pool: Pool) -> str:
    """Say what was decided on a pool and why: the sentence, the numbers behind it, and what is not as it should be."""
    name, status = pool["metadata"]["name"], pool.get("status") or {}
    if "reason" not in status:
        return f"{name}: {SILENT}\n"
    parts = [f"{name}: {status['reason']}", *_columns(status), *_troubles(status.get("conditions") or ())]
    return "\n".join([*parts, *_stale(pool, status)]) + "\n"


def _columns(status: Mapping[str, Any]) -> Iterator[str]:
    rows = {"replicas": _replicas(status), "backlog": _backlog(status), "learned": _learned(status)}
    yield from (f"  {name:<9} {text}" for name, text in rows.items() if text)
    for index, term in enumerate(status.get("terms") or ()):
        yield f"  {'' if index else 'asked by':<9} {term['name']}: {term['text']} = {term['replicas']:g}"


def _replicas(status: Mapping[str, Any]) -> str:
    if status.get("desiredReplicas") is None:
        return ""
    return (
        f"{status['desiredReplicas']} desired ({status.get('limit')}), {status.get('neededReplicas')} needed, "
        f"{status.get('currentReplicas')} set, {status.get('readyReplicas')} ready"
    )


def _backlog(status: Mapping[str, Any]) -> str:
    backlog = status.get("backlog") or {}
    if backlog.get("ready") is None:
        return "unknown"
    return f"{backlog['ready']:,} waiting, {backlog.get('unacked', 0):,} in work; objective {status.get('objective')}"


def _learned(status: Mapping[str, Any]) -> str:
    known = {
        "{:g} arrive a second": status.get("arrivalRate"),
        "{:g} s of work each": status.get("busySeconds"),
        "{:g} s until a replica works": status.get("startSeconds"),
    }
    return ", ".join(text.format(round(value, 3)) for text, value in known.items() if value is not None)


def _troubles(conditions: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for condition in conditions:
        kind, status = condition["type"], condition["status"]
        expected = AS_IT_SHOULD_BE.get(kind, status)
        if status == expected or (status == "Unknown" and kind in MAY_BE_UNKNOWN):
            continue
        since = f" since {condition['lastTransitionTime']}" if "lastTransitionTime" in condition else ""
        yield f"  {kind} is {status}{since}: {condition.get('message', '')}"


def _stale(pool: Pool, status: Mapping[str, Any]) -> Iterator[str]:
    if status.get("observedGeneration") != pool["metadata"].get("generation"):
        yield "  The spec was changed, and no operator has decided on it since."


def line_text(pool: Pool) -> str:
    """Say in one line what was decided on a pool."""
    status = pool.get("status") or {}
    change = f"{status.get('currentReplicas', '?')} → {status.get('desiredReplicas', '?')}"
    at, reason = status.get("decidedAt", "-"), status.get("reason", SILENT)
    return f"{at:<20}  {pool['metadata']['name']:<24}  {change:<9}  {reason}"
