"""WorkerPools as people write them, and those that are refused."""

from tests.cluster import bodies

from imagemill_operator.policy import Budget, Fallback, Memory, Mode
from imagemill_operator.pool_metrics import MetricNames, WorkerMetrics
from imagemill_operator.pools import parse_pool, refusals, shared_queues


def test_a_pool_is_read_with_every_field() -> None:
    body = bodies.pool(
        vhost="mill",
        minReplicas=1,
        activationBacklog=5,
        expectedSeconds=2.5,
        cooldownSeconds=60,
        scaleInPercent=25,
        fallback={"replicas": 3},
        budget={"name": "gpu", "maxReplicas": 10, "weight": 2},
        mode="Advise",
        workerMetrics={"port": 9100},
    )
    body["metadata"]["annotations"] = {"imagemill.dev/pause": "true"}
    pool = parse_pool(body)
    assert pool.spec is not None
    assert (pool.vhost, pool.deployment, pool.queues) == ("mill", "worker-gray", ("work.gray",))
    assert pool.spec.expected_seconds == 2.5
    assert pool.spec.fallback == Fallback(3, 60.0)
    assert pool.spec.budget == Budget("gpu", 10, 2.0)
    assert (pool.spec.mode, pool.spec.paused, pool.spec.cooldown_seconds) == (Mode.ADVISE, True, 60.0)
    assert pool.worker_metrics == WorkerMetrics(9100, "/metrics")


def test_metrics_of_workers_may_have_other_names_and_come_from_an_exporter() -> None:
    own = parse_pool(bodies.pool(workerMetrics={
        "port": 9191, "busyMetric": "dramatiq_messages_inprogress", "unit": "milliseconds", "threads": 8,
        "secondsMetric": "dramatiq_message_duration_milliseconds",
    })).worker_metrics  # fmt: skip
    assert own is not None
    assert own.names == MetricNames(
        "dramatiq_messages_inprogress", "imagemill_worker_threads", "dramatiq_message_duration_milliseconds", 0.001, 8
    )
    exporter = parse_pool(bodies.pool(workerMetrics={"url": "http://celery-exporter:9808/metrics"})).worker_metrics
    assert exporter == WorkerMetrics(None, "/metrics", "http://celery-exporter:9808/metrics", "hostname")


def test_the_memory_of_the_operator_before_is_taken_over_without_its_counters() -> None:
    body = bodies.pool()
    learned = Memory(at_seconds=5.0, busy_seconds=3.0, busy_images=6.0, completed_total=40.0, peaks=((4.0, 3),))
    body["status"] = {"memory": learned.to_dict()}
    memory = parse_pool(body).memory
    assert memory.busy_seconds_per_image == 0.5
    assert memory.peaks == ((4.0, 3),)
    assert memory.completed_total is None


def test_a_memory_that_cannot_be_read_is_forgotten() -> None:
    body = bodies.pool()
    body["status"] = {"memory": {"peaks": [["x"]]}}
    assert parse_pool(body).memory == Memory()


def refused(*pools: bodies.Body, autoscaled: dict[str, str] | None = None) -> dict[str, tuple[str, str]]:
    parsed = {body["metadata"]["name"]: parse_pool(body) for body in pools}
    found = refusals(parsed, frozenset({"worker-gray"}), autoscaled or {})
    return {name: (refusal.condition, refusal.reason) for name, refusal in found.items()}


def test_a_sound_pool_is_not_refused() -> None:
    assert refused(bodies.pool()) == {}


def test_a_spec_that_cannot_be_meant_is_refused() -> None:
    assert refused(bodies.pool(maxWaitSeconds=3)) == {"gray": ("Ready", "InvalidSpec")}


def test_a_missing_deployment_is_waited_for() -> None:
    assert refused(bodies.pool("blue")) == {"blue": ("Ready", "DeploymentMissing")}


def test_a_deployment_that_an_autoscaler_owns_is_left_alone() -> None:
    found = refused(bodies.pool(), autoscaled={"worker-gray": "keda-hpa-gray"})
    assert found == {"gray": ("TargetConflict", "HorizontalPodAutoscaler")}


def test_of_two_pools_for_one_deployment_the_older_keeps_it() -> None:
    younger = bodies.pool("second", "2026-02-01T00:00:00Z", deployment="worker-gray")
    assert refused(younger, bodies.pool()) == {"second": ("TargetConflict", "OtherWorkerPool")}


def test_advice_is_in_nobodys_way() -> None:
    advising = bodies.pool("advice", "2025-01-01T00:00:00Z", deployment="worker-gray", mode="Advise")
    assert refused(advising, autoscaled={"worker-gray": "keda-hpa-gray"}) == {}
    assert refused(advising, bodies.pool()) == {}


def test_two_pools_that_count_one_queue_are_told_of_each_other() -> None:
    both = {name: parse_pool(bodies.pool(name, queues=["work.a", f"own.{name}"])) for name in ("gray", "blue")}
    assert shared_queues(both) == {
        "gray": "Queue work.a is also counted by blue: each asks for replicas for all of its messages.",
        "blue": "Queue work.a is also counted by gray: each asks for replicas for all of its messages.",
    }
    apart = {"gray": both["gray"], "blue": parse_pool(bodies.pool("blue", queues=["work.a"], vhost="other"))}
    assert shared_queues(apart) == {}
    advising = {"gray": both["gray"], "blue": parse_pool(bodies.pool("blue", queues=["work.a"], mode="Advise"))}
    assert shared_queues(advising) == {}
