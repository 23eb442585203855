"""Releases with Secrets and with servers which the user brings. The release of the other tests makes room for them."""

from imagemill_e2e import own_servers
from imagemill_e2e.cluster import Cluster, values_of_release
from imagemill_e2e.release import Install, check_it_works


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
