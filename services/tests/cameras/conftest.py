"""Imagemills of real processes, for tests which kill programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill.camera_events import EventStore
from mill import Mill
from watching import event_store


@pytest.fixture
def own_mill(tmp_path: Path, amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Iterator[Mill]:
    """Not started yet; its programs may be killed."""
    mill = Mill(tmp_path, amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), frame_partitions=2, lease_seconds=2)
    yield mill
    mill.close()


@pytest.fixture
def events(couchdb_url: str, couchdb_prefix: str) -> EventStore:
    """The events of `own_mill`."""
    return event_store(couchdb_url, couchdb_prefix.rstrip("-"))
