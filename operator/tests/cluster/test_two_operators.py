"""Two operators that are killed, paused and cut off: a write never reaches the API server after another took over.

Each seed is a story of minutes, in virtual time. The operators are the real Lease, Controller, Actor and outbox; the
broker, the pods and the API server are stand-ins. A request takes some time on its way, and is given up as the real
client gives it up.
"""

import asyncio
import copy
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.cluster import bodies, virtual_time

from imagemill_operator.actor import Actor
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.depth import BrokerReading, QueueName, QueueReading
from imagemill_operator.facts import DeploymentFacts
from imagemill_operator.kube import KubeError
from imagemill_operator.lease import Lease
from imagemill_operator.pace import Pace
from imagemill_operator.pools import parse_pool
from imagemill_operator.runtime import Runtime, write_seconds
from imagemill_operator.settings import Settings
from imagemill_operator.workers import Source, WorkerReading

SECONDS = 150.0
STORIES, STORIES_PER_TEST = 1000, 50
SETTINGS = Settings("default", broker_metrics_urls=("http://broker",))
WRITE_SECONDS = write_seconds(SETTINGS)


class Api:
    """The API server: one Deployment, one Lease, and who wrote when."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.replicas = 0
        self.written: list[tuple[float, str]] = []
        self.took_over: list[tuple[float, str]] = []

    def store_lease(self, body: Mapping[str, Any], now: float) -> dict[str, Any]:
        before = (self.lease or {"spec": {}})["spec"].get("holderIdentity", "")
        holder = body["spec"]["holderIdentity"]
        self.version += 1
        # Two renewals within a microsecond of real time are two renewals all the same.
        spec = {**body["spec"], "renewTime": str(self.version)}
        self.lease = {"metadata": {**body["metadata"], "resourceVersion": str(self.version)}, "spec": spec}
        if holder and holder != before:
            self.took_over.append((now, holder))
        return self.lease


class Client:
    """One operator's connection. ``away_until`` is the end of a partition, ``slow`` makes requests take long."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name, self.away_until, self.slow = api, name, 0.0, False

    async def _way(self) -> float:
        """A request is on its way, and arrives or is given up; what is given up does not arrive later."""
        loop = asyncio.get_running_loop()
        takes = self.api.dice.uniform(0.0, 2.0 * WRITE_SECONDS if self.slow else 0.1)
        if loop.time() < self.away_until or takes >= WRITE_SECONDS:
            await asyncio.sleep(WRITE_SECONDS)
            raise KubeError(0, "no answer")
        await asyncio.sleep(takes)
        return loop.time()

    async def get_lease(self, name: str) -> dict[str, Any] | None:
        await self._way()
        return copy.deepcopy(self.api.lease)

    async def create_lease(self, body: Mapping[str, Any]) -> dict[str, Any]:
        now = await self._way()
        if self.api.lease is not None:
            raise KubeError(409, "exists")
        return self.api.store_lease(body, now)

    async def replace_lease(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        now = await self._way()
        if body["metadata"]["resourceVersion"] != (self.api.lease or {})["metadata"]["resourceVersion"]:
            raise KubeError(409, "changed")
        return self.api.store_lease(body, now)

    async def scale(self, deployment: str, replicas: int, resource_version: str, *, dry_run: bool = False) -> None:
        self.api.written.append((await self._way(), self.name))
        self.api.replicas = replicas

    async def write_status(self, pool: str, status: Mapping[str, Any]) -> None:
        self.api.written.append((await self._way(), self.name))

    async def mark(self, pod: str, cost: str | None) -> None:
        self.api.written.append((await self._way(), self.name))

    async def event(self, pool: str, uid: str, kind: str, reason: str, message: str) -> None:
        self.api.written.append((await self._way(), self.name))


class Restless:
    """A broker whose queue never rests, so that there is always something to write; sometimes it takes long."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    async def read(
        self,
        queues: Collection[QueueName],
        *,
        asleep: Collection[QueueName],
        with_acks: bool,
        channels_of: Collection[str],
    ) -> BrokerReading:
        await asyncio.sleep(self.dice.choice([0.01, 0.01, 0.01, 25.0]))
        return BrokerReading(queues={queue: QueueReading(self.dice.randrange(80), 0) for queue in queues})

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        return False

    async def readers(self, names: Collection[str]) -> "dict[str, Restless]":
        return dict.fromkeys(names, self)


class Silent:
    async def read(
        self, pods: Mapping[str, Source], exporters: Mapping[str, Source], now: float
    ) -> Mapping[str, WorkerReading]:
        return {}


class Operator:
    """What ``Runtime.run`` puts together, between stand-ins."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.client = api, Client(api, name)
        clock = asyncio.get_running_loop().time
        self.lease = Lease(self.client, "op", name, SETTINGS.lease_seconds, clock)
        actor = Actor(self.client, clock, Pace(clock), lambda: self.lease.held)
        self.outbox = actor.outbox
        self.controller = Controller(Restless(api.dice), Silent(), Silent(), actor, 2.0, clock)
        self.pool = parse_pool(bodies.pool(cooldownSeconds=0, scaleInPercent=100))
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        runtime = Runtime(replace(SETTINGS, identity=self.client.name), lambda: None, self.state)  # type: ignore[arg-type, return-value]
        runtime.health.clock = asyncio.get_running_loop().time
        watched = asyncio.Event()
        watched.set()
        work = (runtime._keep_lease(self.lease), self.outbox.run(), self._tick_on_and_on(runtime, watched))
        self.tasks = [asyncio.create_task(coroutine) for coroutine in work]

    async def _tick_on_and_on(self, runtime: Runtime, watched: asyncio.Event) -> None:
        while True:
            await runtime._turn(self.controller, watched)
            await asyncio.sleep(SETTINGS.tick_seconds)

    def state(self) -> ClusterState:
        deployment = DeploymentFacts("worker-gray", "u", "7", self.api.replicas)
        return ClusterState({"gray": self.pool}, {"worker-gray": deployment}, {}, {})

    async def kill(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def story(seed: int) -> Api:
    dice = random.Random(seed)
    api, loop = Api(dice), asyncio.get_running_loop()
    operators = [Operator(api, "first"), Operator(api, "second")]
    for operator in operators:
        operator.start()
    count = len(operators)
    while loop.time() < SECONDS:
        await asyncio.sleep(dice.uniform(1.0, 40.0))
        number = dice.randrange(2)
        match dice.choice(["kill", "partition", "slow", "well"]):
            case "kill":
                await operators[number].kill()
                count += 1
                operators[number] = Operator(api, f"number {count}")
                operators[number].start()
            case "partition":
                operators[number].client.away_until = loop.time() + dice.uniform(1.0, 60.0)
            case "slow":
                operators[number].client.slow = True
            case _:
                operators[number].client.slow = False
    for operator in operators:
        await operator.kill()
    return api


def holder_at(api: Api, at: float) -> str:
    return next((name for since, name in reversed(api.took_over) if since <= at), "nobody")


@pytest.mark.parametrize("first", range(0, STORIES, STORIES_PER_TEST))
def test_no_write_reaches_the_api_server_after_another_operator_took_over(first: int) -> None:
    changes = writes = 0
    for seed in range(first, first + STORIES_PER_TEST):
        api = virtual_time.run(story(seed))
        late = [(at, name, holder_at(api, at)) for at, name in api.written if holder_at(api, at) != name]
        assert late == [], f"seed {seed}"
        changes, writes = changes + len(api.took_over), writes + len(api.written)
    assert changes > STORIES_PER_TEST, "the lease changes hands"
    assert writes > 10 * STORIES_PER_TEST, "and they do write"
