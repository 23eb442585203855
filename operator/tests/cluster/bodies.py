"""Objects as the API server gives them."""

from typing import Any

Body = dict[str, Any]
SECONDS = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when all of it was created."""


def pool(name: str = "gray", created: str = "2026-01-01T00:00:00Z", **spec: Any) -> Body:
    base = {"deployment": f"worker-{name}", "queues": [f"work.{name}"], "maxReplicas": 8, "backlogPerReplica": 10}
    meta = {"name": name, "namespace": "mill", "uid": f"uid-{name}", "generation": 3, "creationTimestamp": created}
    return {"metadata": meta, "spec": {**base, **spec}}


def pod(
    name: str = "worker-gray-5d9f-a",
    *,
    ready: bool = True,
    created: str = "2026-01-01T00:00:00Z",
    since: str = "2026-01-01T00:00:04Z",
    waiting: str | None = None,
    restarts: int = 0,
    **meta: Any,
) -> Body:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    owner = {"kind": "ReplicaSet", "name": "worker-gray-5d9f"}
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "labels": {"pod-template-hash": "5d9f"},
            "ownerReferences": [owner],
            **meta,
        },
        "status": {
            "podIP": "10.0.0.7",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": since}],
            "containerStatuses": [{"restartCount": restarts, "state": state}],
        },
    }


def unschedulable(name: str = "worker-gray-5d9f-p", since: str = "2026-01-01T00:00:00Z") -> Body:
    reason = {"reason": "Unschedulable", "message": "0/3 nodes: cpu", "lastTransitionTime": since}
    body = pod(name, ready=False)
    body["status"] = {"conditions": [{"type": "PodScheduled", "status": "False", **reason}]}
    return body
