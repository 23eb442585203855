"""Real servers for the tests, on free ports; nothing of them is left when pytest ends, in whatever way it ends.

`amqp_url`, `couchdb_url` and `couchdb_prefix` give every test a virtual host and database names of its own on servers
that all tests share. A test that stops or kills a server takes `own_rabbit` or `own_couch`.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import hypothesis
import pytest
import requests

from databases import remove_databases
from imagemill.local.couch import CouchServer, local_couch
from imagemill.local.rabbit import RabbitServer
from imagemill.local.servers import LocalServer
from launching import Launched, Launcher
from mill import Mill

_TIMEOUT_SECONDS = 120
Server = TypeVar("Server", bound=LocalServer)
# A busy machine makes examples slow, not wrong. The same ones in every run: what fails is the change, not the draw.
hypothesis.settings.register_profile(
    "ours", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ours")


# Files of slow tests, the slowest first: one that is begun last keeps one processor busy and leaves the other idle.
_FIRST = (
    "pipeline/test_faults", "pipeline/test_repeats", "api/access/test_schema", "faults/", "page/test_accessibility",
    "pipeline/", "wire/test_broker", "local/", "page/", "api/rules/", "frame_to_alert/", "camera/", "cameras/feeds/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first; within a file all stays as it is."""

    def turn(item: pytest.Item) -> int:
        place = item.nodeid.removeprefix("tests/")
        return next((number for number, start in enumerate(_FIRST) if place.startswith(start)), len(_FIRST))

    items.sort(key=turn)


def _running(server: Server, folder: Path) -> Iterator[Server]:
    """Killed at the end, not stopped: its state goes with it, and an orderly stop takes seconds."""
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def temporary_files_of_programs() -> Iterator[None]:
    """A worker that is killed leaves the socket behind by which it had its children made."""
    # Not among pytest's: the names of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="mill-", ignore_cleanup_errors=True) as folder:
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"] = folder
        yield
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


@pytest.fixture(scope="session", autouse=True)
def launcher(temporary_files_of_programs: None) -> Iterator[None]:
    """Started with the first program."""
    made: list[Launcher] = []

    class First:
        def start(self, *asked: Any) -> Launched:
            if not made:
                made.append(Launcher())
            return made[0].start(*asked)

    Mill.launcher = cast(Launcher, First())
    yield
    Mill.launcher = None
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A broker that all tests share; never stop it. AMQP_URL names another one, of another version say.

    Its management API is asked at RABBITMQ_MANAGEMENT_URL, as the same user.
    """
    if url := os.environ.get("AMQP_URL"):
        parts = urlsplit(url)
        management_url = os.environ.get("RABBITMQ_MANAGEMENT_URL", f"http://{parts.hostname}:15672")
        given = SimpleNamespace(amqp_url=url, management_url=management_url)
        given.user, given.password = unquote(parts.username or "guest"), unquote(parts.password or "guest")
        yield cast(RabbitServer, given)
        return
    folder = tmp_path_factory.mktemp("rabbitmq")
    yield from _running(RabbitServer(folder), folder)


@pytest.fixture(scope="session")
def couch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouchServer]:
    """A server of CouchDB's API that all tests share; never stop it. COUCHDB_URL names another one, a cluster say."""
    if url := os.environ.get("COUCHDB_URL"):
        yield cast(CouchServer, SimpleNamespace(url=url.rstrip("/")))
        return
    folder = tmp_path_factory.mktemp("couchdb")
    yield from _running(local_couch(folder), folder)


@pytest.fixture
def own_rabbit(tmp_path: Path) -> Iterator[RabbitServer]:
    """A fresh broker for one test, which may stop, kill and restart it. Starting takes three seconds."""
    folder = tmp_path / "own-rabbitmq"
    yield from _running(RabbitServer(folder), folder)


@pytest.fixture
def own_couch(tmp_path: Path) -> Iterator[CouchServer]:
    """A fresh server of CouchDB's API for one test, which may stop, kill and restart it."""
    folder = tmp_path / "own-couchdb"
    yield from _running(local_couch(folder), folder)


@pytest.fixture
def vhost(rabbit: RabbitServer) -> Iterator[str]:
    """A virtual host for this test alone, removed with its queues and connections afterwards."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    with requests.Session() as session:
        session.auth = (rabbit.user, rabbit.password)
        address = f"{rabbit.management_url}/api/vhosts/{name}"
        session.put(address, json={}, timeout=_TIMEOUT_SECONDS).raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        permissions = f"{rabbit.management_url}/api/permissions/{name}/{rabbit.user}"
        session.put(permissions, json=everything, timeout=_TIMEOUT_SECONDS).raise_for_status()
        yield name
        session.delete(address, timeout=_TIMEOUT_SECONDS).raise_for_status()


@pytest.fixture
def amqp_url(rabbit: RabbitServer, vhost: str) -> str:
    """The address of this test's virtual host, with user and password."""
    return rabbit.amqp_url.removesuffix("%2F") + vhost


@pytest.fixture(scope="session")
def couchdb_url(couch: CouchServer) -> str:
    """The shared server's address, with user and password; name databases with `couchdb_prefix`."""
    return couch.url


@pytest.fixture
def couchdb_prefix(couchdb_url: str) -> Iterator[str]:
    """What the names of this test's databases begin with; those databases are deleted afterwards."""
    prefix = f"test-{uuid.uuid4().hex[:12]}-"
    yield prefix
    remove_databases(couchdb_url, prefix)
