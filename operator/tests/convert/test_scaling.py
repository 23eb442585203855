"""Bounds, pace, fallback and pauses."""

from typing import Any

import pytest
from tests.convert.manifests import converted, lost, noted, pool_spec


def scale_down(**fields: Any) -> dict[str, Any]:
    return {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": fields}}}


def test_bounds_are_keda_s_with_its_defaults() -> None:
    spec = pool_spec(converted())
    assert (spec["minReplicas"], spec["maxReplicas"]) == (0, 100)
    assert "KEDA's default, 100" in noted(converted())
    spec = pool_spec(converted(minReplicaCount=2, maxReplicaCount=9))
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 9)


@pytest.mark.parametrize(
    "fields",
    [
        {"minReplicaCount": 5, "maxReplicaCount": 4},
        {"maxReplicaCount": 0},
        {"maxReplicaCount": 10_001},
        {"minReplicaCount": -1},
        {"minReplicaCount": 1.5},
        {"minReplicaCount": "two"},
        {"minReplicaCount": 2, "idleReplicaCount": 2},
        {"idleReplicaCount": 0},
    ],
)
def test_bounds_that_cannot_be_meant_are_refused(fields: dict[str, Any]) -> None:
    assert converted(**fields).pools == ()
    assert "ReplicaCount" in lost(converted(**fields))


def test_idle_replicas_become_the_minimum() -> None:
    found = converted(minReplicaCount=5, idleReplicaCount=0)
    assert pool_spec(found)["minReplicas"] == 0
    assert "KEDA starts 5 at once" in noted(found)


def test_pools_only_advise_at_first() -> None:
    assert pool_spec(converted())["mode"] == "Advise"


def test_keda_s_default_of_five_minutes_is_not_taken_over_silently() -> None:
    assert "cooldownSeconds" not in pool_spec(converted())
    assert "write cooldownSeconds: 300" in noted(converted())


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"cooldownPeriod": 60}, 60),
        ({"cooldownPeriod": 0}, 0),
        ({"advanced": scale_down(stabilizationWindowSeconds=120)}, 120),
        ({"cooldownPeriod": 60, "advanced": scale_down(stabilizationWindowSeconds=120)}, 120),
        ({"cooldownPeriod": 60, "minReplicaCount": 1}, None),
        ({"cooldownPeriod": 60, "minReplicaCount": 2, "idleReplicaCount": 0}, 60),
    ],
)
def test_the_longer_of_keda_s_waits_becomes_the_cool_down(fields: dict[str, Any], seconds: int | None) -> None:
    assert pool_spec(converted(**fields)).get("cooldownSeconds") == seconds


@pytest.mark.parametrize(
    ("value", "period", "percent"), [(100, 15, 100), (50, 5, 50), (50, 60, 5.6), (1, 600, 1), (0, 15, 1)]
)
def test_a_policy_in_percent_is_taken_for_each_step(value: int, period: int, percent: float) -> None:
    advanced = scale_down(policies=[{"type": "Percent", "value": value, "periodSeconds": period}])
    assert pool_spec(converted(advanced=advanced))["scaleInPercent"] == percent


@pytest.mark.parametrize(
    ("advanced", "words"),
    [
        (scale_down(policies=[{"type": "Pods", "value": 1, "periodSeconds": 60}]), "scaleDown.policies"),
        (scale_down(selectPolicy="Disabled"), "scaleDown is disabled"),
        (
            {"horizontalPodAutoscalerConfig": {"behavior": {"scaleUp": {"selectPolicy": "Disabled"}}}},
            "imagemill.dev/pause-scale-out",
        ),
    ],
)
def test_steps_without_equivalent_are_lost(advanced: dict[str, Any], words: str) -> None:
    assert words in lost(converted(advanced=advanced))


def test_what_only_changes_its_meaning_is_noted_and_complete() -> None:
    behavior = {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 30}}}
    advanced = {"restoreToOriginalReplicaCount": True, "horizontalPodAutoscalerConfig": behavior}
    found = converted(pollingInterval=5, initialCooldownPeriod=60, advanced=advanced)
    for field in ("pollingInterval", "initialCooldownPeriod", "scaleUp", "restoreToOriginalReplicaCount"):
        assert field in noted(found)
    assert found.is_complete


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [
        ({"failureThreshold": 3, "replicas": 4}, {"replicas": 4, "afterSeconds": 30}),
        (
            {"failureThreshold": 3, "replicas": 4, "behavior": "currentReplicasIfHigher"},
            {"replicas": 4, "afterSeconds": 30},
        ),
        ({"failureThreshold": 3, "replicas": 40}, {"replicas": 20, "afterSeconds": 30}),
        ({"failureThreshold": 3, "replicas": 4, "behavior": "currentReplicas"}, None),
        ({"failureThreshold": 3, "replicas": 4, "behavior": "currentReplicasIfLower"}, None),
    ],
)
def test_the_fallback_is_a_minimum_after_the_failures_of_keda_s_polls(
    fallback: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    found = converted(fallback=fallback, pollingInterval=10, maxReplicaCount=20)
    assert pool_spec(found).get("fallback") == expected


def test_a_fallback_counts_polls_of_thirty_seconds_by_default() -> None:
    spec = pool_spec(converted(fallback={"failureThreshold": 2, "replicas": 4}))
    assert spec["fallback"]["afterSeconds"] == 60


@pytest.mark.parametrize("value", ["true", "", "yes", True])
def test_a_pause_of_keda_s_pauses_the_pool(value: Any) -> None:
    (pool,) = converted(annotations={"autoscaling.keda.sh/paused": value}).pools
    assert pool["metadata"]["annotations"] == {"imagemill.dev/pause": "true"}


def test_what_is_not_paused_has_no_annotation() -> None:
    (pool,) = converted(annotations={"autoscaling.keda.sh/paused": "false", "team": "images"}).pools
    assert "annotations" not in pool["metadata"]


def test_replicas_that_a_pause_sets_are_to_be_set_by_hand() -> None:
    found = converted(annotations={"autoscaling.keda.sh/paused-replicas": "3"})
    (pool,) = found.pools
    assert pool["metadata"]["annotations"] == {"imagemill.dev/pause": "true"}
    assert "kubectl scale deployment worker --replicas=3" in lost(found)


@pytest.mark.parametrize("way", ["in", "out"])
def test_half_pauses_pause_the_pool_halfway(way: str) -> None:
    found = converted(annotations={f"autoscaling.keda.sh/paused-scale-{way}": "true"})
    assert found.pools[0]["metadata"]["annotations"] == {f"imagemill.dev/pause-scale-{way}": "true"}
    assert found.is_complete
    assert (
        "annotations"
        not in converted(annotations={f"autoscaling.keda.sh/paused-scale-{way}": "false"}).pools[0]["metadata"]
    )


def test_a_forced_activation_is_lost() -> None:
    assert "minReplicas to 1" in lost(converted(annotations={"autoscaling.keda.sh/force-activation": "true"}))
    assert converted(annotations={"autoscaling.keda.sh/force-activation": "false"}).is_complete
