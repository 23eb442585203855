"""Take a Deployment over from KEDA, and hand it back, by an annotation: never two that scale at once.

The pool scales only after KEDA's ScaledObject is paused and its HorizontalPodAutoscaler is gone, and KEDA is let go on
only after the pool has stopped.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from imagemill_operator.kube import KEDA_HELD, KEDA_PAUSED, KubeError
from imagemill_operator.pools import AUTOSCALED, BACK_ANNOTATION, Handover, PoolResource, Refusal
from imagemill_operator.writes import FORBIDDEN

LOOK_SECONDS = 30.0
"""So often it is looked whether the ScaledObject is still as it should be."""
RETRY_SECONDS = 5.0
TAKEN, MISSING = "KedaPaused", "ScaledObjectMissing"
LOG = logging.getLogger(__name__)
GO_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
Body = Mapping[str, Any]


class ScaledObjects(Protocol):
    """What is read and written of KEDA's objects."""

    async def get_scaled_object(self, name: str) -> dict[str, Any] | None:
        """Return a ScaledObject, None when there is none."""

    async def pause_scaled_object(self, name: str, *, paused: bool) -> None:
        """Set or remove KEDA's annotation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a hand-over is: ``done``, or why not, in one word and a sentence."""

    done: bool
    reason: str
    message: str

    @property
    def refusal(self) -> Refusal:
        """Why the pool does not scale yet."""
        return Refusal("TargetConflict", self.reason, self.message)


def is_paused(scaled_object: Body) -> bool:
    """Whether KEDA leaves the target alone: it takes everything for a yes that is no "false" as Go writes it."""
    return str(_annotations(scaled_object).get(KEDA_PAUSED, "false")) not in GO_FALSE


def is_held(scaled_object: Body) -> bool:
    """Whether KEDA holds the target at a number, which it sets again and again, paused or not."""
    return KEDA_HELD in _annotations(scaled_object)


def _annotations(scaled_object: Body) -> Mapping[str, Any]:
    return (scaled_object.get("metadata") or {}).get("annotations") or {}


def target_of(scaled_object: Body) -> str:
    """Say what a ScaledObject scales: "Deployment worker"."""
    target = (scaled_object.get("spec") or {}).get("scaleTargetRef") or {}
    return f"{target.get('kind') or 'Deployment'} {target.get('name', '')}"


def judged(handover: Handover, deployment: str, scaled_object: Body | None) -> tuple[Outcome, bool | None]:
    """Say where a hand-over is, and whether KEDA is to be paused (True), let go on (False), or left as it is (None)."""
    name = handover.scaled_object
    if scaled_object is None:
        done = not handover.is_back
        text = "nothing is left to take over" if done else "nobody is there to hand the Deployment back to"
        return Outcome(done, MISSING, f"There is no ScaledObject {name}: {text}."), None
    target = target_of(scaled_object)
    if target != f"Deployment {deployment}":
        text = f"ScaledObject {name} scales {target}, not Deployment {deployment}: name the one that does."
        return Outcome(False, "OtherTarget", text), None
    if handover.is_back:
        return _back(name, scaled_object)
    if is_held(scaled_object):
        return Outcome(False, "ReplicasHeld", f"{_held_text(name)} to let this pool scale."), None
    text = f"ScaledObject {name} is paused, this pool scales; {BACK_ANNOTATION}={name} hands the Deployment back."
    return Outcome(True, TAKEN, text), None if is_paused(scaled_object) else True


def _back(name: str, scaled_object: Body) -> tuple[Outcome, bool | None]:
    change = False if is_paused(scaled_object) else None
    if is_held(scaled_object):
        return Outcome(False, "ReplicasHeld", f"This pool has stopped. {_held_text(name)} to let KEDA scale."), change
    return Outcome(True, "HandedBack", f"This pool has stopped, and ScaledObject {name} scales again."), change


def _held_text(name: str) -> str:
    return f"KEDA holds the replicas at the number in {KEDA_HELD} of ScaledObject {name}: take that annotation away"


class Takeovers:
    """Carries hand-overs out, and looks now and then whether they hold. ``may_write`` is asked before each write."""

    def __init__(
        self, client: ScaledObjects, clock: Callable[[], float], may_write: Callable[[], bool] = lambda: True
    ) -> None:
        self._client, self._clock, self._may_write = client, clock, may_write
        self._known: dict[tuple[str, Handover], tuple[float, Outcome]] = {}

    async def settle(self, pools: Mapping[str, PoolResource], refused: Mapping[str, Refusal]) -> dict[str, Outcome]:
        """Say where each hand-over is. A pool that could not scale takes nothing over: nobody would scale then."""
        wanted = {
            name: (pool, pool.handover)
            for name, pool in pools.items()
            if pool.handover is not None and (pool.handover.is_back or _could_scale(pool, refused.get(name)))
        }
        self._note_gone({pool.uid for pool in pools.values()})
        keys = {(pool.uid, handover) for pool, handover in wanted.values()}
        self._known = {key: known for key, known in self._known.items() if key in keys}
        scaling = {pool.deployment: name for name, pool in pools.items() if _could_scale(pool, refused.get(name))}
        found = await asyncio.gather(
            *(
                self._settled(pool, handover, scaling.get(pool.deployment), is_contested=name in refused)
                for name, (pool, handover) in wanted.items()
            )
        )
        return dict(zip(wanted, found, strict=True))

    def _note_gone(self, uids: Collection[str]) -> None:
        """Say which ScaledObjects nobody will let go on: a pool has no finalizer that could."""
        for (uid, handover), (_, outcome) in self._known.items():
            if uid not in uids and outcome.reason == TAKEN:
                LOG.warning(
                    "A WorkerPool is gone that had taken over from ScaledObject %s, which stays paused: "
                    "take the annotation %s away to let KEDA go on.",
                    handover.scaled_object,
                    KEDA_PAUSED,
                )

    async def _settled(
        self, pool: PoolResource, handover: Handover, scaled_by: str | None, *, is_contested: bool
    ) -> Outcome:
        """Look now and then; while an autoscaler is there, sooner: KEDA may have been let go on."""
        if handover.is_back and scaled_by is not None:
            text = f"This pool has stopped, but WorkerPool {scaled_by} scales Deployment {pool.deployment}"
            return Outcome(False, "OtherWorkerPool", f"{text}: pause that one, or hand back by it.")
        key, now = (pool.uid, handover), self._clock()
        at, outcome = self._known.get(key, (0.0, None))
        if outcome is None or now - at >= (LOOK_SECONDS if outcome.done and not is_contested else RETRY_SECONDS):
            outcome = await self._carried_out(pool, handover, outcome)
            self._known[key] = now, outcome
        return outcome

    async def _carried_out(self, pool: PoolResource, handover: Handover, before: Outcome | None) -> Outcome:
        name = handover.scaled_object
        try:
            outcome, paused = judged(handover, pool.deployment, await self._client.get_scaled_object(name))
            if paused is not None:
                await self._write(name, paused=paused)
        except KubeError as error:
            if error.status != FORBIDDEN and before is not None and before.done:
                return before
            return problem_of(name, error)
        return outcome

    async def _write(self, name: str, *, paused: bool) -> None:
        if not self._may_write():
            raise KubeError(0, "another operator may hold the lease")
        await self._client.pause_scaled_object(name, paused=paused)


def _could_scale(pool: PoolResource, refusal: Refusal | None) -> bool:
    """Whether a pool scales, or would if it were not for an autoscaler."""
    return pool.acts and (refusal is None or refusal.reason == AUTOSCALED)


def problem_of(name: str, error: KubeError) -> Outcome:
    """Say what keeps a hand-over from going on, and what would help."""
    if error.status == FORBIDDEN:
        text = f"The operator may not pause ScaledObject {name}: add it to kedaScaledObjects of its chart."
        return Outcome(False, "ScaledObjectForbidden", f"{text} Nothing was changed.")
    return Outcome(False, "ScaledObjectUnread", f"ScaledObject {name} cannot be read or paused now ({error}).")


def with_takeovers(
    refused: Mapping[str, Refusal], outcomes: Mapping[str, Outcome], pools: Mapping[str, PoolResource]
) -> dict[str, Refusal]:
    """Refuse pools that KEDA's object is not paused for yet, and say what the others wait for."""
    found = dict(refused)
    for name, outcome in outcomes.items():
        handover = pools[name].handover
        if handover is None or handover.is_back:
            continue
        if not outcome.done:
            found[name] = outcome.refusal
        elif name in refused:
            found[name] = _waiting(handover.scaled_object, outcome, refused[name])
    return found


def _waiting(scaled_object: str, outcome: Outcome, refusal: Refusal) -> Refusal:
    """Say what a pool waits for whose Deployment has an autoscaler; that may be of another ScaledObject."""
    if outcome.reason == MISSING:
        text = f"There is no ScaledObject {scaled_object} to pause, and {refusal.message}"
        return Refusal("TargetConflict", MISSING, text)
    text = f"ScaledObject {scaled_object} is paused; this pool waits until KEDA has removed its "
    return Refusal("TargetConflict", "WaitsForKeda", f"{text}HorizontalPodAutoscaler.")
