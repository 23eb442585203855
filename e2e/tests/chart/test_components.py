"""What each component is, on rendered manifests."""

import json

import pytest

from imagemill_e2e.cases import EVERYTHING, EXTERNAL, WITHOUT_OPERATOR
from imagemill_e2e.chart import (
    PRODUCTION,
    Manifest,
    Values,
    containers,
    environment,
    named,
    of_kind,
    pods,
    quantity,
    render,
)

PROGRAMS = ("api", "writer", "journal", "worker-default", "worker-heavy")


def pod(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    template: Manifest = named(manifests, kind, name)["spec"]["template"]
    return template


def program(name: str, values: Values | None = None) -> Manifest:
    container: Manifest = pod(render(values), "Deployment", name)["spec"]["containers"][0]
    return container


def annotations(name: str, values: Values) -> dict[str, str]:
    found: dict[str, str] = pod(render(values), "Deployment", name)["metadata"].get("annotations", {})
    return found


def test_the_defaults_ask_for_at_most_one_cpu() -> None:
    manifests = render()
    cores = 0.0
    for manifest in of_kind(manifests, "Deployment", "StatefulSet"):
        spec = manifest["spec"]["template"]["spec"]
        replicas = manifest["spec"].get("replicas", 1)
        cores += replicas * sum(quantity(item["resources"]["requests"]["cpu"]) for item in spec["containers"])
    assert cores <= 1


def test_the_defaults_ask_for_at_most_two_gibibytes() -> None:
    total = 0.0
    for manifest in of_kind(render(), "Deployment", "StatefulSet"):
        spec = manifest["spec"]["template"]["spec"]
        replicas = manifest["spec"].get("replicas", 1)
        total += replicas * sum(quantity(item["resources"]["requests"]["memory"]) for item in spec["containers"])
    assert total <= 2 * 2**30


def test_a_changed_recipe_restarts_who_reads_it_and_nobody_else() -> None:
    before, after = render(), render({"recipes": {"tiny": {"steps": ["png"]}}})
    changed = {
        name
        for (name, metadata, spec), (_, metadata_after, spec_after) in zip(pods(before), pods(after), strict=True)
        if (metadata, spec) != (metadata_after, spec_after)
    }
    assert changed == {"Deployment mill-imagemill-api", "Deployment mill-imagemill-writer"}


def test_another_pools_recipes_restart_no_worker() -> None:
    pools = {"default": {"recipes": ["*"]}, "heavy": {"recipes": ["denoise", "edges"]}}
    for worker in ("worker-default", "worker-heavy"):
        assert program(worker) == program(worker, {"workers": {"pools": pools}})


def test_only_the_writer_creates_queues_and_databases() -> None:
    prepares = {name: environment(program(name))["IMAGEMILL_PREPARE"] for name in PROGRAMS}
    assert prepares == {name: str(name == "writer").lower() for name in PROGRAMS}


def test_api_and_writer_know_all_pools_and_a_worker_its_own() -> None:
    everything = {"default": ["*"], "heavy": ["denoise"]}
    assert json.loads(environment(program("api"))["IMAGEMILL_POOLS"]) == everything
    assert json.loads(environment(program("writer"))["IMAGEMILL_POOLS"]) == everything
    assert json.loads(environment(program("worker-heavy"))["IMAGEMILL_POOLS"]) == {"heavy": ["*"]}


@pytest.mark.parametrize("name", PROGRAMS)
def test_pods_live_longer_than_they_drain(name: str) -> None:
    spec = pod(render({"defaults": {"drainSeconds": 100}}), "Deployment", name)["spec"]
    assert environment(spec["containers"][0])["IMAGEMILL_DRAIN_SECONDS"] == "100"
    assert spec["terminationGracePeriodSeconds"] > 110


def test_settings_reach_every_program() -> None:
    values: Values = {"settings": {"max_image_bytes": 1000000, "default_recipe": "webp"}}
    for name in PROGRAMS:
        variables = environment(program(name, values))
        assert variables["IMAGEMILL_MAX_IMAGE_BYTES"] == "1000000"
        assert variables["IMAGEMILL_DEFAULT_RECIPE"] == "webp"


def test_a_pool_is_a_deployment_a_queue_and_a_workerpool() -> None:
    pools = {"heavy": None, "video": {"recipes": ["edges"], "maxReplicas": 9, "backlogPerReplica": 5}}
    manifests = render({"workers": {"pools": pools}})
    assert [pool["metadata"]["name"] for pool in of_kind(manifests, "WorkerPool")] == ["default", "video"]
    video = next(pool for pool in of_kind(manifests, "WorkerPool") if pool["metadata"]["name"] == "video")
    assert video["spec"]["deployment"] == named(manifests, "Deployment", "worker-video")["metadata"]["name"]
    assert video["spec"]["queues"] == ["work.video"]
    assert (video["spec"]["maxReplicas"], video["spec"]["backlogPerReplica"]) == (9, 5)
    assert "maxWaitSeconds" not in video["spec"]
    assert environment(program("worker-video", {"workers": {"pools": pools}}))["IMAGEMILL_POOL"] == "video"


def test_the_operator_alone_sets_replicas_of_workers() -> None:
    assert "replicas" not in named(render(), "Deployment", "worker-default")["spec"]
    assert named(render(WITHOUT_OPERATOR), "Deployment", "worker-heavy")["spec"]["replicas"] == 1
    assert not of_kind(render(WITHOUT_OPERATOR), "WorkerPool", "Role")


def test_the_operator_may_scale_the_workers_and_nothing_else() -> None:
    rules = named(render(), "Role", "operator")["rules"]
    scale = next(rule for rule in rules if rule["resources"] == ["deployments/scale"])
    assert scale["resourceNames"] == ["mill-imagemill-worker-default", "mill-imagemill-worker-heavy"]


def test_components_replace_the_defaults_and_variables_add_up() -> None:
    values: Values = {
        "defaults": {"nodeSelector": {"disk": "ssd"}, "extraEnv": [{"name": "A", "value": "1"}]},
        "api": {"nodeSelector": {"disk": "hdd"}, "extraEnv": [{"name": "B", "value": "2"}], "priorityClassName": "top"},
    }
    api, writer = (pod(render(values), "Deployment", name)["spec"] for name in ("api", "writer"))
    assert (api["nodeSelector"], writer["nodeSelector"]) == ({"disk": "hdd"}, {"disk": "ssd"})
    assert api["priorityClassName"] == "top"
    assert "priorityClassName" not in writer
    assert {"A": "1", "B": "2"}.items() <= environment(api["containers"][0]).items()


def test_placement_reaches_every_pod() -> None:
    for name, _, spec in pods(render(EVERYTHING)):
        assert spec["priorityClassName"] == "high", name
        assert spec["imagePullSecrets"] == [{"name": "registry"}], name
        assert spec["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname", name


def test_budgets_only_where_more_than_one_pod_runs() -> None:
    def budgets(values: Values | None) -> list[str]:
        return [item["metadata"]["name"] for item in of_kind(render(values), "PodDisruptionBudget")]

    assert budgets(None) == ["mill-imagemill-rabbitmq"]
    assert len(budgets(PRODUCTION)) == 6
    assert budgets({"defaults": {"podDisruptionBudget": {"enabled": False}}}) == []


def test_ingress_speaks_tls_when_it_has_a_certificate() -> None:
    ingress = of_kind(render(EVERYTHING), "Ingress")[0]["spec"]
    assert ingress["tls"] == [{"hosts": ["mill.example.org"], "secretName": "tls"}]
    assert ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "mill-imagemill-api"


@pytest.mark.parametrize("name", PROGRAMS)
def test_probes_ask_a_port_that_no_address_leads_to_from_outside(name: str) -> None:
    container = program(name)
    asked = {container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")}
    assert asked == {"health"}
    assert {"name": "health", "containerPort": 8081} in container["ports"]
    assert environment(container)["IMAGEMILL_HEALTH_PORT"] == "8081"
    for service in of_kind(render(EVERYTHING), "Service"):
        if "health" in {port["targetPort"] for port in service["spec"]["ports"]}:
            # Names of pods for the operator, who needs each of them: nothing is forwarded.
            assert (service["metadata"]["name"], service["spec"]["clusterIP"]) == ("mill-imagemill-api-metrics", "None")


def test_the_operator_asks_the_api_what_it_holds_back_of_each_pool() -> None:
    manifests = render(EVERYTHING)
    for pool in of_kind(manifests, "WorkerPool"):
        told = pool["spec"]["backlogMetrics"]
        assert told["labels"] == {"pool": pool["spec"]["queues"][0].removeprefix("work.")}
        host = told["url"].removeprefix("http://").partition(":")[0]
        name, _, domain = host.partition(".")
        service = named(manifests, "Service", name.removeprefix("mill-imagemill-"))
        assert domain == "mills.svc"
        assert service["spec"]["selector"].items() <= pod(manifests, "Deployment", "api")["metadata"]["labels"].items()
    assert not [one for one in of_kind(render(WITHOUT_OPERATOR), "Service") if "-metrics" in one["metadata"]["name"]]


def test_metrics_are_read_where_programs_tell_them() -> None:
    (monitor,) = of_kind(render(EVERYTHING), "PodMonitor")
    endpoints = {item["port"]: item for item in monitor["spec"]["podMetricsEndpoints"]}
    assert endpoints.keys() == {"health", "http"}
    (kept,) = endpoints["http"]["relabelings"]
    assert (kept["regex"], kept["action"]) == ("operator", "keep")


def test_monitoring_is_there_when_asked_for() -> None:
    kinds = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
    assert {item["kind"] for item in of_kind(render(EVERYTHING), *kinds)} == kinds
    assert not of_kind(render(), *kinds)
    dashboard = json.loads(named(render(EVERYTHING), "ConfigMap", "dashboard")["data"]["imagemill.json"])
    assert dashboard["panels"]


def test_the_image_can_be_named_by_digest() -> None:
    digest = "sha256:" + "0" * 64
    container = program("api", {"image": {"repository": "registry.example.org/imagemill", "digest": digest}})
    assert container["image"] == f"registry.example.org/imagemill@{digest}"


@pytest.mark.parametrize("values", [{}, EXTERNAL], ids=["own", "external"])
def test_no_password_stands_in_a_pod(values: Values) -> None:
    for _, _, spec in pods(render(values)):
        for container in containers(spec):
            for variable in container.get("env", []):
                if variable["name"] == "IMAGEMILL_COUCHDB_PASSWORDS":
                    assert all(password.startswith("$(") for password in json.loads(variable["value"]).values())
                elif "PASSWORD" in variable["name"] or "SECRET" in variable["name"]:
                    assert "valueFrom" in variable
