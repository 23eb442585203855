"""Whole documents become pools that the API server and the operator take."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.convert.crd_schema import violations
from tests.convert.manifests import authentication, converted, lost, noted, pool_spec, scaled_object, trigger

from imagemill_operator.convert import Hints, NoManifestError, convert
from imagemill_operator.pools import parse_pool

EVERYTHING = scaled_object(
    trigger("a", activationValue="5"),
    trigger("b", value="7.5"),
    annotations={"autoscaling.keda.sh/paused": "true"},
    minReplicaCount=0,
    maxReplicaCount=30,
    cooldownPeriod=60,
    fallback={"failureThreshold": 3, "replicas": 50},
    advanced={
        "horizontalPodAutoscalerConfig": {
            "behavior": {"scaleDown": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}}
        }
    },
)


def with_target(**target: Any) -> dict[str, Any]:
    return scaled_object(scaleTargetRef={"name": "worker", **target})


def test_every_field_is_taken_over_at_once() -> None:
    (pool,) = convert([EVERYTHING]).pools
    assert pool == {
        "apiVersion": "imagemill.dev/v1alpha1",
        "kind": "WorkerPool",
        "metadata": {"name": "resize", "namespace": "jobs", "annotations": {"imagemill.dev/pause": "true"}},
        "spec": {
            "deployment": "worker",
            "queues": ["a", "b"],
            "vhost": "/",
            "backlogPerReplica": 7.5,
            "minReplicas": 0,
            "maxReplicas": 30,
            "cooldownSeconds": 60,
            "scaleInPercent": 1.0,
            "fallback": {"replicas": 30, "afterSeconds": 90},
            "mode": "Advise",
        },
    }


def test_the_schema_and_the_operator_take_it() -> None:
    (pool,) = convert([EVERYTHING]).pools
    assert violations(pool) == []
    assert parse_pool(pool).error is None


def test_the_schema_helper_finds_what_the_api_server_would() -> None:
    (pool,) = convert([EVERYTHING]).pools
    broken = {**pool, "spec": {**pool["spec"], "queues": ["a", "a"], "maxReplicas": 0, "colour": 1, "deployment": ""}}
    del broken["spec"]["fallback"]
    assert len(violations(broken)) == 4


TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from(["true", "0", "20", "1e3", "QueueLength", "amqp://h/v", "Value"])
)
NUMBERS = st.one_of(st.integers(-5, 20_000), st.floats(), TEXTS, st.none())
METADATA = st.fixed_dictionaries(
    {"queueName": TEXTS, "host": TEXTS},
    optional={
        "mode": st.sampled_from(["QueueLength", "MessageRate", "ExpectedQueueConsumptionTime", "DeliverGetRate"]),
        "value": NUMBERS,
        "activationValue": NUMBERS,
        "vhostName": TEXTS,
        "useRegex": TEXTS,
    },
)
TRIGGERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["rabbitmq", "rabbitmq", "cron"]), "metadata": METADATA}, optional={"metricType": TEXTS}
)
SPECS = st.fixed_dictionaries(
    {"scaleTargetRef": st.just({"name": "worker"}), "triggers": st.lists(TRIGGERS, min_size=1, max_size=3)},
    optional={
        "minReplicaCount": NUMBERS,
        "maxReplicaCount": NUMBERS,
        "idleReplicaCount": NUMBERS,
        "cooldownPeriod": NUMBERS,
        "fallback": st.fixed_dictionaries({"failureThreshold": NUMBERS, "replicas": NUMBERS}),
        "advanced": st.fixed_dictionaries(
            {"scalingModifiers": st.dictionaries(st.sampled_from(["formula", "target"]), TEXTS)}
        ),
    },
)


@given(SPECS, st.one_of(st.none(), st.floats(0.1, 100)))
def test_whatever_is_written_becomes_a_valid_pool_or_a_sentence(spec: dict[str, Any], wait: float | None) -> None:
    document = {**scaled_object(), "spec": spec}
    found = convert([document], Hints(max_wait_seconds=wait))
    assert [violations(pool) for pool in found.pools] in ([], [[]])
    assert found.pools or lost(found).endswith(".")


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
)


@given(st.sampled_from(["ScaledObject", "ScaledJob", "TriggerAuthentication"]), ANYTHING, ANYTHING)
def test_fields_of_any_type_become_a_sentence(kind: str, meta: Any, spec: Any) -> None:
    found = convert([{"apiVersion": "keda.sh/v1alpha1", "kind": kind, "metadata": meta, "spec": spec}])
    assert found.pools == ()
    assert found.notes


@pytest.mark.parametrize("target", [{}, {"kind": "Deployment"}, {"apiVersion": "apps/v1", "kind": "Deployment"}])
def test_deployments_are_scaled(target: dict[str, Any]) -> None:
    assert pool_spec(convert([with_target(**target)]))["deployment"] == "worker"


@pytest.mark.parametrize(
    "target",
    [{"kind": "StatefulSet"}, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}, {"apiVersion": "x.io/v1"}],
)
def test_other_targets_are_refused(target: dict[str, Any]) -> None:
    found = convert([with_target(**target)])
    assert found.pools == ()
    assert "a pool scales Deployments only" in lost(found)


@pytest.mark.parametrize("name", ["", "A", "x; rm -rf /", "-x", "a" * 254])
def test_names_that_are_none_are_refused(name: str) -> None:
    found = convert([with_target(name=name)])
    assert found.pools == ()
    assert "scaleTargetRef.name" in lost(found)


def test_a_scaled_job_is_refused_with_what_a_pool_would_need() -> None:
    job = scaled_object(trigger("render"), maxReplicaCount=7, jobTargetRef={}) | {"kind": "ScaledJob"}
    found = convert([job])
    assert found.pools == ()
    assert "queues render, maxReplicas 7" in lost(found)


def test_two_pools_for_one_deployment_are_told() -> None:
    second = scaled_object() | {"metadata": {"name": "second", "namespace": "jobs"}}
    found = convert([scaled_object(), second])
    assert len(found.pools) == 2
    assert "can have one pool only" in lost(found)


def test_other_documents_are_passed_over_with_a_word() -> None:
    found = convert([{"apiVersion": "v1", "kind": "Secret"}, scaled_object()])
    assert "v1 Secret is not converted and was passed over." in noted(found)
    assert found.is_complete


def test_manifests_of_the_first_keda_are_to_be_brought_up_first() -> None:
    found = convert([{"apiVersion": "keda.k8s.io/v1alpha1", "kind": "ScaledObject"}, scaled_object()])
    assert "is of KEDA 1" in lost(found)


@pytest.mark.parametrize("documents", [[], [{"apiVersion": "apps/v1", "kind": "Deployment"}]])
def test_without_a_manifest_of_keda_there_is_nothing_to_convert(documents: list[dict[str, Any]]) -> None:
    with pytest.raises(NoManifestError, match=r"There is no document|apps/v1 Deployment"):
        convert(documents)


def test_an_address_in_the_manifest_is_named_without_its_password() -> None:
    text = noted(converted())
    assert "the address http://rabbit:15672" in text
    assert "IMAGEMILL_BROKER_MANAGEMENT_URL" in text
    assert "secret" not in text


def test_a_variable_of_the_containers_is_named() -> None:
    assert "the variable RABBIT of the containers of Deployment worker" in noted(
        converted(trigger(host=None, hostFromEnv="RABBIT"))
    )


def test_several_brokers_are_told() -> None:
    assert "A pool has one broker" in noted(converted(trigger("a"), trigger("b", host="http://other/")))
    assert "A pool has one broker" not in noted(converted(trigger("a"), trigger("b")))


def test_one_host_over_both_protocols_is_one_broker() -> None:
    found = noted(converted(trigger("a"), trigger("b", host="amqp://rabbit:5672/")))
    assert "the address amqp://rabbit:5672: give it to the operator as AMQP_URL." in found
    assert "A pool has one broker" not in found


def test_each_namespace_needs_an_operator() -> None:
    second = scaled_object() | {"metadata": {"name": "resize"}}
    assert "run one in each of the current one, jobs" in noted(convert([scaled_object(), second]))


REFERRING = trigger(host=None, authenticationRef={"name": "conn"})
REFERRING_CLUSTER = trigger(host=None, authenticationRef={"name": "conn", "kind": "ClusterTriggerAuthentication"})


def secrets(*parameters: str) -> list[dict[str, str]]:
    return [{"parameter": parameter, "name": "rabbit", "key": "k"} for parameter in parameters]


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("host", "AMQP_URL"),
        ("vhostName", "spec.vhost"),
        ("username", "scheme://user:password@host"),
        ("password", "scheme://user:password@host"),
        ("tls", "nothing to fill in"),
        ("ca", "SSL_CERT_FILE"),
        ("cert", "as tls.crt, into a Secret that the pool names in brokerRef"),
        ("key", "as tls.key"),
        ("other", "nothing that the operator reads"),
    ],
)
def test_a_secret_of_an_authentication_leads_to_a_setting(parameter: str, words: str) -> None:
    found = convert([scaled_object(REFERRING), authentication(secretTargetRef=secrets(parameter))])
    assert f"Secret rabbit, key k ({parameter})" in noted(found)
    assert words in noted(found)
    assert found.is_complete


@pytest.mark.parametrize("parameter", ["keyPassword", "workloadIdentityResource"])
def test_other_ways_to_log_in_are_lost(parameter: str) -> None:
    found = convert([scaled_object(REFERRING), authentication(secretTargetRef=secrets(parameter))])
    assert f"key k ({parameter}) has no equivalent" in lost(found)


@pytest.mark.parametrize(
    "spec", [{"podIdentity": {"provider": "azure-workload"}}, {"oauth2": {}}, {"boundServiceAccountToken": []}]
)
def test_identities_are_lost(spec: dict[str, Any]) -> None:
    assert "user with a password" in lost(convert([scaled_object(REFERRING), authentication(**spec)]))


def test_stores_lead_to_a_secret() -> None:
    found = convert([scaled_object(REFERRING), authentication(hashiCorpVault={}, podIdentity={"provider": "none"})])
    assert "Bring the address into a Secret" in noted(found)
    assert found.is_complete


def test_variables_and_config_maps_lead_to_settings_too() -> None:
    variable = {"parameter": "host", "name": "RABBIT"}
    found = convert([scaled_object(REFERRING), authentication(env=[variable], configMapTargetRef=secrets("vhostName"))])
    assert "The variable RABBIT of the scaled containers (host)" in noted(found)
    assert "ConfigMap rabbit, key k (vhostName)" in noted(found)


def test_secrets_of_the_whole_cluster_are_to_be_copied() -> None:
    cluster = authentication("ClusterTriggerAuthentication", secretTargetRef=secrets("host"))
    assert "in KEDA's namespace" in noted(convert([scaled_object(REFERRING_CLUSTER), cluster]))


def test_an_authentication_nobody_refers_to_needs_nothing() -> None:
    found = convert([scaled_object(), authentication(secretTargetRef=secrets("cert"))])
    assert "needs nothing of it" in noted(found)
    assert found.is_complete


def test_an_authentication_that_is_missing_is_named() -> None:
    assert "KEDA had it from TriggerAuthentication jobs/conn" in noted(convert([scaled_object(REFERRING)]))
