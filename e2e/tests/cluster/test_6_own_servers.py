"""Releases with Secrets and with servers which the user brings. The release of the other tests makes room for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from imagemill_e2e import own_servers
from imagemill_e2e.cluster import RELEASE, Cluster, values_of_release
from imagemill_e2e.forward import Forward
from imagemill_e2e.mill import Mill, picture
from imagemill_e2e.waiting import until

Install = Callable[..., Mill]


@pytest.fixture
def install(cluster: Cluster) -> Iterator[Install]:
    """Installs the chart anew, with more values."""
    make_room(cluster)
    with ExitStack() as forwards:

        def installed(*arguments: str) -> Mill:
            cluster.install(*arguments)
            return Mill(forwards.enter_context(Forward(cluster)).url, cluster.admin_token())

        yield installed
    make_room(cluster)


def make_room(cluster: Cluster) -> None:
    """Nothing of the release is left, the volumes included: their servers have other passwords."""
    cluster.helm("uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout", "5m")
    selector = f"app.kubernetes.io/instance={RELEASE}"
    until("the pods are gone", lambda: not cluster.all("pods", selector), 180)
    cluster.kubectl("delete", "persistentvolumeclaims", "--selector", selector, "--timeout=120s")


def check_it_works(mill: Mill, batch: str) -> None:
    """Both pools take pictures; the second one sleeps until the operator has seen its queue."""
    mill.upload([picture(600 + number) for number in range(10)], batch)
    mill.upload([picture(700)], batch, recipe="denoise")
    counts = mill.wait_done(batch)
    assert (counts["accepted"], counts["stored"]) == (11, 11)


def test_passwords_are_those_of_existing_secrets(cluster: Cluster, install: Install, batch: str) -> None:
    passwords = {name: own_servers.password() for name in (*own_servers.PROGRAMS, "erlang-cookie")}
    database = {"username": "owner"} | {
        name: own_servers.password() for name in ("password", "cookie-secret", "erlang-cookie")
    }
    cluster.apply(own_servers.secret("broker-passwords", passwords), own_servers.secret("database-passwords", database))
    mill = install(
        "--set", "rabbitmq.existingSecret=broker-passwords", "--set", "couchdb.existingSecret=database-passwords",
        "--set", "rabbitmq.replicas=1",
    )  # fmt: skip
    check_it_works(mill, batch)
    assert not [
        item
        for item in cluster.all("secrets")
        if item["metadata"]["name"] in ("mill-imagemill-rabbitmq", "mill-imagemill-couchdb")
    ]
    said = cluster.execute("mill-imagemill-rabbitmq-0", "rabbitmqctl", "authenticate_user", "api", passwords["api"])
    assert "Success" in said


def test_servers_are_those_of_the_user(cluster: Cluster, install: Install, batch: str) -> None:
    assert set(own_servers.permissions()) == set(own_servers.PROGRAMS)
    with own_servers.running(cluster, own_servers.images(values_of_release())):
        mill = install(*own_servers.values())
        check_it_works(mill, batch)
        assert cluster.all("statefulsets") == []
