"""One pool's facts become the policy's observation."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.cluster import bodies

from imagemill_operator.depth import BrokerReading, QueueReading
from imagemill_operator.facts import DeploymentFacts, PodFacts, pod_facts
from imagemill_operator.idle import PodsSeen
from imagemill_operator.observe import Counters, observe, with_work
from imagemill_operator.policy import Backlog, Limit, Memory, Observation, conditions, decide
from imagemill_operator.policy.learn import learn
from imagemill_operator.pool_metrics import MetricNames
from imagemill_operator.pools import PoolResource, parse_pool
from imagemill_operator.workers import WorkerReading, read_worker

QUEUE = ("/", "work.gray")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
"""Half a day after the pods were created."""
IDLE, BUSY = WorkerReading(0.0, 0, 2.0, 5.0, 1.0), WorkerReading(0.0, 1, 2.0, 7.0, 1.5)


def pods(count: int, **change: object) -> list[PodFacts]:
    return [pod_facts(bodies.pod(f"p{number}", **change)) for number in range(count)]  # type: ignore[arg-type]


def look(
    pool: PoolResource,
    seen: list[PodFacts],
    told: dict[str, WorkerReading],
    counters: Counters,
    at_seconds: float = NOON,
    **acked: float,
) -> Observation:
    broker = BrokerReading(queues={QUEUE: QueueReading(4, 2)}, acked={QUEUE: acked})
    deployment = DeploymentFacts("worker-gray", "u", "1", 3)
    return with_work(observe(pool, deployment, seen, broker, told, counters, at_seconds, 2.0), seen, told, None)


def test_workers_that_tell_are_believed() -> None:
    pool = parse_pool(bodies.pool(workerMetrics={"port": 9100}))
    counters = Counters()
    look(pool, pods(3), {"p0": IDLE, "p1": BUSY, "p2": BUSY}, counters)
    seen = look(pool, pods(3), {"p0": IDLE, "p1": replace(BUSY, images=9.0, seconds=2.0), "p2": BUSY}, counters)
    assert seen.backlog == Backlog(4, 2)
    assert (seen.current_replicas, seen.ready_replicas, seen.busy_replicas) == (3, 3, 2)
    assert (seen.completed_total, seen.busy_seconds_total) == (2.0, 0.5)
    assert (seen.threads_per_replica, seen.pod_start_seconds) == (2.0, 4.0)


def test_foreign_consumers_are_counted_by_the_broker() -> None:
    pool, counters = parse_pool(bodies.pool()), Counters()
    look(pool, pods(3), {}, counters, n1=50)
    seen = look(pool, pods(3), {}, counters, n1=58)
    assert (seen.completed_total, seen.busy_seconds_total, seen.busy_replicas) == (8.0, None, None)


def test_an_old_worker_that_is_heard_late_only_sets_its_mark() -> None:
    pool, counters = parse_pool(bodies.pool(workerMetrics={"port": 9100})), Counters()
    old = WorkerReading(0.0, 1, 2.0, 50_000.0, 40_000.0)
    look(pool, pods(2), {}, counters)
    assert look(pool, pods(2), {"p0": old, "p1": old}, counters, NOON + 2).completed_total == 0.0
    more = replace(old, images=50_003.0, seconds=40_002.0)
    seen = look(pool, pods(2), {"p0": old, "p1": more}, counters, NOON + 4)
    assert (seen.completed_total, seen.busy_seconds_total) == (3.0, 2.0)


def test_a_worker_whose_pod_was_created_meanwhile_has_counted_all_of_it_since() -> None:
    pool, counters = parse_pool(bodies.pool(workerMetrics={"port": 9100})), Counters()
    born = pods(1, created="2026-01-01T12:00:01Z")
    look(pool, [], {}, counters)
    look(pool, born, {}, counters, NOON + 2)
    assert look(pool, born, {"p0": IDLE}, counters, NOON + 8).completed_total == IDLE.images, "it took 6 s to start"


def test_a_broker_that_never_tells_acknowledgements_leaves_what_is_finished_unknown() -> None:
    """As the management API does. Ten messages a second come and go: no rate may be learned from the backlog alone."""
    pool, counters, memory = parse_pool(bodies.pool()), Counters(), Memory()
    for tick in range(30):
        seen = look(pool, pods(3), {}, counters, NOON + tick * 2)
        assert seen.completed_total is None
        memory = learn(seen, memory)
    assert (memory.arrival_rate, memory.busy_seconds_per_image) == (None, None)


def test_acknowledgements_that_are_told_late_are_counted_from_then_on() -> None:
    pool, counters = parse_pool(bodies.pool()), Counters()
    look(pool, pods(3), {}, counters)
    assert look(pool, pods(3), {}, counters, n1=500).completed_total == 0.0
    assert look(pool, pods(3), {}, counters, n1=504).completed_total == 4.0
    assert look(pool, pods(3), {}, counters).completed_total == 4.0


def test_a_broker_node_that_comes_back_only_sets_its_mark() -> None:
    pool, counters = parse_pool(bodies.pool()), Counters()
    look(pool, pods(3), {}, counters, n1=50)
    assert look(pool, pods(3), {}, counters, n1=58, n2=5_000_000).completed_total == 8.0
    assert look(pool, pods(3), {}, counters, n1=58, n2=5_000_002).completed_total == 10.0


def test_a_pod_that_becomes_ready_again_keeps_the_start_it_had_first() -> None:
    pool, counters = parse_pool(bodies.pool()), Counters()
    assert look(pool, pods(1, ready=False), {}, counters).pod_start_seconds is None
    assert look(pool, pods(1), {}, counters).pod_start_seconds == 4.0
    look(pool, pods(1, ready=False), {}, counters)
    assert look(pool, pods(1, since="2026-01-01T00:05:00Z"), {}, counters).pod_start_seconds == 4.0


def test_terminating_pods_are_no_capacity() -> None:
    going = pods(1, deletionTimestamp="2026-01-01T00:01:00Z")
    seen = look(parse_pool(bodies.pool()), going + pods(3)[1:], {}, Counters())
    assert seen.ready_replicas == 2


def test_a_worker_tells_all_its_recipes_together() -> None:
    text = (
        "imagemill_worker_busy 2\nimagemill_worker_threads 4\n"
        'imagemill_worker_image_seconds_count{recipe="gray"} 10\n'
        'imagemill_worker_image_seconds_count{recipe="fit"} 5\n'
        'imagemill_worker_image_seconds_sum{recipe="gray"} 1.5\n'
        'imagemill_worker_image_seconds_sum{recipe="fit"} 0.5\n'
    )
    assert read_worker(text, 7.0, MetricNames()) == WorkerReading(7.0, 2, 4.0, 15.0, 2.0)
    dramatiq = 'dramatiq_messages_inprogress{queue_name="a"} 1\ndramatiq_message_duration_milliseconds_sum 1500\n'
    names = MetricNames(
        "dramatiq_messages_inprogress",
        seconds="dramatiq_message_duration_milliseconds",
        seconds_a_unit=0.001,
        assumed_threads=8,
    )
    assert read_worker(dramatiq, 7.0, names) == WorkerReading(7.0, 1, 8.0, 0.0, 1.5)
    assert read_worker("process_cpu_seconds_total 3\n", 7.0, MetricNames()) is None


def test_pods_that_wait_for_a_node_do_not_keep_a_backlog_from_what_it_needs() -> None:
    pool = parse_pool(bodies.pool(maxReplicas=64))
    assert pool.spec is not None
    waiting = [pod_facts(bodies.unschedulable(f"w{number}")) for number in range(3)]
    broker = BrokerReading(queues={QUEUE: QueueReading(400, 0)})
    deployment = DeploymentFacts("worker-gray", "u", "1", 3)
    seen = observe(pool, deployment, waiting, broker, {}, Counters(), bodies.SECONDS + 60, 2.0)
    decision = decide(seen, pool.spec, Memory())
    assert (decision.desired_replicas, decision.limit) == (40, Limit.NEED)
    told = {item["type"]: item for item in conditions(seen, pool.spec, decision)}["CapacityBlocked"]
    assert (told["status"], told["reason"]) == ("False", "SomeDoNotStart")


def test_what_pods_tell_themselves_goes_before_what_the_broker_knows() -> None:
    by_broker = PodsSeen({"p0": 3, "p1": 0, "p2": 1})
    base = look(parse_pool(bodies.pool()), pods(3), {}, Counters())
    assert with_work(base, pods(3), {"p0": IDLE}, by_broker).busy_replicas == 1, "p2 alone"
    seen = with_work(base, pods(3), {}, by_broker)
    assert (seen.busy_replicas, seen.holding_replicas) == (None, 2)


def test_pods_that_look_idle_but_are_not_proved_to_be_count_as_busy() -> None:
    base = look(parse_pool(bodies.pool()), pods(3), {}, Counters())
    assert with_work(base, pods(3), {}, PodsSeen(waiting=frozenset({"p0", "p1", "p2"}))).holding_replicas == 3


def test_nobody_goes_before_the_broker_was_asked_and_nobody_is_told_apart_when_it_does_not_tell() -> None:
    base = look(parse_pool(bodies.pool()), pods(3), {}, Counters())
    assert with_work(base, pods(3), {}, PodsSeen(pending=True, problem="not yet")).holding_replicas == 3
    assert with_work(base, pods(3), {}, PodsSeen(problem="no")).holding_replicas is None


def test_messages_that_nobody_known_holds_keep_as_many_pods() -> None:
    base = look(parse_pool(bodies.pool()), pods(4), {}, Counters())
    known = {"p0": 1, "p1": 0, "p2": 0}
    assert with_work(base, pods(4), {}, PodsSeen(known, elsewhere=1)).holding_replicas == 2, "p3 may hold it"
    assert with_work(base, pods(4), {}, PodsSeen(known, elsewhere=2)).holding_replicas == 3
    assert with_work(base, pods(4), {}, PodsSeen(known, elsewhere=90)).holding_replicas == 4


def test_pods_that_go_and_still_work_keep_no_others() -> None:
    base = look(parse_pool(bodies.pool()), pods(4), {}, Counters())
    going = [replace(pod, terminating=pod.name in ("p0", "p1")) for pod in pods(4)]
    known = {"p0": 1, "p1": 1, "p2": 0, "p3": 0}
    assert with_work(base, going, {}, PodsSeen(known)).holding_replicas == 0
    assert with_work(base, going, {}, PodsSeen(known, elsewhere=1)).holding_replicas == 1
