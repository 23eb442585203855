"""Brokers by their Secrets: read, renewed, refused."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from imagemill_operator.brokers import OWN, REFRESH_SECONDS, Brokers, NamedBroker
from imagemill_operator.channels import ChannelList
from imagemill_operator.depth import BrokerProblem
from imagemill_operator.kube import KubeError
from imagemill_operator.settings import Settings

NOWHERE = "http://127.0.0.1:9"
SETTINGS = Settings("default", broker_secrets=frozenset({"rabbit", "other"}), request_timeout_seconds=1.0)


@dataclass
class Secrets:
    """The API server's, by name; ``error`` is its status when it refuses."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: int | None = None
    asked: list[str] = field(default_factory=list)
    now: float = 0.0

    def put(self, name: str, version: str = "1", **texts: str) -> None:
        data = {key.replace("_", "-"): base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        self.found[name] = {"metadata": {"resourceVersion": version}, "data": data}

    async def get(self, name: str) -> dict[str, Any] | None:
        self.asked.append(name)
        if self.error is not None:
            raise KubeError(self.error, "refused")
        return self.found.get(name)


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


def with_brokers(
    secrets: Secrets, use: Callable[[Brokers], Coroutine[Any, Any, None]], settings: Settings = SETTINGS
) -> None:
    async def inside() -> None:
        async with aiohttp.ClientSession() as session:
            brokers = Brokers(settings, session, secrets.get, lambda: secrets.now)
            try:
                await use(brokers)
            finally:
                await brokers.close()

    asyncio.run(inside())


async def reason(brokers: Brokers, name: str) -> str:
    reader = (await brokers.readers([name]))[name]
    return reader.reason if isinstance(reader, BrokerProblem) else "Usable"


def test_a_secret_is_read_now_and_then_and_its_broker_kept_while_it_does_not_change(secrets: Secrets) -> None:
    secrets.put("rabbit", metrics_url=NOWHERE)

    async def use(brokers: Brokers) -> None:
        first = (await brokers.readers(["rabbit"]))["rabbit"]
        secrets.now += REFRESH_SECONDS - 1
        assert (await brokers.readers(["rabbit"]))["rabbit"] is first
        assert secrets.asked == ["rabbit"]
        secrets.now += 1
        assert (await brokers.readers(["rabbit"]))["rabbit"] is first
        assert secrets.asked == ["rabbit", "rabbit"]
        secrets.put("rabbit", "2", metrics_url="http://127.0.0.1:10")
        secrets.now += REFRESH_SECONDS
        assert (await brokers.readers(["rabbit"]))["rabbit"] is not first

    with_brokers(secrets, use)


def test_each_trouble_is_told_by_its_reason_and_ends_when_it_is_mended(secrets: Secrets) -> None:
    async def use(brokers: Brokers) -> None:
        assert await reason(brokers, "rabbit") == "SecretMissing"
        secrets.put("rabbit", metrics_url="nowhere")
        secrets.now += REFRESH_SECONDS
        assert await reason(brokers, "rabbit") == "AddressInvalid"
        secrets.put("rabbit", "2", metrics_url=NOWHERE)
        secrets.now += REFRESH_SECONDS
        assert await reason(brokers, "rabbit") == "Usable"
        del secrets.found["rabbit"]
        secrets.now += REFRESH_SECONDS
        assert await reason(brokers, "rabbit") == "SecretMissing"

    with_brokers(secrets, use)


def test_a_secret_that_is_not_on_the_list_is_not_even_asked_for(secrets: Secrets) -> None:
    async def use(brokers: Brokers) -> None:
        assert await reason(brokers, "admin-password") == "SecretNotAllowed"
        assert secrets.asked == []

    with_brokers(secrets, use)


def test_a_role_that_does_not_have_the_secret_is_told(secrets: Secrets) -> None:
    secrets.error = 403

    async def use(brokers: Brokers) -> None:
        assert await reason(brokers, "rabbit") == "SecretForbidden"

    with_brokers(secrets, use)


@pytest.mark.parametrize("status", [0, 429, 500])
def test_an_api_server_in_trouble_takes_no_broker_away(secrets: Secrets, status: int) -> None:
    secrets.put("rabbit", metrics_url=NOWHERE)

    async def use(brokers: Brokers) -> None:
        assert await reason(brokers, "rabbit") == "Usable"
        secrets.error = status
        secrets.now += REFRESH_SECONDS
        assert await reason(brokers, "rabbit") == "Usable"
        assert await reason(brokers, "other") == "SecretUnread"

    with_brokers(secrets, use)


def test_a_pool_without_broker_ref_needs_a_broker_of_the_operators(secrets: Secrets) -> None:
    async def without(brokers: Brokers) -> None:
        assert await reason(brokers, OWN) == "NoBroker"

    async def with_one(brokers: Brokers) -> None:
        assert await reason(brokers, OWN) == "Usable"

    with_brokers(secrets, without)
    with_brokers(secrets, with_one, Settings("default", broker_metrics_urls=(NOWHERE,)))


def test_brokers_that_nobody_names_any_more_are_given_up(secrets: Secrets) -> None:
    secrets.put("rabbit", metrics_url=NOWHERE)

    async def use(brokers: Brokers) -> None:
        await brokers.readers(["rabbit"])
        assert await brokers.readers([]) == {}
        await brokers.readers(["rabbit"])
        assert secrets.asked == ["rabbit", "rabbit"]

    with_brokers(secrets, use)


def test_what_a_broker_says_of_its_troubles_holds_no_password() -> None:
    class Talkative:
        async def read(self, *_: Any, **__: Any) -> Any:
            from imagemill_operator.depth import BrokerReading

            told = {"/": ChannelList(problem="http://u:hun%2Fter2@rabbit is away")}
            errors = ["http://u:hun%2Fter2@rabbit does not answer: hun/ter2 is wrong"]
            return BrokerReading(channels=told, errors=errors)

    reader = NamedBroker("rabbit", Talkative(), {"hun%2Fter2", "hun/ter2"})  # type: ignore[arg-type]
    reading = asyncio.run(reader.read([], asleep=[], with_acks=False, channels_of=["/"]))
    assert reading.channels["/"].problem == "http://u:…@rabbit is away"
    assert reading.errors == ["Broker of Secret rabbit: http://u:…@rabbit does not answer: … is wrong"]
