"""Bounds, cool-down, steps and fallback of a ScaledObject, and the annotations that pause it."""

from typing import Any

from imagemill_operator.convert.fields import FALSE, Fields
from imagemill_operator.convert.model import Notes, Refused
from imagemill_operator.pools import PAUSE_ANNOTATION, PAUSE_IN_ANNOTATION, PAUSE_OUT_ANNOTATION

DEFAULT_MAX_REPLICAS = 100
LARGEST_POOL = 10_000
DEFAULT_POLLING_SECONDS = 30
STEP_SECONDS = 5.0
"""Time between two steps of a pool's scale-in."""
PREFIX = "autoscaling.keda.sh/"
HOLDING = ("currentReplicas", "currentReplicasIfLower")
"""Behaviors of KEDA's fallback that never add replicas."""


def bounds_of(spec: Fields, notes: Notes) -> dict[str, int]:
    """Return minReplicas and maxReplicas."""
    least, most = spec.count("minReplicaCount", 0), spec.count("maxReplicaCount", DEFAULT_MAX_REPLICAS)
    if not max(1, least) <= most <= LARGEST_POOL:
        raise Refused(
            f"minReplicaCount is {least} and maxReplicaCount {most}: the maximum must be at least the minimum, at "
            f"least 1, and at most {LARGEST_POOL}."
        )
    if not spec.has("maxReplicaCount"):
        notes.add(f"maxReplicas is KEDA's default, {DEFAULT_MAX_REPLICAS}: a pool has none of its own.")
    return {"minReplicas": _minimum(spec, least, notes), "maxReplicas": most}


def _minimum(spec: Fields, least: int, notes: Notes) -> int:
    idle = spec.count("idleReplicaCount", least)
    if idle > least or (idle == least and spec.has("idleReplicaCount")):
        raise Refused(f"idleReplicaCount is {idle}: it must be less than minReplicaCount, as KEDA demands too.")
    if idle < least:
        notes.add(
            f"idleReplicaCount {idle} becomes the minimum. KEDA starts {least} at once when a message comes; a pool "
            f"starts as many as are needed. Set minReplicas to {least} if they must be there."
        )
    return idle


def pace_of(spec: Fields, notes: Notes) -> dict[str, Any]:
    """Return cooldownSeconds and scaleInPercent, as far as the manifest gives them."""
    behavior = spec.object("advanced").object("horizontalPodAutoscalerConfig").object("behavior")
    inward, outward = behavior.object("scaleDown"), behavior.object("scaleUp")
    _note_scale_up(outward, notes)
    _note_polling(spec, notes)
    return {**_cooldown(spec, inward, notes), **_step(inward, notes)}


def _cooldown(spec: Fields, inward: Fields, notes: Notes) -> dict[str, int]:
    """KEDA waits one time before zero, the autoscaler another before any other step; a pool has one for both."""
    reaches_zero = spec.has("idleReplicaCount") or spec.count("minReplicaCount", 0) == 0
    given = {
        "cooldownPeriod": spec.count("cooldownPeriod", 0) if spec.has("cooldownPeriod") and reaches_zero else None,
        "stabilizationWindowSeconds": inward.count("stabilizationWindowSeconds", 0)
        if inward.has("stabilizationWindowSeconds")
        else None,
    }
    told = {name: seconds for name, seconds in given.items() if seconds is not None}
    if spec.has("initialCooldownPeriod"):
        notes.add(
            "initialCooldownPeriod has no equivalent: a new pool gives up what is not needed after its cool-down."
        )
    if not told:
        notes.add(
            "cooldownSeconds is left to the pool: 20 s where it sees what is in work, longer where it does not. KEDA's "
            "defaults were 300 s; write cooldownSeconds: 300 to keep them."
        )
        return {}
    notes.add(
        f"cooldownSeconds holds for every step down, also to zero: it is {' and '.join(told)}"
        f"{', the longer of both' if len(told) > 1 else ''}."
    )
    return {"cooldownSeconds": max(told.values())}


def _step(inward: Fields, notes: Notes) -> dict[str, Any]:
    if inward.text("selectPolicy") == "Disabled":
        notes.lost(
            f"behavior.scaleDown is disabled: annotate the pool with {PAUSE_IN_ANNOTATION}=true, which keeps its "
            "replicas for as long as it is there."
        )
    policies = inward.objects("policies")
    if len(policies) == 1 and policies[0].text("type") == "Percent":
        return {"scaleInPercent": _step_percent(policies[0], notes)}
    if policies:
        notes.lost("behavior.scaleDown.policies: a pool knows one share for each step of 5 s, scaleInPercent (50).")
    return {}


def _step_percent(policy: Fields, notes: Notes) -> float | int:
    """The share that, taken every 5 s, comes to the policy's over its period."""
    percent, period = min(policy.number("value", 100), 100.0), max(policy.number("periodSeconds", 15), 1.0)
    share = 100 * (1 - (1 - max(percent, 0.0) / 100) ** (STEP_SECONDS / period))
    notes.add(
        f"scaleInPercent is for each step of 5 s, at least one replica: {percent:g} % in {period:g} s was KEDA's."
    )
    return 100 if share >= 100 else max(1.0, round(share, 1))


def _note_scale_up(outward: Fields, notes: Notes) -> None:
    if outward.text("selectPolicy") == "Disabled":
        notes.lost(f"behavior.scaleUp is disabled: annotate the pool with {PAUSE_OUT_ANNOTATION}=true.")
    elif outward.values:
        notes.add("behavior.scaleUp has no equivalent: a pool scales out at once to what is needed.")


def _note_polling(spec: Fields, notes: Notes) -> None:
    if spec.has("pollingInterval"):
        notes.add(
            "pollingInterval has no equivalent: the operator looks every 2 s (IMAGEMILL_TICK_SECONDS) at all queues."
        )


def fallback_of(spec: Fields, most: int, notes: Notes) -> dict[str, Any]:
    """Return the fallback: a pool holds what it has when the broker does not answer, and may add to it."""
    fallback = spec.object("fallback")
    if not spec.has("fallback"):
        return {}
    behavior = fallback.text("behavior", "static")
    if behavior in HOLDING:
        notes.add(
            f"fallback.behavior {behavior}: a pool holds its replicas when the broker does not answer, never fewer."
        )
        return {}
    seconds = fallback.count("failureThreshold", 0) * max(1, spec.count("pollingInterval", DEFAULT_POLLING_SECONDS))
    if behavior != "currentReplicasIfHigher":
        notes.add("fallback.replicas is a minimum: a pool that has more keeps them, where KEDA sets the number itself.")
    return {"fallback": {"replicas": min(fallback.count("replicas", 0), most), "afterSeconds": seconds}}


def note_restoring(spec: Fields, notes: Notes) -> None:
    """Warn of what KEDA does when its ScaledObject is deleted."""
    if spec.object("advanced").flag("restoreToOriginalReplicaCount"):
        notes.add(
            "restoreToOriginalReplicaCount: set it to false before you delete the ScaledObject, or KEDA sets the "
            "replicas back under the pool. A pool that is deleted leaves the Deployment as it is."
        )


def annotations_of(annotations: Fields, pool: str, deployment: str, notes: Notes) -> dict[str, str]:
    """Return the annotations that pause the pool as KEDA was paused; note what has no equivalent."""
    if _is_on(annotations, "force-activation"):
        notes.lost(f"{PREFIX}force-activation has no equivalent: set minReplicas to 1 while it lasts.")
    return {**_half_pauses(annotations), **_pause(annotations, pool, deployment, notes)}


def _half_pauses(annotations: Fields) -> dict[str, str]:
    ways = {"paused-scale-in": PAUSE_IN_ANNOTATION, "paused-scale-out": PAUSE_OUT_ANNOTATION}
    return {ours: "true" for keda, ours in ways.items() if _is_on(annotations, keda)}


def _pause(annotations: Fields, pool: str, deployment: str, notes: Notes) -> dict[str, str]:
    sets_replicas = annotations.has(f"{PREFIX}paused-replicas")
    if sets_replicas:
        replicas = annotations.count(f"{PREFIX}paused-replicas", 0)
        notes.lost(
            f"paused-replicas: a pause of a pool sets no number. KEDA set {replicas}: "
            f"`kubectl scale deployment {deployment} --replicas={replicas}`."
        )
    if not sets_replicas and not _is_on(annotations, "paused"):
        return {}
    notes.add(f"The pool is paused, as KEDA was: `kubectl annotate workerpool {pool} {PAUSE_ANNOTATION}-` ends it.")
    return {PAUSE_ANNOTATION: "true"}


def _is_on(annotations: Fields, name: str) -> bool:
    """KEDA takes every value that is not false for true."""
    return annotations.has(PREFIX + name) and annotations.text(PREFIX + name) not in FALSE
