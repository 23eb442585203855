"""Imagemills of real processes."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """One Imagemill for all tests of a module; they must not stop its programs."""
    name = f"mill-{uuid.uuid4().hex[:8]}"
    auth = (rabbit.user, rabbit.password)
    requests.put(f"{rabbit.management_url}/api/vhosts/{name}", auth=auth, timeout=120).raise_for_status()
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    permissions = f"{rabbit.management_url}/api/permissions/{name}/{rabbit.user}"
    requests.put(permissions, auth=auth, json=rights, timeout=120).raise_for_status()
    running = Mill(
        tmp_path_factory.mktemp("mill"), rabbit.amqp_url.removesuffix("%2F") + name, couch.url, name,
        max_request_files=300, max_image_pixels=30_000_000, max_image_bytes=3_000_000, inline_max_bytes=500_000,
        max_request_bytes=50_000_000,
    )  # fmt: skip
    try:
        yield running.start("writer", "api", "worker", "journal")
    finally:
        running.close()
        requests.delete(f"{rabbit.management_url}/api/vhosts/{name}", auth=auth, timeout=120).raise_for_status()


@pytest.fixture
def new_mill(tmp_path: Path) -> Iterator[Callable[..., Mill]]:
    """Makes Imagemills on given servers, for tests which kill programs."""
    made: list[Mill] = []

    def make(amqp_url: str, couchdb_url: str, prefix: str = "fault", **settings: Any) -> Mill:
        mill = Mill(tmp_path, amqp_url, couchdb_url, prefix, **settings)
        made.append(mill)
        return mill

    yield make
    for mill in made:
        mill.close()


@pytest.fixture
def own_mill(new_mill: Callable[..., Mill], amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Mill:
    """An Imagemill for one test, not started yet, which may kill its programs."""
    return new_mill(amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), redrive_every_seconds=0.5, lease_seconds=5)
