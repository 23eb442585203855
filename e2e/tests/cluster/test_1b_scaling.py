"""The operator scales a pool to its queue, says why, and keeps its hands off what it must not touch."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from imagemill_e2e.cluster import Cluster
from imagemill_e2e.forward import Forward
from imagemill_e2e.mill import Mill, picture
from imagemill_e2e.network import is_kept_from, without_way_to
from imagemill_e2e.scaling import NODES, Event, Pool, operator_says, wait_looks
from imagemill_e2e.waiting import until

REPLICAS = 4
BURST = 12
# So many ask for all replicas, whatever is known of the speed of work; a short cool-down keeps the tests short.
SPEC = {
    "maxReplicas": REPLICAS,
    "maxWaitSeconds": None,
    "backlogPerReplica": 3,
    "cooldownSeconds": 5,
    "scaleInPercent": 100,
}
FIRST_LOOK = timedelta(seconds=5)
"""What is promised from the first message until all replicas are asked for; their start is not the operator's."""
LOOK = timedelta(seconds=2)
BROKER_PORTS = {5672, 15672, 15692}
# Connections which are there may outlive a change of policies, so they are ended: of all nodes at once.
END_CONNECTIONS = """
Nodes = [node() | nodes()],
{rpc:multicall(Nodes, application, stop, [rabbitmq_prometheus]),
 rpc:multicall(Nodes, application, start, [rabbitmq_prometheus])}.
"""


@pytest.fixture(scope="module")
def pool(cluster: Cluster) -> Iterator[Pool]:
    """The pool which sleeps when it has nothing to do."""
    pool = Pool(cluster, "heavy")
    before = cluster.get("workerpool", pool.name)["spec"]
    pool.change(**SPEC)
    yield pool
    pool.change(**{key: before.get(key) for key in SPEC})


@pytest.fixture
def asleep(pool: Pool, mill: Mill) -> Pool:
    """As at the beginning, also when the test before broke."""
    pool.change(**SPEC)
    pool.wait_asleep()
    return pool


def upload(mill: Mill, batch: str, count: int = BURST, **fields: str) -> None:
    """Pictures of some tenths of a second of work each, all at once."""
    seed = time.time_ns()
    pictures = [picture(seed + number, 640, 480, grain=16) for number in range(count)]
    assert len(mill.upload(pictures, batch, recipe="denoise", **fields)["accepted"]) == count


def attempts(traces: list[list[dict[str, Any]]]) -> set[int]:
    return {step["attempt"] for trace in traces for step in trace}


def check_stored_at_the_first_attempt(mill: Mill, batch: str, count: int = BURST) -> None:
    counts = mill.wait_done(batch)
    assert (counts["accepted"], counts["stored"], counts["failed"]) == (count, count, 0)
    assert attempts(mill.traces(batch)) == {1}


@contextmanager
def redelivering_nothing(pool: Pool) -> Iterator[None]:
    before = pool.redelivered()
    yield
    assert pool.redelivered() == before


def begin_burst(pool: Pool, mill: Mill, batch: str, count: int = BURST) -> None:
    """Until all replicas are asked for."""
    upload(mill, batch, count)
    until(f"{REPLICAS} replicas are asked for", lambda: pool.replicas == REPLICAS, 60)


@dataclass(frozen=True)
class Burst:
    """What was seen of a burst into a pool that slept, until it slept again."""

    counts: dict[str, int]
    statuses: dict[str, str]
    traces: list[list[dict[str, Any]]]
    events: list[Event]
    redelivered: int

    def scaled(self, way: str) -> list[Event]:
        return [event for event in self.events if event.reason == way]


@pytest.fixture(scope="module")
def burst(cluster: Cluster, pool: Pool, forward: Forward) -> Burst:
    mill, batch = Mill(forward.url, cluster.admin_token()), f"burst-{uuid.uuid4().hex[:8]}"
    pool.wait_asleep()
    known, redelivered = pool.events(), pool.redelivered()
    begin_burst(pool, mill, batch)
    counts = mill.wait_done(batch)
    pool.wait_asleep()
    news, again = pool.events_after(known), pool.redelivered() - redelivered
    return Burst(counts, mill.statuses(batch), mill.traces(batch), news, again)


def test_all_replicas_are_asked_for_within_five_seconds_of_the_first_message(burst: Burst) -> None:
    # A picture is accepted before its message is sent, so the time is at most a little longer than the promise's.
    first = min(datetime.fromisoformat(trace[0]["at"]) for trace in burst.traces)
    out = burst.scaled("ScaledOut")
    assert out, burst.events
    assert out[0].at > first
    assert out[-1].at - first <= FIRST_LOOK, out


def test_after_a_burst_the_pool_sleeps_again_and_every_picture_is_stored(burst: Burst) -> None:
    assert burst.scaled("ScaledIn")
    assert burst.scaled("ScaledIn")[-1].message.endswith(("the only one stops.", "stop."))
    assert burst.counts["accepted"] == burst.counts["stored"] == len(burst.statuses) == BURST
    assert (burst.counts["failed"], burst.counts["in_flight"]) == (0, 0)
    assert set(burst.statuses.values()) == {"stored"}


def test_giving_replicas_up_redelivers_no_message(burst: Burst) -> None:
    assert burst.redelivered == 0
    assert attempts(burst.traces) == {1}


@contextmanager
def hands_off(pool: Pool) -> Iterator[None]:
    """The Deployment stays as it is."""
    before, known = pool.generation, pool.events()
    yield
    assert (pool.generation, pool.replicas) == (before, 0)
    assert not [event for event in pool.events_after(known) if event.reason.startswith("Scaled")]


def pause(pool: Pool) -> None:
    pool.annotate("imagemill.dev/pause=true")


def resume(pool: Pool) -> None:
    pool.annotate("imagemill.dev/pause-")


def advise(pool: Pool) -> None:
    pool.change(mode="Advise")


def activate(pool: Pool) -> None:
    pool.change(mode="Active")


def check_it_only_tells(
    pool: Pool, mill: Mill, batch: str, hold: Callable[[Pool], None], go_on: Callable[[Pool], None]
) -> dict[str, Any]:
    """Returns what it told."""
    hold(pool)
    try:
        with hands_off(pool):
            upload(mill, batch)
            until("it tells what it would do", lambda: pool.status["desiredReplicas"] == REPLICAS, 60)
            wait_looks(pool.cluster, 2)
            told = pool.status
    finally:
        go_on(pool)
    check_stored_at_the_first_attempt(mill, batch)
    return told


def test_a_paused_pool_touches_nothing_until_the_annotation_is_gone(asleep: Pool, mill: Mill, batch: str) -> None:
    told = check_it_only_tells(asleep, mill, batch, pause, resume)
    assert told["reason"].startswith(f"Paused, nothing is changed: {BURST} waiting")


def test_a_pool_that_advises_tells_what_it_would_do_and_touches_nothing(asleep: Pool, mill: Mill, batch: str) -> None:
    told = check_it_only_tells(asleep, mill, batch, advise, activate)
    assert told["reason"].endswith(f"so {REPLICAS} start.")
    assert (told["desiredReplicas"], told["currentReplicas"]) == (REPLICAS, 0)
    ready = next(item for item in told["conditions"] if item["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "OnlyTelling")


@contextmanager
def autoscaler(pool: Pool) -> Iterator[None]:
    """A HorizontalPodAutoscaler for the pool's Deployment. Kubernetes leaves a Deployment at 0 alone."""
    load = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": pool.deployment}
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "another"},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": load}],
        },
    }
    pool.cluster.apply(body)
    try:
        yield
    finally:
        pool.cluster.kubectl("delete", "horizontalpodautoscaler", "another")


def test_a_deployment_with_an_autoscaler_is_refused_until_that_is_gone(asleep: Pool, mill: Mill, batch: str) -> None:
    known = asleep.events()
    with autoscaler(asleep):
        asleep.wait_condition("TargetConflict", "True")
        assert "is scaled by HorizontalPodAutoscaler another: delete it" in asleep.status["reason"]
        assert asleep.condition("Ready") == "False"
        with hands_off(asleep):
            upload(mill, batch)
            wait_looks(asleep.cluster, 3)
    asleep.wait_condition("TargetConflict", "False")
    check_stored_at_the_first_attempt(mill, batch)
    reasons = [event.reason for event in asleep.events_after(known)]
    assert reasons.index("TargetConflict") < reasons.index("TargetFree")
    assert reasons.index("TargetConflict") < reasons.index("ScaledOut")


@contextmanager
def mute_broker(cluster: Cluster) -> Iterator[None]:
    """The operator's packets to the broker get lost; nobody else's do. Skips where policies are not enforced."""
    with without_way_to(cluster, "mill-imagemill-operator", BROKER_PORTS):
        if not is_kept_from(cluster, cluster.running("operator")[0], NODES, 15692):
            pytest.skip("this cluster does not enforce NetworkPolicies")
        cluster.execute("mill-imagemill-rabbitmq-0", "rabbitmqctl", "--quiet", "eval", END_CONNECTIONS)
        yield


def test_nothing_is_scaled_in_while_the_broker_does_not_tell(asleep: Pool, mill: Mill, batch: str) -> None:
    known = asleep.events()
    asleep.change(cooldownSeconds=120)
    with redelivering_nothing(asleep):
        begin_burst(asleep, mill, batch)
        with mute_broker(asleep.cluster):
            asleep.wait_condition("BrokerReachable", "False")
            # From here on only the silence of the broker holds the replicas.
            asleep.change(cooldownSeconds=SPEC["cooldownSeconds"])
            touched = asleep.generation
            check_stored_at_the_first_attempt(mill, batch)
            # A look that is not answered takes five seconds: so many are far longer than the cool-down.
            wait_looks(asleep.cluster, 3)
            assert (asleep.generation, asleep.replicas) == (touched, REPLICAS)
            assert asleep.condition("BrokerReachable") == "False"
            assert (asleep.status["limit"], asleep.condition("Ready")) == ("unknown", "Unknown")
        asleep.wait_condition("BrokerReachable", "True")
        asleep.wait_asleep()
    reasons = [event.reason for event in asleep.events_after(known)]
    assert reasons.index("BrokerUnreachable") < reasons.index("BrokerReachable")
    assert "ScaledIn" in reasons


def test_an_operator_killed_in_mid_burst_changes_nothing_that_was_decided(asleep: Pool, mill: Mill, batch: str) -> None:
    cluster, known, cooldown = asleep.cluster, asleep.events(), timedelta(seconds=25)
    asleep.change(cooldownSeconds=cooldown.seconds)
    with redelivering_nothing(asleep):
        begin_burst(asleep, mill, batch)
        decided = asleep.generation
        killed = cluster.kill("operator")
        until("another operator acts", lambda: acts(cluster, killed), 120)
        check_stored_at_the_first_attempt(mill, batch)
        until("replicas are given up", lambda: asleep.generation > decided, 120)
        asleep.change(cooldownSeconds=SPEC["cooldownSeconds"])
        asleep.wait_asleep()
    news = [event for event in asleep.events_after(known) if event.reason.startswith("Scaled")]
    last_out = max(event.at for event in news if event.reason == "ScaledOut")
    first_in = next(event for event in news if event.reason == "ScaledIn")
    # What was needed before counts for as long as it would have, although another operator decides.
    assert first_in.at - last_out >= cooldown - LOOK, news


def acts(cluster: Cluster, killed: str) -> bool:
    running = cluster.running("operator")
    return bool(running) and killed not in running and operator_says(cluster, "holds_lease") == 1


def test_pictures_of_high_priority_are_worked_on_first(asleep: Pool, mill: Mill, batch: str) -> None:
    asleep.change(maxReplicas=1)
    pause(asleep)
    try:
        upload(mill, batch)
        upload(mill, f"{batch}-urgent", 4, priority="9")
    finally:
        resume(asleep)
    check_stored_at_the_first_attempt(mill, batch)
    check_stored_at_the_first_attempt(mill, f"{batch}-urgent", 4)
    taken = [(trace[1]["at"], urgent) for urgent in (False, True)
             for trace in mill.traces(f"{batch}-urgent" if urgent else batch)]  # fmt: skip
    # A quorum queue gives two of high priority for one of the others, so the last of four is the fifth or sixth.
    assert max(place for place, (_, urgent) in enumerate(sorted(taken)) if urgent) < BURST / 2
