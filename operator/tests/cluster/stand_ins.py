"""Broker, workers, API server and clock for whole ticks; they remember what was asked and written."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from tests.cluster import bodies

from imagemill_operator.actor import Actor
from imagemill_operator.brokers import BrokerReader
from imagemill_operator.channels import Channel, ChannelList
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.depth import BrokerProblem, BrokerReading, LiveReading, QueueKind, QueueName, QueueReading
from imagemill_operator.facts import DeploymentFacts, PodFacts
from imagemill_operator.kube import KEDA_PAUSED, KubeError
from imagemill_operator.pool_metrics import BacklogMetrics
from imagemill_operator.pools import parse_pool
from imagemill_operator.takeover import Takeovers
from imagemill_operator.workers import Source, WorkerReading

QUEUE = ("/", "work.gray")


class Cluster:
    """Broker, workers, API server and clock in one."""

    def __init__(self, *pools: bodies.Body, replicas: int = 0, ready: int | None = 0) -> None:
        self.pools = {body["metadata"]["name"]: body for body in pools or (bodies.pool(cooldownSeconds=10),)}
        self.replicas, self.now = replicas, 1_000.0
        self.ready = ready
        self.unacked = 0
        self.busy: dict[str, int] = {}
        self.held: dict[str, int | None] = {}
        self.kind = QueueKind()
        self.asked_channels: list[bool] = []
        self.channels_problem = ""
        self.lost: set[str] = set()
        self.autoscaled: dict[str, str] = {}
        self.costs: dict[str, str | None] = {}
        self.statuses: list[tuple[str, Mapping[str, Any]]] = []
        self.events: list[tuple[str, str]] = []
        self.scalings: list[int] = []
        self.refused: int | None = None
        self.retry_after: float | None = None
        self.attempts = 0
        self.held_back = 0
        self.leads = True
        self.broker_problems: dict[str, BrokerProblem] = {}
        self.looks: list[tuple[set[QueueName], bool]] = []
        self.between: list[set[QueueName]] = []
        self.keda = Keda()
        self.controller = self.new_controller()

    def new_controller(self) -> Controller:
        self.actor = Actor(self, lambda: self.now, may_write=lambda: self.leads)
        takeovers = Takeovers(self.keda, lambda: self.now, lambda: self.leads)
        readers = Brokers(self), Workers(self), BacklogReader(self)
        return Controller(*readers, self.actor, 2.0, lambda: self.now, takeovers)

    def state(self) -> ClusterState:
        deployment = DeploymentFacts("worker-gray", "u", "7", self.replicas)
        names = [f"p{number}" for number in range(self.replicas)]
        pods = tuple(self._pod(name) for name in names)
        parsed = {name: parse_pool(body) for name, body in self.pools.items()}
        return ClusterState(parsed, {"worker-gray": deployment}, {"worker-gray": pods}, self.autoscaled)

    def _pod(self, name: str) -> PodFacts:
        pod = PodFacts(name, f"10.0.0.{name[1:]}", True, False, 0.0, 2.0, None, self.costs.get(name))
        return replace(pod, ready=False, unready_since_seconds=self.now) if name in self.lost else pod

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.now += 2.0
            asyncio.run(self._tick())

    async def _tick(self) -> None:
        await self.controller.tick(self.state())
        await self.actor.outbox.drain()

    def has_new_messages(self) -> bool:
        return asyncio.run(self.controller.has_new_messages())

    @property
    def status(self) -> Mapping[str, Any]:
        return self.statuses[-1][1]

    def condition(self, kind: str) -> str:
        return next(str(item["status"]) for item in self.status["conditions"] if item["type"] == kind)

    async def scale(self, deployment: str, replicas: int, resource_version: str, *, dry_run: bool = False) -> None:
        self.attempts += 1
        if self.refused is not None:
            raise KubeError(self.refused, "no", self.retry_after)
        if dry_run:
            return
        self.scalings.append(replicas)
        self.replicas = replicas

    async def write_status(self, pool: str, status: Mapping[str, Any]) -> None:
        self.statuses.append((pool, status))

    async def mark(self, pod: str, cost: str | None) -> None:
        self.costs[pod] = cost

    async def event(self, pool: str, uid: str, kind: str, reason: str, message: str) -> None:
        self.events.append((kind, reason))


class Keda:
    """Its objects; ``refused`` is the status with which the API server refuses to tell of them."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.refused: int | None = None
        self.written: list[tuple[str, bool]] = []
        self.asked = 0

    def add(self, name: str, deployment: str) -> None:
        self.objects[name] = {"metadata": {"name": name}, "spec": {"scaleTargetRef": {"name": deployment}}}

    async def get_scaled_object(self, name: str) -> dict[str, Any] | None:
        self.asked += 1
        if self.refused is not None:
            raise KubeError(self.refused, "no")
        return self.objects.get(name)

    async def pause_scaled_object(self, name: str, *, paused: bool) -> None:
        self.written.append((name, paused))
        self.objects[name]["metadata"]["annotations"] = {KEDA_PAUSED: "true"} if paused else {}


class Brokers:
    """Readers of the brokers; a name that is among the cluster's problems has none."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def readers(self, names: Collection[str]) -> Mapping[str, BrokerReader | BrokerProblem]:
        problems = self.cluster.broker_problems
        return {name: problems.get(name) or Broker(self.cluster) for name in names}


class Broker:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def read(
        self,
        queues: Collection[QueueName],
        *,
        asleep: Collection[QueueName],
        with_acks: bool,
        channels_of: Collection[str],
    ) -> BrokerReading:
        self.cluster.asked_channels.append(bool(channels_of))
        self.cluster.looks.append((set(asleep), with_acks))
        if self.cluster.ready is None:
            return BrokerReading(errors=["the broker is away"])
        return BrokerReading(
            queues={QUEUE: QueueReading(self.cluster.ready, self.cluster.unacked)},
            kinds={QUEUE: self.cluster.kind},
            channels={vhost: self._channels() for vhost in channels_of},
            live={queue: LiveReading(self.cluster.ready) for queue in asleep if queue == QUEUE},
        )

    def _channels(self) -> ChannelList:
        if self.cluster.channels_problem:
            return ChannelList(problem=self.cluster.channels_problem)
        consumed = frozenset({QUEUE[1]})
        return ChannelList(tuple(Channel(host, count, consumed) for host, count in self.cluster.held.items()))

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        self.cluster.between.append(set(queues))
        return bool(self.cluster.ready)


class BacklogReader:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def read(self, wanted: Mapping[str, BacklogMetrics], now: float) -> Mapping[str, int]:
        return dict.fromkeys(wanted, self.cluster.held_back)


class Workers:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def read(
        self, pods: Mapping[str, Source], exporters: Mapping[str, Source], now: float
    ) -> Mapping[str, WorkerReading]:
        there = {*pods, *(pod for exporter in exporters.values() for pod in exporter.pods)}
        return {pod: WorkerReading(now, busy, 1.0, 0.0, 0.0) for pod, busy in self.cluster.busy.items() if pod in there}
