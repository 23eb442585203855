"""Imagemills of real processes that tell receivers on this machine, for tests which kill programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagemill.store.couch import Couch
from imagemill.store.deliveries import DeliveryStore
from mill import Mill
from receiver import Receiver, receiving
from webhooks.telling import Channels


@pytest.fixture
def own_mill(tmp_path: Path, amqp_url: str, couchdb_url: str, couchdb_prefix: str) -> Iterator[Mill]:
    """Not started yet; its programs may be killed."""
    mill = Mill(
        tmp_path, amqp_url, couchdb_url, couchdb_prefix.rstrip("-"), lease_seconds=2, channel_allow_loopback="true",
        channels_file=tmp_path / "channels.yaml", batch_quiet_seconds=1,
    )  # fmt: skip
    yield mill
    mill.close()


@pytest.fixture
def couch_of_mill(couchdb_url: str, couchdb_prefix: str) -> Couch:
    return Couch(couchdb_url, couchdb_prefix.rstrip("-"))


@pytest.fixture
def deliveries(couch_of_mill: Couch) -> DeliveryStore:
    """The deliveries of `own_mill`."""
    return DeliveryStore(couch_of_mill)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def channels(tmp_path: Path) -> Channels:
    """Writes the channels file of `own_mill`."""
    return Channels(tmp_path / "channels.yaml")
