"""Whole ticks against stand-ins that remember what was written."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from tests.cluster import bodies

from imagemill_operator.actor import FIRST_TO_GO, Actor
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.depth import BrokerReading, LiveReading, QueueKind, QueueName, QueueReading
from imagemill_operator.exposition import PoolCollector
from imagemill_operator.facts import DeploymentFacts, PodFacts
from imagemill_operator.kube import KubeError
from imagemill_operator.pools import parse_pool
from imagemill_operator.workers import WorkerReading

QUEUE = ("/", "work.gray")


class Cluster:
    """Broker, workers, API server and clock in one."""

    def __init__(self, *pools: bodies.Body, replicas: int = 0, ready: int | None = 0) -> None:
        self.pools = {body["metadata"]["name"]: body for body in pools or (bodies.pool(cooldownSeconds=10),)}
        self.replicas, self.now = replicas, 1_000.0
        self.ready = ready
        self.unacked = 0
        self.busy: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self.kind = QueueKind()
        self.asked_channels: list[bool] = []
        self.autoscaled: dict[str, str] = {}
        self.costs: dict[str, str | None] = {}
        self.statuses: list[tuple[str, Mapping[str, Any]]] = []
        self.events: list[tuple[str, str]] = []
        self.scalings: list[int] = []
        self.refused: int | None = None
        self.retry_after: float | None = None
        self.attempts = 0
        self.leads = True
        self.looks: list[tuple[set[QueueName], bool]] = []
        self.between: list[set[QueueName]] = []
        self.controller = self.new_controller()

    def new_controller(self) -> Controller:
        self.actor = Actor(self, lambda: self.now, may_write=lambda: self.leads)
        return Controller(Broker(self), Workers(self), self.actor, 2.0, lambda: self.now)

    def state(self) -> ClusterState:
        deployment = DeploymentFacts("worker-gray", "u", "7", self.replicas)
        names = [f"p{number}" for number in range(self.replicas)]
        pods = tuple(
            PodFacts(name, f"10.0.0.{name[1:]}", True, False, 0.0, 2.0, None, self.costs.get(name)) for name in names
        )
        parsed = {name: parse_pool(body) for name, body in self.pools.items()}
        return ClusterState(parsed, {"worker-gray": deployment}, {"worker-gray": pods}, self.autoscaled)

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


class Broker:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def read(
        self, queues: Collection[QueueName], *, asleep: Collection[QueueName], with_acks: bool, with_channels: bool
    ) -> BrokerReading:
        self.cluster.asked_channels.append(with_channels)
        self.cluster.looks.append((set(asleep), with_acks))
        if self.cluster.ready is None:
            return BrokerReading(errors=["the broker is away"])
        return BrokerReading(
            queues={QUEUE: QueueReading(self.cluster.ready, self.cluster.unacked)},
            kinds={QUEUE: self.cluster.kind},
            held=dict(self.cluster.held) if with_channels else {},
            live={queue: LiveReading(self.cluster.ready) for queue in asleep if queue == QUEUE},
        )

    async def any_waiting(self, queues: Collection[QueueName]) -> bool:
        self.cluster.between.append(set(queues))
        return bool(self.cluster.ready)


class Workers:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def read(self, urls: Mapping[str, str], now: float) -> Mapping[str, WorkerReading]:
        return {pod: WorkerReading(now, busy, 1.0, 0.0, 0.0) for pod, busy in self.cluster.busy.items() if pod in urls}


def test_a_burst_wakes_the_pool_in_one_tick_and_says_why() -> None:
    cluster = Cluster()
    cluster.ready = 75
    cluster.tick()
    assert cluster.scalings == [8]
    assert ("Normal", "ScaledOut") in cluster.events
    assert cluster.status["reason"] == "75 waiting, no worker ready: 75 each, objective 10 each, so 8 start."
    assert cluster.status["lastScaleTime"]


def test_only_sleeping_pools_are_looked_at_live() -> None:
    cluster = Cluster()
    cluster.tick()
    cluster.replicas, cluster.ready = 1, 5
    cluster.tick(9)
    assert cluster.looks[1][0] == {QUEUE}, "the metrics may be from before it was woken"
    assert cluster.looks[-1][0] == set()


def test_between_ticks_a_first_message_to_a_sleeping_pool_is_noticed() -> None:
    cluster = Cluster()
    cluster.tick()
    assert not cluster.has_new_messages()
    cluster.ready = 1
    assert cluster.has_new_messages()
    assert cluster.between == [{QUEUE}] * 2


def test_between_ticks_nobody_asks_for_pools_that_run_or_whose_messages_are_known() -> None:
    for cluster in (Cluster(replicas=1), Cluster(bodies.pool(mode="Advise"), ready=3), Cluster(ready=None)):
        cluster.tick()
        cluster.ready = 5
        assert not cluster.has_new_messages()
        assert cluster.between == []


def test_an_operator_that_just_started_looks_live_at_every_pool_for_a_while() -> None:
    cluster = Cluster(replicas=5)
    cluster.tick(9)
    assert cluster.looks[0][0] == {QUEUE}, "the one before may have woken it, and the metrics be from before that"
    assert cluster.looks[-1][0] == set()


def test_acknowledgements_are_read_for_foreign_consumers_only() -> None:
    Cluster().tick()
    own = Cluster(bodies.pool(workerMetrics={"port": 9100}))
    own.tick()
    assert [with_acks for _, with_acks in own.looks] == [False]


def test_a_quiet_pool_writes_nothing_twice() -> None:
    cluster = Cluster()
    cluster.tick(20)
    assert len(cluster.statuses) <= 2, "the second tells that nothing arrives"
    assert cluster.events == []


def test_a_broker_that_does_not_answer_scales_nothing_in() -> None:
    cluster = Cluster(replicas=5)
    cluster.tick()
    cluster.ready = None
    cluster.tick(30)
    assert cluster.scalings == []
    assert cluster.condition("BrokerReachable") == "False"
    assert cluster.condition("Ready") == "Unknown"
    assert "does not tell queue work.gray, which is unknown" in cluster.status["reason"]
    assert cluster.events.count(("Warning", "BrokerUnreachable")) == 1


def test_a_queue_that_nobody_has_declared_yet_does_not_hide_the_messages_of_another() -> None:
    cluster = Cluster(bodies.pool(queues=["work.gray", "declared.by.the.consumer"]))
    cluster.ready = 75
    cluster.tick()
    assert cluster.scalings == [8]
    assert "the broker does not tell queue declared.by.the.consumer" in cluster.status["reason"]
    assert cluster.condition("BrokerReachable") == "False"
    cluster.ready = 0
    cluster.tick(30)
    assert cluster.scalings == [8], "what is not known may need them"


def test_idle_pods_are_marked_before_replicas_are_given_up() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}, cooldownSeconds=4, backlogPerReplica=1), replicas=4)
    cluster.busy = {"p0": 1, "p1": 0, "p2": 1, "p3": 0}
    cluster.unacked = 2
    while not cluster.scalings:
        cluster.tick()
    assert cluster.scalings == [2]
    assert {pod for pod, cost in cluster.costs.items() if cost == FIRST_TO_GO} == {"p1", "p3"}


def test_idle_pods_of_any_consumer_go_first_as_far_as_the_broker_knows_them() -> None:
    """The pods tell nothing; p1 and p3 have fetched no message, and p0 has fetched two."""
    cluster = Cluster(bodies.pool(cooldownSeconds=4, backlogPerReplica=1), replicas=4)
    cluster.held = {"10.0.0.0": 2, "10.0.0.1": 0, "10.0.0.2": 1, "10.0.0.3": 0, "10.0.0.200": 7}
    cluster.unacked = 3
    cluster.tick()
    cluster.unacked = 1
    while not cluster.scalings:
        cluster.tick()
    assert cluster.scalings == [2]
    assert {pod for pod, cost in cluster.costs.items() if cost == FIRST_TO_GO} == {"p1", "p3"}


def test_channels_are_asked_for_only_while_there_are_too_many_replicas() -> None:
    cluster = Cluster(replicas=2)
    cluster.ready = 20
    cluster.tick(3)
    assert cluster.asked_channels == [False] * 3
    cluster.ready = 5
    cluster.tick(2)
    assert cluster.asked_channels[-1]
    own = Cluster(bodies.pool(workerMetrics={"port": 9100}), replicas=2)
    own.tick(3)
    assert own.asked_channels == [False] * 3


def test_a_mark_that_is_not_needed_any_more_is_taken_away() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}), replicas=2)
    cluster.costs = {"p0": FIRST_TO_GO}
    cluster.ready = 15
    cluster.tick()
    assert cluster.costs == {"p0": None}


def test_a_paused_pool_and_an_advising_one_only_tell() -> None:
    paused = bodies.pool()
    paused["metadata"]["annotations"] = {"imagemill.dev/pause": "true"}
    for body in (paused, bodies.pool(mode="Advise")):
        cluster = Cluster(body)
        cluster.ready = 75
        cluster.tick(3)
        assert cluster.scalings == []
        assert cluster.status["desiredReplicas"] == 8


def test_beside_an_autoscaler_a_pool_may_tell_what_it_would_do() -> None:
    cluster = Cluster(bodies.pool(mode="Advise"))
    cluster.ready, cluster.autoscaled = 75, {"worker-gray": "hpa"}
    cluster.tick(2)
    assert (cluster.scalings, cluster.status["desiredReplicas"]) == ([], 8)
    assert cluster.condition("TargetConflict") == "False"


def test_a_target_with_an_autoscaler_is_left_alone_until_that_is_gone() -> None:
    cluster = Cluster()
    cluster.ready, cluster.autoscaled = 75, {"worker-gray": "hpa"}
    cluster.tick(2)
    assert cluster.scalings == []
    assert cluster.condition("TargetConflict") == "True"
    cluster.autoscaled = {}
    cluster.tick()
    assert cluster.scalings == [8]
    assert cluster.condition("TargetConflict") == "False"


def test_a_stream_is_refused_with_a_sentence() -> None:
    cluster = Cluster()
    cluster.ready, cluster.kind = 500, QueueKind(is_stream=True)
    cluster.tick(2)
    assert cluster.scalings == []
    assert (cluster.condition("Ready"), cluster.status["limit"]) == ("False", "refused")
    assert cluster.status["reason"].startswith("Queue work.gray is a stream")


def test_a_single_active_consumer_gets_a_single_replica() -> None:
    cluster = Cluster()
    cluster.ready, cluster.kind = 500, QueueKind(has_single_consumer=True)
    cluster.tick(2)
    assert (cluster.scalings, cluster.status["limit"]) == ([1], "single")
    assert "each queue serves a single active consumer" in cluster.status["reason"]


def test_a_conflict_is_tried_again_with_the_next_tick() -> None:
    cluster = Cluster()
    cluster.ready, cluster.refused = 75, 409
    cluster.tick()
    assert cluster.scalings == []
    assert ("Normal", "ScaledOut") not in cluster.events
    cluster.refused = None
    cluster.tick()
    assert cluster.scalings == [8]


def test_a_write_that_is_refused_again_and_again_is_told() -> None:
    cluster = Cluster()
    cluster.ready, cluster.refused = 75, 403
    cluster.tick(2)
    assert (cluster.condition("Writable"), cluster.condition("Ready")) == ("True", "True")
    cluster.tick(20)
    assert (cluster.condition("Writable"), cluster.condition("Ready")) == ("False", "False")
    told = next(item["message"] for item in cluster.status["conditions"] if item["type"] == "Writable")
    assert told.endswith("Let the operator's Role patch deployments/scale of worker-gray.")
    assert cluster.events.count(("Warning", "WriteRefused")) == 1
    assert cluster.actor.write_errors == {("scale", "403"): 22}
    cluster.refused = None
    cluster.tick()
    assert (cluster.condition("Writable"), cluster.condition("Ready")) == ("True", "True")
    assert ("Normal", "WriteAccepted") in cluster.events


def test_a_write_that_was_refused_is_tried_again_although_nothing_is_to_be_changed() -> None:
    cluster = Cluster()
    cluster.ready, cluster.refused = 75, 403
    cluster.tick(5)
    assert cluster.condition("Writable") == "False"
    cluster.ready = 0
    cluster.tick(20)
    assert cluster.condition("Writable") == "False"
    cluster.refused = None
    cluster.tick(16)
    assert (cluster.condition("Writable"), cluster.scalings) == ("True", [])


def test_refused_writes_are_counted_in_the_metrics() -> None:
    collector = PoolCollector(dict, dict, dict, lambda: {("scale", "403"): 22})
    (family,) = (family for family in collector.collect() if family.name == "imagemill_operator_write_errors")
    (sample,) = family.samples
    assert sample.name == "imagemill_operator_write_errors_total"
    assert (sample.labels, sample.value) == ({"verb": "scale", "code": "403"}, 22.0)


def test_a_step_that_was_refused_is_not_waited_for() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=0), replicas=8)
    cluster.refused = 409
    cluster.tick(10)
    assert {status["desiredReplicas"] for _, status in cluster.statuses} == {4}
    assert len(cluster.statuses) <= 4, "one tells that it is refused"


def test_an_operator_that_is_restarted_in_mid_burst_goes_on() -> None:
    cluster = Cluster()
    cluster.ready = 75
    cluster.tick()
    cluster.ready = 5
    cluster.controller = cluster.new_controller()
    cluster.pools["gray"]["status"] = dict(cluster.status)
    cluster.tick(3)
    assert cluster.scalings == [8]


def test_the_state_tells_refused_pools_too() -> None:
    cluster = Cluster(bodies.pool(), bodies.pool("blue"))
    cluster.tick()
    states = cluster.controller.states
    assert states["blue"]["limit"] == "refused"
    assert "There is no Deployment worker-blue" in states["blue"]["reason"]
    assert states["gray"]["backlog"] == {"ready": 0, "unacked": 0}
    assert len(cluster.controller.history("gray")) == 1


def test_a_pause_that_the_api_server_asks_for_is_kept() -> None:
    cluster = Cluster()
    cluster.ready, cluster.refused, cluster.retry_after = 75, 429, 7.0
    cluster.tick()
    cluster.refused = None
    cluster.tick(3)
    assert (cluster.attempts, cluster.statuses) == (1, []), "6 s later"
    cluster.tick()
    assert cluster.scalings == [8]
    assert cluster.status["desiredReplicas"] == 8


def test_without_the_lease_nothing_is_written() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}, cooldownSeconds=0), replicas=4)
    cluster.busy = {f"p{number}": 0 for number in range(4)}
    cluster.leads = False
    cluster.tick(5)
    assert (cluster.scalings, cluster.costs, cluster.statuses, cluster.events) == ([], {}, [], [])
    cluster.leads = True
    cluster.tick()
    assert cluster.scalings == [2]


def test_a_status_that_is_not_taken_holds_up_no_decision_and_the_last_one_is_written() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=0))

    async def ticks() -> None:
        written = asyncio.create_task(cluster.actor.outbox.run())
        hang = asyncio.Event()
        write_status = cluster.write_status

        async def slow(pool: str, status: Mapping[str, Any]) -> None:
            await hang.wait()
            await write_status(pool, status)

        cluster.write_status = slow  # type: ignore[method-assign]
        for ready in (15, 35, 75):
            cluster.ready, cluster.now = ready, cluster.now + 2.0
            await asyncio.wait_for(cluster.controller.tick(cluster.state()), 30)
            await asyncio.sleep(0)
        assert cluster.scalings == [2, 4, 8]
        hang.set()
        while not cluster.statuses or cluster.status["desiredReplicas"] != 8:
            await asyncio.sleep(0)
        written.cancel()

    asyncio.run(ticks())
    assert [status["desiredReplicas"] for _, status in cluster.statuses] == [2, 8]


def test_after_standing_by_it_goes_on_from_what_the_other_operator_wrote() -> None:
    cluster = Cluster()
    cluster.ready = 75
    cluster.tick()
    cluster.controller.stand_by()
    assert cluster.controller.states == {}
    learned = {**cluster.status, "memory": {**cluster.status["memory"], "start_seconds": 77.0}}
    cluster.pools["gray"]["status"] = learned
    cluster.replicas = 0
    cluster.tick()
    assert cluster.scalings == [8, 8]
    assert cluster.controller.states["gray"]["start_seconds"] == 77.0
