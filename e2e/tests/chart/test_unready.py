"""What a failed run says of pods that are not ready."""

from typing import Any

from imagemill_e2e.unready import unready, warnings, why


def _pod(name: str, ready: bool, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}, *status.pop("conditions", [])]
    return {"metadata": {"name": name}, "status": {"phase": "Running", "conditions": conditions, **status}}


def test_pods_that_are_ready_or_done_are_not_named() -> None:
    pods = [_pod("api", True), _pod("join", False, phase="Succeeded"), _pod("worker", False)]
    assert [pod["metadata"]["name"] for pod in unready(pods)] == ["worker"]


def test_a_container_that_ends_again_and_again_is_named_with_its_end() -> None:
    waiting = {
        "name": "worker", "ready": False, "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    }  # fmt: skip
    done = {"name": "prepare", "ready": True, "state": {"terminated": {"exitCode": 0}}}
    assert list(why(_pod("worker-1", False, initContainerStatuses=[done], containerStatuses=[waiting]))) == [
        "worker-1: Running",
        "  worker: waiting (CrashLoopBackOff: back-off 40s), 4 restarts, before that exit code 137 (OOMKilled)",
    ]


def test_a_pod_without_a_node_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes:\n no cpu"}
    assert list(why(_pod("worker-2", False, phase="Pending", conditions=[condition]))) == [
        "worker-2: Pending",
        "  PodScheduled is false (Unschedulable: 0/1 nodes: no cpu)",
    ]


def test_the_last_warnings_are_told_and_nothing_normal() -> None:
    def event(minute: int, kind: str) -> dict[str, Any]:
        return {
            "type": kind, "reason": "Unhealthy", "message": str(minute), "involvedObject": {"name": "api"},
            "lastTimestamp": f"2026-01-01T00:{minute:02}:00Z",
        }  # fmt: skip

    events = [event(minute, "Warning") for minute in range(20, 0, -1)] + [event(30, "Normal")]
    said = warnings(events)
    assert said[-1] == "api (Unhealthy: 20)"
    assert len(said) == 8
