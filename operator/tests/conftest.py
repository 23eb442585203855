"""A RabbitMQ of its own, started once for all tests that need one."""

from collections.abc import Iterator

import hypothesis
import pytest
from tests.cluster import rabbit

# A busy machine makes examples slow, not wrong. The same ones in every run: what fails is the change, not the draw.
hypothesis.settings.register_profile(
    "ours", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ours")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbit.Rabbit]:
    with rabbit.running(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running
