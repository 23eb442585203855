"""The shapes of worker pools, as their scaler tells them; the API only passes them on."""

from typing import Any

_NUMBER = {"type": ["number", "null"]}
_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_UNKNOWN_COUNT = {"type": ["integer", "null"], "minimum": 0}


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties | (optional or {}), "required": list(properties)}


_TERM = _object({"name": _STRING, "replicas": {"type": "number"}, "text": _STRING})
_CONDITION = _object(
    {"type": _STRING, "status": {"enum": ["True", "False", "Unknown"]}, "reason": _STRING, "message": _STRING}
)
_MOMENT = _object(
    {
        "at": {"type": "number", "description": "Unix time."},
        "backlog": _UNKNOWN_COUNT | {"description": "What waits and is in work: the worst of the step."},
        "replicas": _COUNT,
        "ready": _COUNT,
    },
    # A scaler of an earlier version tells none of these.
    {
        "waiting": _UNKNOWN_COUNT,
        "objective_backlog": _NUMBER | {"description": "With so much waiting the objective was just held then."},
        "broken": {"type": "boolean", "description": "The objective was not held."},
        "arrival_rate": _NUMBER,
        "done_rate": _NUMBER,
    },
)

_WORKS_ON = _object({"id": _STRING, "name": {"type": ["string", "null"]}, "since": _STRING})
_WORKER = _object({"name": _STRING, "works_on": {"type": "array", "items": _WORKS_ON}, "heard_at": _STRING})

_POOL = _object(
    {
        "name": _STRING,
        "queues": {"type": "array", "items": _STRING},
        "limit": _STRING | {"description": "What decided in the end; `refused` when the pool is left alone."},
        "reason": _STRING | {"description": "The decision in one sentence."},
        "terms": {"type": "array", "items": _TERM},
        "conditions": {"type": "array", "items": _CONDITION},
    },
    # A pool that is left alone, for instance because another scaler has its target, tells none of these.
    {
        "mode": {"type": "string", "enum": ["Active", "Advise"]},
        "paused": {"type": "boolean"},
        "min_replicas": _COUNT,
        "max_replicas": _COUNT,
        "desired_replicas": _COUNT | {"description": "What was decided."},
        "needed_replicas": _COUNT | {"description": "What was needed before the limits."},
        "current_replicas": _COUNT | {"description": "What is set now."},
        "ready_replicas": _COUNT | {"description": "How many can work now."},
        "busy_replicas": _UNKNOWN_COUNT,
        "backlog": _object({"ready": _UNKNOWN_COUNT, "unacked": _UNKNOWN_COUNT})
        | {"description": "Messages that wait and messages in work; null when the broker does not tell."},
        "arrival_rate": _NUMBER | {"description": "Messages a second that come in."},
        "service_rate": _NUMBER | {"description": "Messages a second that the ready replicas can do together."},
        "busy_seconds": _NUMBER | {"description": "Seconds of work on one picture."},
        "start_seconds": _NUMBER | {"description": "Seconds that a replica takes to start."},
        "predicted_wait_seconds": _NUMBER,
        "objective": _object({}, {"max_wait_seconds": {"type": "number"}, "backlog_per_replica": {"type": "number"}}),
        "at": {"type": "number", "description": "Unix time of the decision."},
        "workers": {"type": "array", "items": _WORKER, "description": "Those that this process has heard of lately."},
        "decided_at": _STRING | {"description": "The same as RFC 3339 in UTC."},
        "history": {
            "type": "array",
            "items": _MOMENT,
            "description": "Oldest first; more than an hour in coarse steps.",
        },
    },
)

_STEERED = _object({"paused": {"type": "boolean"}, "min_replicas": _COUNT, "max_replicas": _COUNT})

SCHEMAS: dict[str, Any] = {
    "PoolBounds": _STEERED | {"description": "What operators may change of a pool."},
    "Pool": _POOL | {"description": "A worker pool, and why it has as many workers as it has."},
    "Pools": _object({"pools": {"type": "array", "items": {"$ref": "#/components/schemas/Pool"}}}),
}
