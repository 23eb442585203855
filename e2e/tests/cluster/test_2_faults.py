"""Under load, something breaks: nothing that was accepted is lost."""

import pytest

from imagemill_e2e.cluster import Cluster
from imagemill_e2e.forward import Forward
from imagemill_e2e.load import Load, check_nothing_lost
from imagemill_e2e.mill import Mill
from imagemill_e2e.waiting import until


def go_on(load: Load, pictures: int = 30) -> None:
    """Until so many more pictures were accepted."""
    goal = load.accepted() + pictures
    until(f"{pictures} more pictures are accepted", lambda: load.accepted() >= goal, 180)


def replace(cluster: Cluster, component: str) -> None:
    """Evicts a pod and waits until another is ready."""
    pod = cluster.running(component)[0]
    cluster.stop(pod)
    until(f"{pod} is going", lambda: pod not in cluster.pods(component), 60)
    cluster.wait_ready(component, 1)


@pytest.mark.parametrize("ordinal", [0, 2])
def test_a_node_of_rabbitmq_is_deleted(cluster: Cluster, mill: Mill, batch: str, ordinal: int) -> None:
    with Load(mill, batch) as load:
        go_on(load)
        cluster.stop(f"mill-imagemill-rabbitmq-{ordinal}")
        go_on(load, 60)
        cluster.wait_ready("rabbitmq", 3)
        go_on(load)
    check_nothing_lost(mill, batch, load.story)


def test_a_node_of_rabbitmq_is_killed(cluster: Cluster, mill: Mill, batch: str) -> None:
    with Load(mill, batch) as load:
        go_on(load)
        cluster.kill("rabbitmq")
        go_on(load, 60)
        cluster.wait_ready("rabbitmq", 3)
        go_on(load)
    check_nothing_lost(mill, batch, load.story)


def test_couchdb_is_deleted(cluster: Cluster, mill: Mill, batch: str) -> None:
    with Load(mill, batch) as load:
        go_on(load)
        cluster.stop("mill-imagemill-couchdb-0")
        until("uploads are answered with 503", lambda: load.story.answers["503"] > 0, 60)
        cluster.wait_ready("couchdb", 1)
        go_on(load, 60)
    assert load.story.without_retry_after == 0
    check_nothing_lost(mill, batch, load.story)


def test_api_writer_and_workers_are_killed(cluster: Cluster, mill: Mill, forward: Forward, batch: str) -> None:
    with Load(mill, batch) as load:
        for component in ("worker-default", "writer", "api", "worker-default"):
            go_on(load)
            cluster.kill(component)
            if component == "api":
                forward.renew()
            cluster.wait_ready(component, 1)
        go_on(load)
    check_nothing_lost(mill, batch, load.story)


def test_everything_is_evicted_one_after_the_other(cluster: Cluster, mill: Mill, batch: str) -> None:
    with Load(mill, batch) as load:
        for component in ("worker-default", "writer", "journal", "operator"):
            go_on(load)
            replace(cluster, component)
        go_on(load)
    assert set(load.story.answers) == {"202"}
    check_nothing_lost(mill, batch, load.story)
