"""Carries a decision out and reports it: marks, one patch, status, Events."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagemill_operator.facts import DeploymentFacts, PodFacts
from imagemill_operator.going import victims
from imagemill_operator.kube import KubeError
from imagemill_operator.outbox import Outbox
from imagemill_operator.pace import Pace
from imagemill_operator.policy import Decision
from imagemill_operator.pools import PoolResource
from imagemill_operator.status import Status, condition_events, is_due, timed_conditions, timestamp
from imagemill_operator.workers import WorkerReading
from imagemill_operator.writes import FORBIDDEN, NotSentError, Writes

LOG = logging.getLogger(__name__)
FIRST_TO_GO = "-1000"
WRITES_AT_ONCE = 8
ASK_AGAIN_SECONDS = 30.0
MOST_EVENTS = 10
"""That wait to be posted about one pool."""
REFUSALS_UNTIL_TOLD = 3
"""One or two are usual: the Deployment changed meanwhile, or the API server was restarted."""


Event = tuple[str, str, str]
"""Type, reason and message."""


def always() -> bool:
    """Whether to write where there is one operator only."""
    return True


class Writer(Protocol):
    """What is written to the API server."""

    async def scale(self, deployment: str, replicas: int, resource_version: str, *, dry_run: bool = False) -> None:
        """Set a Deployment's replicas, or only ask whether that would be allowed."""

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
    refused_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be written about a pool when there is time for it."""

    pool: PoolResource
    status: Status | None = None
    events: tuple[Event, ...] = ()


class Actor:
    """Writes what changed and nothing else. A write that fails is logged, and made again by a later tick.

    Replicas are set at once. Statuses and Events wait in ``outbox``, which somebody has to run.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Callable[[], float],
        pace: Pace | None = None,
        may_write: Callable[[], bool] = always,
    ) -> None:
        self._writer, self._clock = writer, clock
        self._reported: dict[str, LastReported] = {}
        self._gate = asyncio.Semaphore(WRITES_AT_ONCE)
        self._pace = pace or Pace(clock)
        self._writes = Writes(self._pace, may_write)
        self.outbox: Outbox[Report] = Outbox(self._send, self._pace)
        self.scale_changes: dict[tuple[str, str], int] = {}

    @property
    def write_errors(self) -> Mapping[tuple[str, str], int]:
        """How often the API server refused, by verb and status."""
        return self._writes.errors

    def forget(self, pools: Collection[str]) -> None:
        """Keep only pools that are still there."""
        for uid in self._reported.keys() - set(pools):
            del self._reported[uid]
            self.outbox.forget(uid)

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
        if not decision.act:
            return True
        async with self._gate:
            await self._mark(pods, victims(pods, workers, -change, self._clock()))
            if not change and not self._may_ask_again(pool):
                return True
            self._pace.take()
            problem = await self._writes.attempt(
                "scale", lambda: self._writer.scale(*_scaling(deployment, decision), dry_run=not change)
            )
        self._note_refusal(pool, deployment, problem)
        if problem is None and change:
            self._note_scaling(pool, change, decision.reason)
        return problem is None

    def _may_ask_again(self, pool: PoolResource) -> bool:
        """Whether to ask if the replicas may be set now although there is nothing to set: soon there may be."""
        last = self._last(pool)
        return self.refusal(pool) is not None and self._clock() - last.refused_at >= ASK_AGAIN_SECONDS

    def _note_refusal(self, pool: PoolResource, deployment: DeploymentFacts, problem: KubeError | None) -> None:
        if isinstance(problem, NotSentError):
            return
        last = self._last(pool)
        last.refusals = 0 if problem is None else last.refusals + 1
        last.refusal = "" if problem is None else refusal_text(deployment.name, problem)
        last.refused_at = 0.0 if problem is None else self._clock()

    def refusal(self, pool: PoolResource) -> str | None:
        """Say why the replicas cannot be set, when that was refused again and again; None when they can."""
        last = self._last(pool)
        return last.refusal if last.refusals >= REFUSALS_UNTIL_TOLD else None

    async def _mark(self, pods: Collection[PodFacts], chosen: set[str]) -> None:
        """Mark those chosen, and take the mark from those that were chosen once and are still there."""
        costs: dict[str, str | None] = {}
        for pod in pods:
            if pod.name in chosen and pod.deletion_cost != FIRST_TO_GO:
                costs[pod.name] = FIRST_TO_GO
            elif pod.name not in chosen and pod.deletion_cost == FIRST_TO_GO and not pod.terminating:
                costs[pod.name] = None
        # All at once: were they marked one after the other, each could wait for an answer as long as the one before.
        await asyncio.gather(*(self._mark_one(pod, cost) for pod, cost in costs.items()))

    async def _mark_one(self, pod: str, cost: str | None) -> None:
        self._pace.take()
        await self._writes.attempt("mark", lambda: self._writer.mark(pod, cost))

    def _note_scaling(self, pool: PoolResource, change: int, reason: str) -> None:
        kind = "ScaledOut" if change > 0 else "ScaledIn"
        key = pool.name, "out" if change > 0 else "in"
        self.scale_changes[key] = self.scale_changes.get(key, 0) + 1
        self._last(pool).scaled_at = self._clock()
        LOG.info("%s: %s", pool.name, reason)
        self._put(pool, None, ("Normal", kind, reason))

    def _last(self, pool: PoolResource) -> LastReported:
        """Take over what an operator before this one wrote."""
        before = list(pool.status.get("conditions") or ())
        return self._reported.setdefault(pool.uid, LastReported(conditions=before))

    def report(self, pool: PoolResource, status: Status) -> None:
        """Let the status be written if it is due, in the place of one that still waits."""
        last, now = self._last(pool), self._clock()
        status = {**status, "conditions": timed_conditions(status["conditions"], last.conditions, now)}
        if last.scaled_at is not None:
            status["lastScaleTime"] = timestamp(last.scaled_at)
        waiting = self.outbox.get(pool.uid)
        if is_due(status, last.status, now - last.written_at) or (waiting is not None and waiting.status is not None):
            self._put(pool, status)

    def _put(self, pool: PoolResource, status: Status | None, *events: Event) -> None:
        waiting = self.outbox.get(pool.uid) or Report(pool)
        report = Report(pool, status or waiting.status, (*waiting.events, *events)[-MOST_EVENTS:])
        self.outbox.put(pool.uid, report)

    async def _send(self, report: Report) -> None:
        """Write a status, then the Events for what happened and for conditions that changed."""
        pool, events = report.pool, list(report.events)
        if report.status is not None:
            events += await self._write_status(pool, report.status)
        for kind, reason, message in events:
            await self._post(pool, kind, reason, message)

    async def _write_status(self, pool: PoolResource, status: Status) -> list[Event]:
        last = self._last(pool)
        if await self._writes.attempt("status", lambda: self._writer.write_status(pool.name, status)) is not None:
            return []
        events = condition_events(status["conditions"], last.conditions)
        last.status, last.written_at, last.conditions = status, self._clock(), status["conditions"]
        return events

    async def _post(self, pool: PoolResource, kind: str, reason: str, message: str) -> None:
        await self._writes.attempt("event", lambda: self._writer.event(pool.name, pool.uid, kind, reason, message))


def refusal_text(deployment: str, problem: KubeError) -> str:
    """Say what cannot be done and, where it is known, what would help."""
    text = f"The replicas of Deployment {deployment} cannot be set ({problem})."
    if problem.status != FORBIDDEN:
        return text
    return f"{text} Let the operator's Role patch deployments/scale of {deployment}."


def _scaling(deployment: DeploymentFacts, decision: Decision) -> tuple[str, int, str]:
    return deployment.name, decision.desired_replicas, deployment.resource_version
