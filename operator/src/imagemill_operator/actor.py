"""Carries a decision out and reports it: marks, one patch, status, Events."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagemill_operator.facts import DeploymentFacts, PodFacts
from imagemill_operator.kube import KubeError
from imagemill_operator.observe import victims
from imagemill_operator.policy import Decision
from imagemill_operator.pools import PoolResource
from imagemill_operator.status import Status, condition_events, is_due, timed_conditions, timestamp
from imagemill_operator.workers import WorkerReading

LOG = logging.getLogger(__name__)
FIRST_TO_GO = "-1000"
WRITES_AT_ONCE = 8
CONFLICT, FORBIDDEN = 409, 403
REFUSALS_UNTIL_TOLD = 3
"""One or two are usual: the Deployment changed meanwhile, or the API server was restarted."""


class Writer(Protocol):
    """What is written to the API server."""

    async def scale(self, deployment: str, replicas: int, resource_version: str) -> None:
        """Set a Deployment's replicas."""

    async def write_status(self, pool: str, status: Mapping[str, Any]) -> None:
        """Merge a pool's status."""

    async def mark(self, pod: str, cost: str | None) -> None:
        """Set or remove the cost of deleting a pod."""

    async def event(self, pool: str, uid: str, kind: str, reason: str, message: str) -> None:
        """Post an Event."""


@dataclass(slots=True)
class LastReported:
    """What was last written about a pool, and how often in a row its replicas could not be set."""

    status: Status | None = None
    written_at: float = 0.0
    conditions: list[dict[str, str]] = field(default_factory=list)
    scaled_at: float | None = None
    refusals: int = 0
    refusal: str = ""


class Actor:
    """Writes what changed and nothing else. A write that fails is logged, and made again by a later tick."""

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        self._writer, self._clock = writer, clock
        self._reported: dict[str, LastReported] = {}
        self._gate = asyncio.Semaphore(WRITES_AT_ONCE)
        self.scale_changes: dict[tuple[str, str], int] = {}
        self.write_errors: dict[tuple[str, str], int] = {}

    def forget(self, pools: Collection[str]) -> None:
        """Keep only pools that are still there."""
        self._reported = {uid: reported for uid, reported in self._reported.items() if uid in pools}

    async def scale(
        self,
        pool: PoolResource,
        deployment: DeploymentFacts,
        decision: Decision,
        pods: Collection[PodFacts],
        workers: Mapping[str, WorkerReading],
    ) -> bool:
        """Set the replicas if they differ; mark idle pods before any is given up. Return False when it was refused."""
        change = decision.desired_replicas - deployment.replicas
        async with self._gate:
            if not decision.act:
                return True
            await self._mark(pods, victims(pods, workers, -change))
            if not change:
                return True
            problem = await self._try("scale", self._writer.scale(*_scaling(deployment, decision)))
            self._note_refusal(pool, deployment, problem)
            if problem is None:
                await self._report_scaling(pool, change, decision.reason)
            return problem is None

    def _note_refusal(self, pool: PoolResource, deployment: DeploymentFacts, problem: KubeError | None) -> None:
        last = self._last(pool)
        last.refusals = 0 if problem is None else last.refusals + 1
        last.refusal = "" if problem is None else refusal_text(deployment.name, problem)

    def refusal(self, pool: PoolResource) -> str | None:
        """Say why the replicas cannot be set, when that was refused again and again; None when they can."""
        last = self._last(pool)
        return last.refusal if last.refusals >= REFUSALS_UNTIL_TOLD else None

    async def _mark(self, pods: Collection[PodFacts], chosen: set[str]) -> None:
        """Mark those chosen, and take the mark from those that were chosen once and are still there."""
        for pod in pods:
            if pod.name in chosen and pod.deletion_cost != FIRST_TO_GO:
                await self._try("mark", self._writer.mark(pod.name, FIRST_TO_GO))
            elif pod.name not in chosen and pod.deletion_cost == FIRST_TO_GO and not pod.terminating:
                await self._try("mark", self._writer.mark(pod.name, None))

    async def _report_scaling(self, pool: PoolResource, change: int, reason: str) -> None:
        kind = "ScaledOut" if change > 0 else "ScaledIn"
        key = pool.name, "out" if change > 0 else "in"
        self.scale_changes[key] = self.scale_changes.get(key, 0) + 1
        self._last(pool).scaled_at = self._clock()
        LOG.info("%s: %s", pool.name, reason)
        await self._try("event", self._writer.event(pool.name, pool.uid, "Normal", kind, reason))

    def _last(self, pool: PoolResource) -> LastReported:
        """Take over what an operator before this one wrote."""
        before = list(pool.status.get("conditions") or ())
        return self._reported.setdefault(pool.uid, LastReported(conditions=before))

    async def report(self, pool: PoolResource, status: Status) -> None:
        """Write the status if it is due, and Events for conditions that changed."""
        last = self._last(pool)
        now = self._clock()
        status = {**status, "conditions": timed_conditions(status["conditions"], last.conditions, now)}
        if last.scaled_at is not None:
            status["lastScaleTime"] = timestamp(last.scaled_at)
        if not is_due(status, last.status, now - last.written_at):
            return
        async with self._gate:
            if await self._try("status", self._writer.write_status(pool.name, status)):
                return
            for kind, reason, message in condition_events(status["conditions"], last.conditions):
                await self._try("event", self._writer.event(pool.name, pool.uid, kind, reason, message))
        last.status, last.written_at, last.conditions = status, now, status["conditions"]

    async def _try(self, verb: str, write: Awaitable[None]) -> KubeError | None:
        """Return what was refused. A conflict or a missing object is news that the watch brings too."""
        try:
            await write
        except KubeError as error:
            key = verb, str(error.status)
            self.write_errors[key] = self.write_errors.get(key, 0) + 1
            LOG.log(logging.DEBUG if error.status in (CONFLICT, 404) else logging.WARNING, "Not written: %s", error)
            return error
        return None


def refusal_text(deployment: str, problem: KubeError) -> str:
    """Say what cannot be done and, where it is known, what would help."""
    text = f"The replicas of Deployment {deployment} cannot be set ({problem})."
    if problem.status != FORBIDDEN:
        return text
    return f"{text} Let the operator's Role patch deployments/scale of {deployment}."


def _scaling(deployment: DeploymentFacts, decision: Decision) -> tuple[str, int, str]:
    return deployment.name, decision.desired_replicas, deployment.resource_version
