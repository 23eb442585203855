"""Whole ticks against stand-ins that remember what was written."""

from tests.cluster import bodies
from tests.cluster.stand_ins import QUEUE, Cluster

from imagemill_operator.depth import BrokerProblem, QueueKind
from imagemill_operator.pools import parse_pool, shared_queues


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


def test_the_state_tells_refused_pools_too() -> None:
    cluster = Cluster(bodies.pool(), bodies.pool("blue"))
    cluster.tick()
    states = cluster.controller.states
    assert states["blue"]["limit"] == "refused"
    assert "There is no Deployment worker-blue" in states["blue"]["reason"]
    assert states["gray"]["backlog"] == {"ready": 0, "unacked": 0}
    assert len(cluster.controller.history("gray")) == 1


OFFICE = {"start": "0 0 * * *", "end": "30 0 * * *", "minReplicas": 3}
"""The stand-ins' clock begins at 00:16 UTC."""


def test_a_schedule_raises_the_minimum_and_lowers_it_when_it_ends() -> None:
    cluster = Cluster(bodies.pool(schedules=[OFFICE], cooldownSeconds=0))
    cluster.tick()
    assert cluster.scalings == [3]
    assert "3 is the minimum by schedule, until 30 0 * * * (UTC)" in cluster.status["reason"]
    assert cluster.condition("SchedulesValid") == "True"
    cluster.now += 15 * 60
    cluster.tick(10)
    assert cluster.replicas == 0


def test_a_schedule_that_cannot_be_meant_is_told_and_the_queue_scales_all_the_same() -> None:
    cluster = Cluster(bodies.pool(schedules=[{**OFFICE, "timezone": "Mars/Olympus"}, OFFICE]), ready=75)
    cluster.tick(2)
    assert cluster.scalings == [8]
    assert cluster.condition("SchedulesValid") == "False"
    message = next(item["message"] for item in cluster.status["conditions"] if item["type"] == "SchedulesValid")
    assert message == "'Mars/Olympus' is no time zone: name one like Europe/Berlin. That schedule does not count."
    assert cluster.events.count(("Warning", "InvalidSchedule")) == 1


def test_scale_in_is_paused_by_an_annotation() -> None:
    body = bodies.pool(cooldownSeconds=0)
    body["metadata"]["annotations"] = {"imagemill.dev/pause-scale-in": "true"}
    cluster = Cluster(body, replicas=5)
    cluster.tick(20)
    assert cluster.scalings == []
    assert cluster.status["limit"] == "paused"
    ready = next(item for item in cluster.status["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["message"]) == ("True", "The replicas follow the queues. Scale-in is paused.")
    del body["metadata"]["annotations"]
    cluster.tick(20)
    assert cluster.replicas == 0


def test_scale_out_is_paused_by_an_annotation() -> None:
    body = bodies.pool()
    body["metadata"]["annotations"] = {"imagemill.dev/pause-scale-out": "true"}
    cluster = Cluster(body, replicas=1, ready=75)
    cluster.tick(3)
    assert cluster.scalings == []
    assert "8 are needed but scale-out is paused" in cluster.status["reason"]


def test_hosts_of_messages_are_not_asked_for_while_nothing_may_go() -> None:
    paused = bodies.pool(cooldownSeconds=0)
    paused["metadata"]["annotations"] = {"imagemill.dev/pause-scale-in": "true"}
    for cluster in (Cluster(paused, replicas=2), Cluster(bodies.pool(minReplicas=2), replicas=2)):
        cluster.tick(3)
        assert not any(cluster.asked_channels)


def test_a_broker_that_cannot_be_asked_is_a_condition_of_its_pools_alone() -> None:
    far = bodies.pool("far", deployment="worker-gray", mode="Advise", brokerRef={"secretName": "rabbit"})
    cluster = Cluster(bodies.pool(), far, ready=75)
    cluster.broker_problems["rabbit"] = BrokerProblem("SecretMissing", "There is no Secret rabbit.")
    cluster.tick(2)
    assert cluster.scalings == [8]
    told = {name: {item["type"]: item for item in status["conditions"]} for name, status in cluster.statuses}
    assert "BrokerConfigured" not in told["gray"]
    assert (told["gray"]["Ready"]["status"], told["far"]["Ready"]["status"]) == ("True", "Unknown")
    assert told["far"]["BrokerConfigured"]["message"] == "There is no Secret rabbit."
    assert cluster.events.count(("Warning", "BrokerNotConfigured")) == 1


def test_a_broker_that_can_be_asked_again_is_told_too() -> None:
    cluster = Cluster(bodies.pool(brokerRef={"secretName": "rabbit"}), replicas=2, ready=75)
    cluster.broker_problems["rabbit"] = BrokerProblem("SecretMissing", "There is no Secret rabbit.")
    cluster.tick(10)
    assert cluster.scalings == []
    cluster.broker_problems.clear()
    cluster.tick()
    assert cluster.scalings == [8]
    assert cluster.condition("BrokerConfigured") == "True"


def test_queues_of_the_same_name_on_two_brokers_are_not_shared() -> None:
    far = bodies.pool("far", queues=["work.gray"], brokerRef={"secretName": "rabbit"})
    pools = {body["metadata"]["name"]: parse_pool(body) for body in (bodies.pool(), far)}
    assert shared_queues(pools) == {}
