"""Triggers become queues and an objective, where the meaning allows it."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.convert.manifests import converted, lost, noted, pool_spec, scaled_object, trigger

from imagemill_operator.convert import Hints, convert
from imagemill_operator.policy import Backlog, Memory, Observation, decide
from imagemill_operator.pools import parse_spec

RATE = {"mode": "MessageRate", "value": "5"}
TIME = {"mode": "ExpectedQueueConsumptionTime", "value": "30"}


def test_the_queue_length_becomes_the_backlog_per_replica() -> None:
    found = converted(trigger(value="12.5"))
    assert found.is_complete
    assert pool_spec(found) | {"queues": ["resize"], "vhost": "/", "backlogPerReplica": 12.5} == pool_spec(found)
    assert "maxWaitSeconds in its place" in noted(found)


@pytest.mark.parametrize(
    ("metadata", "per_replica"),
    [
        ({"mode": None, "value": None}, 20),
        ({"mode": "Unknown", "value": "0"}, 20),
        ({"mode": None, "value": None, "queueLength": "7"}, 7),
        ({"value": 30}, 30),
    ],
)
def test_defaults_and_the_old_name_of_the_value_are_keda_s(metadata: dict[str, Any], per_replica: int) -> None:
    assert pool_spec(converted(trigger(**metadata)))["backlogPerReplica"] == per_replica


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"mode": None}, "add mode: QueueLength"),
        ({"queueLength": "5"}, "take out queueLength"),
        ({"value": None}, "must be greater than 0"),
        ({"value": "many"}, "must be a number"),
        ({"value": "inf"}, "must be a number"),
        ({"mode": "Length"}, "must be one of QueueLength"),
        ({"protocol": "stomp"}, "amqp, http or auto"),
        ({"queueName": None}, "name the queue"),
        ({"queueName": "q" * 256}, "at most 255"),
        ({"host": None}, "neither host nor hostFromEnv"),
        ({"useRegex": "perhaps"}, "must be true or false"),
        ({"queueName": ["a"]}, "must be a text"),
    ],
)
def test_a_trigger_that_keda_would_refuse_is_refused_with_advice(metadata: dict[str, Any], words: str) -> None:
    found = converted(trigger(**metadata))
    assert found.pools == ()
    assert words in lost(found)


def test_several_queues_are_added_up_and_that_is_said() -> None:
    found = converted(trigger("a"), trigger("b"))
    assert pool_spec(found)["queues"] == ["a", "b"]
    assert pool_spec(found)["backlogPerReplica"] == 20
    assert "a pool adds the backlogs up" in noted(found)
    assert found.is_complete


def test_of_several_values_the_smallest_never_asks_for_fewer_replicas() -> None:
    found = converted(trigger("a", value="50"), trigger("b", value="10"))
    assert pool_spec(found)["backlogPerReplica"] == 10
    assert "(10, 50)" in noted(found)


def test_more_queues_than_a_pool_may_have_are_refused() -> None:
    found = converted(*(trigger(f"q{index}") for index in range(33)))
    assert found.pools == ()
    assert "at most 32" in lost(found)


def test_a_regular_expression_is_refused_because_a_queue_left_out_would_wait_for_ever() -> None:
    found = converted(trigger("a"), trigger("^b.*", useRegex="true", operation="max"))
    assert found.pools == ()
    assert "regular expression ^b.*, and takes their max" in lost(found)
    assert "one for each queue" in lost(found)


@pytest.mark.parametrize(
    ("metadata", "vhost"),
    [
        ({"host": "http://rabbit:15672"}, "/"),
        ({"host": "http://rabbit:15672/path/jobs"}, "jobs"),
        ({"host": "https://rabbit/%2Fjobs"}, "/jobs"),
        ({"host": "amqp://rabbit:5672/jobs"}, "jobs"),
        ({"host": "amqps://rabbit/%2f"}, "/"),
        ({"host": "amqp://rabbit/jobs", "vhostName": "other"}, "other"),
        ({"host": None, "hostFromEnv": "RABBIT", "vhostName": "jobs"}, "jobs"),
    ],
)
def test_the_virtual_host_is_that_of_the_trigger_or_its_address(metadata: dict[str, Any], vhost: str) -> None:
    found = converted(trigger(**metadata))
    assert pool_spec(found)["vhost"] == vhost
    assert "is assumed" not in noted(found)


def test_a_virtual_host_nobody_tells_is_assumed_and_said() -> None:
    hidden = trigger(host=None, hostFromEnv="RABBIT")
    assert pool_spec(converted(hidden))["vhost"] == "/"
    assert "/ is assumed" in noted(converted(hidden))


def test_a_virtual_host_nobody_tells_can_be_given() -> None:
    found = converted(trigger(host=None, hostFromEnv="RABBIT"), hints=Hints(vhost="jobs"))
    assert pool_spec(found)["vhost"] == "jobs"
    assert "is assumed" not in noted(found)


def test_queues_of_two_virtual_hosts_are_refused() -> None:
    found = converted(trigger("a", vhostName="x"), trigger("b", vhostName="y"))
    assert found.pools == ()
    assert "(x, y)" in lost(found)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), min_size=1, max_size=4))
def test_messages_that_wait_never_get_fewer_replicas_than_from_keda(queues: list[tuple[int, int]]) -> None:
    triggers = [trigger(f"q{index}", value=str(value)) for index, (_, value) in enumerate(queues)]
    spec = parse_spec(pool_spec(converted(*triggers, maxReplicaCount=10_000)))
    waiting = Backlog(sum(ready for ready, _ in queues))
    asked_by_keda = max(math.ceil(ready / value) for ready, value in queues)
    assert decide(Observation(0.0, waiting, 0, 0), spec, Memory()).needed_replicas >= asked_by_keda


def test_a_prefetch_asks_for_no_replicas() -> None:
    assert "prefetch" in noted(converted())


@pytest.mark.parametrize("metadata", [{"host": "amqp://rabbit/"}, {"excludeUnacknowledged": "true"}])
def test_messages_in_work_count_where_keda_did_not_count_them(metadata: dict[str, Any]) -> None:
    assert "KEDA counted only messages that wait" in noted(converted(trigger(**metadata)))
    assert "KEDA counted only" not in noted(converted())


def test_an_address_nobody_knows_may_have_been_amqp() -> None:
    assert "begins with amqp, KEDA counted only" in noted(converted(trigger(host=None, hostFromEnv="RABBIT")))


def test_a_value_below_one_is_bounded_by_the_messages() -> None:
    assert "never has more replicas than there are messages" in noted(converted(trigger(value="0.5")))


@pytest.mark.parametrize(("activation", "backlog"), [("0", None), ("10", 11), ("10.5", 11), ("0.5", None)])
def test_a_pool_starts_from_the_first_message_above_keda_s_activation(activation: str, backlog: int | None) -> None:
    assert pool_spec(converted(trigger(activationValue=activation))).get("activationBacklog") == backlog


def test_activation_means_nothing_to_a_pool_that_is_never_scaled_to_zero() -> None:
    found = converted(trigger(activationValue="10"), minReplicaCount=1)
    assert "activationBacklog" not in pool_spec(found)
    assert "back to zero" not in noted(found)


@pytest.mark.parametrize(
    "fields",
    [
        RATE,
        {"mode": "PublishedToDeliveredRatio", "value": "1.1"},
        TIME,
        {"metricType": "Value"},
    ],
)
def test_an_objective_without_equivalent_is_refused_with_the_way_out(fields: dict[str, Any]) -> None:
    found = converted(trigger(**fields))
    assert found.pools == ()
    assert "--max-wait-seconds" in lost(found)
    assert pool_spec(converted(trigger(**fields), hints=Hints(max_wait_seconds=20)))["maxWaitSeconds"] == 20


def test_a_wait_that_is_asked_for_takes_the_place_of_the_values() -> None:
    found = converted(trigger(value="7"), hints=Hints(max_wait_seconds=2.5))
    assert pool_spec(found)["maxWaitSeconds"] == 2.5
    assert "backlogPerReplica" not in pool_spec(found)
    assert "in place of KEDA's QueueLength 7" in noted(found)


def test_the_expected_time_of_consumption_becomes_the_longest_wait() -> None:
    found = converted(trigger(**TIME, metricType="Value"))
    assert pool_spec(found)["maxWaitSeconds"] == 30
    assert "half of it" in noted(found)


def test_an_activation_in_seconds_is_lost() -> None:
    found = converted(trigger(**TIME, metricType="Value", activationValue="5"))
    assert "activationBacklog" in lost(found)


def test_a_rate_beside_a_length_is_left_out_and_its_queue_counts() -> None:
    found = converted(trigger("a"), trigger("b", **RATE))
    assert pool_spec(found)["queues"] == ["a", "b"]
    assert "spec.triggers[1] (MessageRate, AverageValue)" in lost(found)
    assert "Its queue counts by its backlog." in lost(found)


def test_a_rate_beside_a_wait_is_covered_by_it() -> None:
    found = converted(trigger("a", **TIME, metricType="Value"), trigger("b", **RATE))
    assert pool_spec(found)["queues"] == ["a", "b"]
    assert "measures that itself" in noted(found)
    assert found.is_complete


def test_two_triggers_of_one_queue_name_it_once() -> None:
    assert pool_spec(converted(trigger("a"), trigger("a", **RATE)))["queues"] == ["a"]


def test_the_rate_of_delivery_is_no_demand() -> None:
    delivery = trigger("b", mode="DeliverGetRate", value="5")
    assert pool_spec(converted(trigger("a"), delivery))["queues"] == ["a"]
    assert "no demand for consumers" in lost(converted(trigger("a"), delivery))
    assert converted(delivery).pools == ()


@pytest.mark.parametrize("kind", ["cpu", "memory", "prometheus"])
def test_other_triggers_are_left_out_and_named(kind: str) -> None:
    found = convert([scaled_object(trigger(), {"type": kind, "metadata": {}})])
    assert len(found.pools) == 1
    assert f"spec.triggers[1] ({kind}) is left out" in lost(found)


def test_without_rabbitmq_there_is_no_pool() -> None:
    found = convert([scaled_object({"type": "kafka", "metadata": {}})])
    assert found.pools == ()
    assert "no rabbitmq trigger (kafka)" in lost(found)


SUM = {"formula": "a + b", "target": "10", "activationTarget": "3"}


def test_a_formula_that_adds_the_queues_up_is_what_a_pool_does() -> None:
    found = converted(trigger("x", name="a"), trigger("y", name="b"), advanced={"scalingModifiers": SUM})
    spec = pool_spec(found)
    assert (spec["queues"], spec["backlogPerReplica"], spec["activationBacklog"]) == (["x", "y"], 10, 4)
    assert found.is_complete


@pytest.mark.parametrize(
    "change", [{"formula": "a * 2 + b"}, {"formula": "a"}, {"metricType": "Value"}, {"target": "0"}]
)
def test_any_other_formula_is_refused(change: dict[str, Any]) -> None:
    modifiers = {"scalingModifiers": {**SUM, **change}}
    found = converted(trigger("x", name="a"), trigger("y", name="b"), advanced=modifiers)
    assert found.pools == ()
    assert "can only add up" in lost(found)


def test_a_formula_that_counts_a_queue_twice_is_refused() -> None:
    found = converted(trigger("x", name="a"), trigger("x", name="b"), advanced={"scalingModifiers": SUM})
    assert found.pools == ()


def test_a_wait_takes_the_place_of_a_formula() -> None:
    modifiers = {"scalingModifiers": {**SUM, "formula": "a * 2"}}
    found = converted(trigger("x", name="a"), advanced=modifiers, hints=Hints(max_wait_seconds=9))
    assert pool_spec(found)["maxWaitSeconds"] == 9
    assert "activationBacklog" not in pool_spec(found)
    assert "in place of KEDA's a * 2" in noted(found)
    assert "activationTarget" in lost(found)


def test_a_switch_that_turns_checks_off_is_lost() -> None:
    assert "SSL_CERT_FILE" in lost(converted(trigger(unsafeSsl="true")))


def test_fields_that_only_look_like_keda_s_are_named() -> None:
    found = converted(trigger(timeout="500", password="p", queuename="typo", passwordFromEnv="P", usernameFromEnv="U"))
    assert "does not read: password, queuename." in noted(found)
    assert "IMAGEMILL_REQUEST_TIMEOUT_SECONDS" in noted(found)
    assert "scheme://user:password@host" in noted(found)
