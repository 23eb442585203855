"""Imagemills of real processes, for tests which kill programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from frame_to_alert.alerting import SECRET
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore
from imagemill.store.rules import RuleStore
from mill import Mill
from receiver import Receiver, receiving
from watching import event_store


@pytest.fixture
def own_mill(tmp_path: Path, amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Iterator[Mill]:
    """Not started yet; its programs may be killed."""
    mill = Mill(
        tmp_path,
        amqp_url,
        couchdb_url,
        couchdb_prefix.rstrip("-"),
        frame_partitions=2,
        lease_seconds=2,
        channel_allow_loopback="true",
    )
    yield mill
    mill.close()


@pytest.fixture
def events(couchdb_url: str, couchdb_prefix: str) -> EventStore:
    """The events of `own_mill`."""
    return event_store(couchdb_url, couchdb_prefix.rstrip("-"))


@pytest.fixture
def couch_of_mill(couchdb_url: str, couchdb_prefix: str) -> Couch:
    return Couch(couchdb_url, couchdb_prefix.rstrip("-"))


@pytest.fixture
def book(couch_of_mill: Couch) -> AlertStore:
    return AlertStore(couch_of_mill)


@pytest.fixture
def rules(couch_of_mill: Couch) -> RuleStore:
    store = RuleStore(couch_of_mill)
    store.prepare()
    return store


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def channels_file(tmp_path: Path, receiver: Receiver) -> Path:
    path = tmp_path / "channels.yaml"
    path.write_text(f"desk:\n  webhook: {receiver.url}\n  secret: {SECRET}\n")
    return path
