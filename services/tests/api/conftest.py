"""A running Imagemill and a scaler that it asks."""

from collections.abc import Iterator

import pytest

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill
from scaler import scaler


@pytest.fixture(scope="module")
def pools_url() -> Iterator[str]:
    with scaler() as address:
        yield address


@pytest.fixture(scope="module")
def mill(
    rabbit: RabbitServer, couch: CouchServer, pools_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mill]:
    """One Imagemill for all tests of a module; they must not stop its programs."""
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), pools_url=pools_url) as running:
        yield running
