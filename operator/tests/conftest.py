"""A RabbitMQ of its own, started once for all tests that need one."""

from collections.abc import Iterator

import pytest
from tests.cluster import rabbit


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbit.Rabbit]:
    with rabbit.running(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running
