"""What is written of a tick: replicas, marks, statuses and Events, and what happens when it is refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.cluster import bodies
from tests.cluster.stand_ins import Cluster

from imagemill_operator.actor import FIRST_TO_GO
from imagemill_operator.exposition import PoolCollector


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
    cluster.held = {"10.0.0.0": 2, "10.0.0.1": 0, "10.0.0.2": 1, "10.0.0.3": 0}
    cluster.unacked = 3
    cluster.tick()
    cluster.unacked = 1
    while not cluster.scalings:
        cluster.tick()
    assert cluster.scalings == [2]
    assert {pod for pod, cost in cluster.costs.items() if cost == FIRST_TO_GO} == {"p1", "p3"}


def test_pods_are_not_told_apart_when_the_channels_are_not_told_and_that_is_said() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=4, backlogPerReplica=1), replicas=4)
    cluster.channels_problem = "The management API does not let its user list channels (401)."
    cluster.unacked = 2
    while not cluster.scalings:
        cluster.tick()
    assert cluster.scalings == [2], "one stays for each message in work"
    assert not any(cluster.costs.values())
    cluster.tick(6)
    told = next(item for item in cluster.status["conditions"] if item["type"] == "IdlePodsKnown")
    assert (told["status"], told["reason"]) == ("False", "BrokerDoesNotTell")
    assert told["message"].startswith("The management API does not let its user list channels (401). So for each")


def test_a_pod_that_starts_and_does_not_tell_yet_does_not_make_the_others_unknown() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}, minReplicas=1), replicas=3)
    cluster.channels_problem = "The operator has no address of the management API."
    cluster.busy = {"p0": 1, "p1": 1}
    cluster.tick(3)
    assert any(cluster.asked_channels), "p2 does not tell"
    assert cluster.condition("IdlePodsKnown") == "True"


def test_a_busy_pod_that_is_not_ready_any_more_is_asked_and_nobody_goes_while_it_would_be_first() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}, cooldownSeconds=4, backlogPerReplica=1), replicas=3)
    cluster.lost = {"p0"}
    cluster.busy = {"p0": 1, "p1": 0, "p2": 0}
    cluster.tick(20)
    assert (cluster.scalings, cluster.status["limit"]) == ([], "busy")
    assert cluster.status["busyReplicas"] == 1
    cluster.busy["p0"] = 0
    cluster.tick(20)
    assert cluster.replicas == 0


def test_messages_behind_a_proxy_keep_pods_and_mark_none_of_them() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=4, backlogPerReplica=1), replicas=4)
    cluster.held = {"10.0.0.0": 0, "10.0.0.1": 0, "192.0.2.7": 2}
    cluster.unacked = 2
    while not cluster.scalings:
        cluster.tick()
    assert cluster.scalings == [2]
    assert {pod for pod, cost in cluster.costs.items() if cost == FIRST_TO_GO} == {"p0", "p1"}


def test_pods_that_never_consume_do_not_keep_a_pool_for_ever() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=4, backlogPerReplica=1), replicas=4)
    cluster.held = {"10.0.0.2": 1, "10.0.0.3": 0}
    cluster.unacked = 1
    cluster.tick(40)
    assert cluster.replicas == 3, "p2 works, and p0 and p1 may"
    cluster.held["10.0.0.2"] = cluster.unacked = 0
    cluster.tick(40)
    assert cluster.replicas == 0


def test_a_consumer_whose_channel_never_tells_keeps_no_pod_for_ever_once_nothing_is_in_work() -> None:
    cluster = Cluster(bodies.pool(cooldownSeconds=4, backlogPerReplica=1), replicas=2)
    cluster.held = {"10.0.0.0": 0, "10.0.0.1": 0, "": None}
    cluster.unacked = 1
    cluster.tick(40)
    assert cluster.replicas == 1, "it may hold that message"
    cluster.unacked = 0
    cluster.tick(40)
    assert cluster.replicas == 0


def test_channels_are_asked_for_only_while_there_are_too_many_replicas() -> None:
    cluster = Cluster(replicas=2)
    cluster.ready = 20
    cluster.tick(3)
    assert cluster.asked_channels == [False] * 3
    cluster.ready = 5
    cluster.tick(2)
    assert cluster.asked_channels[-1]
    own = Cluster(bodies.pool(workerMetrics={"port": 9100}), replicas=2)
    own.busy = {"p0": 0, "p1": 0}
    own.tick(3)
    assert own.asked_channels == [False] * 3
    del own.busy["p1"]
    own.tick(2)
    assert own.asked_channels[-1], "one does not tell itself"


def test_a_mark_that_is_not_needed_any_more_is_taken_away() -> None:
    cluster = Cluster(bodies.pool(workerMetrics={"port": 9100}), replicas=2)
    cluster.costs = {"p0": FIRST_TO_GO}
    cluster.ready = 15
    cluster.tick()
    assert cluster.costs == {"p0": None}


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
