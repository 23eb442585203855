"""The tick: look at all pools once, decide for all of them, act, explain."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from imagemill_operator.actor import Actor
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.cron import next_time
from imagemill_operator.depth import BrokerProblem, BrokerReading, QueueKind, QueueName
from imagemill_operator.observe import observe
from imagemill_operator.policy import HOUR_SECONDS, Decision, Pool, decide_all, scheduled
from imagemill_operator.polling import BrokerPoller, BrokersReader, Look
from imagemill_operator.pool_memory import PoolMemory, may_go, without_step
from imagemill_operator.pool_metrics import BacklogMetrics, WorkerMetrics
from imagemill_operator.pools import PoolResource, Refusal, refusals, shared_queues, stream_refusals
from imagemill_operator.status import (
    Status,
    decided_status,
    idle_condition,
    refused_status,
    sharing_condition,
    state_of,
    takeover_conditions,
)
from imagemill_operator.takeover import Outcome, Takeovers, with_takeovers
from imagemill_operator.workers import Source, WorkerReading

WAKING_SECONDS = 15.0
"""Some of the broker's own intervals of 5 s."""


class WorkerReader(Protocol):
    """Tells what workers do."""

    async def read(
        self, pods: Mapping[str, Source], exporters: Mapping[str, Source], now: float
    ) -> Mapping[str, WorkerReading]:
        """Ask the pods by name, and exporters by pool."""


class BacklogMetricsReader(Protocol):
    """Tells what waits outside of the queues."""

    async def read(self, wanted: Mapping[str, BacklogMetrics], now: float) -> Mapping[str, int]:
        """Count the messages of each pool."""


class Controller:
    """Decides for all pools in one go: one look at the broker serves them all, and budgets need them together."""

    def __init__(
        self,
        brokers: BrokersReader,
        workers: WorkerReader,
        backlog_reader: BacklogMetricsReader,
        actor: Actor,
        tick_seconds: float,
        clock: Callable[[], float],
        takeovers: Takeovers | None = None,
    ) -> None:
        self._poller = BrokerPoller(brokers)
        self._workers, self._backlog_reader, self._actor = workers, backlog_reader, actor
        self._tick_seconds, self._clock = tick_seconds, clock
        self._takeovers = takeovers
        self._outcomes: Mapping[str, Outcome] = {}
        self._kept: dict[str, PoolMemory] = {}
        self.states: dict[str, dict[str, Any]] = {}

    def history(self, name: str, span_seconds: float = HOUR_SECONDS) -> list[dict[str, Any]]:
        """Return the last so many seconds of a pool, at most a day."""
        state = self.states.get(name)
        kept = self._kept.get(state["uid"]) if state else None
        return kept.history.to_list(span_seconds) if kept else []

    async def tick(self, cluster: ClusterState) -> None:
        """Look, decide, act, explain."""
        refused = refusals(cluster.pools, frozenset(cluster.deployments), cluster.autoscaled)
        outcomes = {} if self._takeovers is None else await self._takeovers.settle(cluster.pools, refused)
        refused = with_takeovers(refused, outcomes, cluster.pools)
        active = {name: pool for name, pool in cluster.pools.items() if name not in refused}
        self._keep(cluster.pools)
        readings, workers, held_back = await asyncio.gather(
            self._poller.read([self._look(pool, cluster) for pool in active.values()]),
            self._read_workers(active, cluster),
            self._read_held_back(active),
        )
        streams = stream_refusals(active, lambda pool, queue: _kind(queue, readings[pool.broker]).is_stream)
        active, refused = {name: pool for name, pool in active.items() if name not in streams}, {**refused, **streams}
        inputs = {
            name: self._input(pool, cluster, readings[pool.broker], workers, held_back.get(name, 0))
            for name, pool in active.items()
        }
        decisions = decide_all({name: seen for name, seen in inputs.items() if seen is not None})
        decisions = await self._act(cluster, active, decisions)
        self._outcomes = outcomes
        self._explain(cluster, inputs, decisions, refused, {name: readings[active[name].broker] for name in active})

    def stand_by(self) -> None:
        """Forget everything: what another operator learns and writes meanwhile is in the pools' status."""
        self._kept, self.states = {}, {}
        self._poller.forget()
        self._actor.forget(())

    async def has_new_messages(self) -> bool:
        """Whether a message came to a pool that stood at 0 with nothing to do when the last tick looked."""
        return await self._poller.has_new_messages()

    def _keep(self, pools: Mapping[str, PoolResource]) -> None:
        uids = {pool.uid for pool in pools.values()}
        self._kept = {uid: kept for uid, kept in self._kept.items() if uid in uids}
        self._actor.forget(uids)
        for pool in pools.values():
            if pool.uid not in self._kept:
                self._kept[pool.uid] = PoolMemory(pool.memory, self._clock())

    def _look(self, pool: PoolResource, cluster: ClusterState) -> Look:
        kept = self._kept[pool.uid]
        return Look(pool, _at_zero(pool, cluster), self._asleep(pool, cluster), kept.wants_channels(self._clock()))

    def _asleep(self, pool: PoolResource, cluster: ClusterState) -> bool:
        """Whether the pool stands at 0, or did just now: then the metrics may be from before it was woken."""
        kept, now = self._kept[pool.uid], self._clock()
        if _at_zero(pool, cluster):
            kept.asleep_at = now
        return now - kept.asleep_at <= WAKING_SECONDS

    async def _read_workers(
        self, pools: Mapping[str, PoolResource], cluster: ClusterState
    ) -> Mapping[str, WorkerReading]:
        told = [(pool, pool.worker_metrics) for pool in pools.values() if pool.worker_metrics is not None]
        pods = {
            pod.name: Source(_url(pod.ip, metrics), metrics.names)
            for pool, metrics in told
            if not metrics.url
            for pod in cluster.pods.get(pool.deployment, ())
            if pod.ip and pod.stuck is None
        }
        exporters = {
            pool.name: Source(metrics.url, metrics.names, metrics.pod_label, _names(pool, cluster))
            for pool, metrics in told
            if metrics.url
        }
        return await self._workers.read(pods, exporters, self._clock())

    async def _read_held_back(self, pools: Mapping[str, PoolResource]) -> Mapping[str, int]:
        wanted = {name: pool.backlog_metrics for name, pool in pools.items() if pool.backlog_metrics is not None}
        return await self._backlog_reader.read(wanted, self._clock()) if wanted else {}

    def _input(
        self,
        pool: PoolResource,
        cluster: ClusterState,
        broker: BrokerReading,
        workers: Mapping[str, WorkerReading],
        held_back: int,
    ) -> Pool | None:
        if pool.spec is None:
            return None
        kept = self._kept[pool.uid]
        pods = cluster.pods.get(pool.deployment, ())
        deployment = cluster.deployments[pool.deployment]
        seen = observe(
            pool, deployment, pods, broker, workers, kept.counters, self._clock(), self._tick_seconds, held_back
        )
        everybody = [one for part in cluster.pods.values() for one in part]
        seen = kept.see_pods(seen, pods, workers, broker.channels.get(pool.vhost), everybody, pool.queues)
        return Pool(seen, scheduled(pool.spec, seen.at_seconds, next_time), kept.memory)

    async def _act(
        self,
        cluster: ClusterState,
        pools: Mapping[str, PoolResource],
        decisions: Mapping[str, Decision],
    ) -> dict[str, Decision]:
        """Carry the decisions out. Those that were refused are returned without the memory of a step."""
        scalings = (
            self._actor.scale(
                pools[name],
                cluster.deployments[pools[name].deployment],
                decision,
                cluster.pods.get(pools[name].deployment, ()),
                self._kept[pools[name].uid].told,
            )
            for name, decision in decisions.items()
        )
        written = dict(zip(decisions, await asyncio.gather(*scalings), strict=True))
        return {
            name: decision if written[name] else without_step(decision, self._kept[pools[name].uid].memory)
            for name, decision in decisions.items()
        }

    def _explain(
        self,
        cluster: ClusterState,
        inputs: Mapping[str, Pool | None],
        decisions: Mapping[str, Decision],
        refused: Mapping[str, Refusal],
        readings: Mapping[str, BrokerReading],
    ) -> None:
        states: dict[str, dict[str, Any]] = {}
        shared = shared_queues(cluster.pools)
        for name, pool in sorted(cluster.pools.items()):
            seen, decision = inputs.get(name), decisions.get(name)
            if seen is not None and decision is not None:
                more = [
                    sharing_condition(shared.get(name)),
                    *takeover_conditions(self._outcomes.get(name), pool, cluster.autoscaled),
                ]
                states[name], status = self._remember(pool, seen, decision, more, readings[name].problem)
            else:
                status = refused_status(pool, refused[name], self._clock())
                states[name] = _refused_state(pool, refused[name])
            self._actor.report(pool, status)
        self.states = states

    def _remember(
        self,
        pool: PoolResource,
        seen: Pool,
        decision: Decision,
        conditions: Sequence[dict[str, str]],
        problem: BrokerProblem | None,
    ) -> tuple[dict[str, Any], Status]:
        """Keep what the decision learned; return the pool's state and status, with more conditions."""
        kept, observation = self._kept[pool.uid], seen.observation
        kept.memory = decision.memory
        kept.has_too_many = may_go(seen.spec, observation, decision)
        kept.history.add(observation, seen.spec, decision)
        more = [*conditions, idle_condition(kept.by_broker, tell_themselves=bool(pool.worker_metrics))]
        state = state_of(pool, observation, seen.spec, decision, self._actor.refusal(pool), problem, more)
        return {**state, "uid": pool.uid}, decided_status(pool, state, seen.spec, decision.memory)


def _at_zero(pool: PoolResource, cluster: ClusterState) -> bool:
    return cluster.deployments[pool.deployment].replicas == 0


def _kind(queue: QueueName, reading: BrokerReading) -> QueueKind:
    return reading.kinds.get(queue, QueueKind())


def _refused_state(pool: PoolResource, refusal: Refusal) -> dict[str, Any]:
    """Keep the keys of ``pool_state`` that are known."""
    return {
        "name": pool.name,
        "uid": pool.uid,
        "queues": list(pool.queues),
        "limit": "refused",
        "reason": refusal.message,
        "terms": [],
        "conditions": [
            {"type": refusal.condition, "status": str(refusal.condition != "Ready"), "reason": refusal.reason}
            | {"message": refusal.message}
        ],
    }


def _url(ip: str, metrics: WorkerMetrics) -> str:
    host = f"[{ip}]" if ":" in ip else ip
    return f"http://{host}:{metrics.port}{metrics.path}"


def _names(pool: PoolResource, cluster: ClusterState) -> frozenset[str]:
    return frozenset(pod.name for pod in cluster.pods.get(pool.deployment, ()))
