"""A real RabbitMQ tells which pods hold messages: each consumer comes from an address of its own, as pods do."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pika
import pytest
from tests.cluster import bodies
from tests.cluster.operator_process import eventually
from tests.cluster.rabbit import Rabbit, free_ports
from tests.cluster.relay import connections_from
from tests.cluster.test_rights_of_amqp import put

from imagemill_operator.broker import NO_MANAGEMENT, Broker
from imagemill_operator.channels import ChannelList
from imagemill_operator.facts import PodFacts, pod_facts
from imagemill_operator.going import victims
from imagemill_operator.holders import Held, held_messages
from imagemill_operator.idle import LAG_SECONDS, IdleTimes
from imagemill_operator.observe import readings_of
from imagemill_operator.settings import Settings

VHOST, QUEUE = "held", "held.work"


def pod(name: str, address: str) -> PodFacts:
    body = bodies.pod(name)
    body["status"]["podIP"] = address
    return pod_facts(body)


BUSY, IDLE = pod("busy", "127.0.0.2"), pod("idle", "127.0.0.3")


@pytest.fixture
def consumers(broker: Rabbit) -> Iterator[dict[str, Any]]:
    """Channels of both pods in a virtual host of its own; five messages wait."""
    put(broker, f"/api/vhosts/{VHOST}", {})
    put(broker, f"/api/permissions/{VHOST}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    port = urlsplit(broker.amqp_url).port or 0
    with ExitStack() as stack:
        channels = {}
        for one in (BUSY, IDLE):
            relay = stack.enter_context(connections_from(str(one.ip), port))
            connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", relay, VHOST))
            stack.callback(connection.close)
            channels[one.name] = connection.channel()
        channels["busy"].queue_declare(QUEUE, durable=True)
        channels["busy"].confirm_delivery()
        for _ in range(5):
            channels["busy"].basic_publish("", QUEUE, b"x")
        yield channels


def channels_of(url: str | None, metrics_url: str, vhost: str = VHOST) -> ChannelList:
    async def once() -> ChannelList:
        own = Settings("default", (metrics_url,), management_url=url, request_timeout_seconds=60.0)
        async with aiohttp.ClientSession() as session:
            reading = await Broker(own, session).read([], asleep=[], with_acks=False, channels_of=[vhost])
            return reading.channels[vhost]

    return asyncio.run(once())


def test_of_two_consumers_the_one_that_holds_no_message_is_marked(broker: Rabbit, consumers: dict[str, Any]) -> None:
    consumers["busy"].basic_qos(prefetch_count=5)
    consumers["busy"].basic_consume(QUEUE, lambda *_: None)

    def held() -> Held:
        for channel in consumers.values():
            channel.connection.process_data_events(0)
        told = channels_of(broker.management_url, broker.metrics_url)
        return held_messages([BUSY, IDLE], [BUSY, IDLE], told.channels, [QUEUE])

    eventually(lambda: held() == Held({"busy": 5}), what="five messages, and a pod that does not consume yet: unknown")
    consumers["idle"].basic_consume(QUEUE, lambda *_: None)
    eventually(lambda: held() == Held({"busy": 5, "idle": 0}), what="a pod that is known to hold none")
    times = IdleTimes()
    times.look(held(), 0.0)
    times.look(held(), LAG_SECONDS)
    told = readings_of(times.seen(LAG_SECONDS), [BUSY, IDLE], LAG_SECONDS)
    assert victims([BUSY, IDLE], told, 2, LAG_SECONDS) == {"idle"}
    assert channels_of(broker.management_url, broker.metrics_url, "%2F no such").problem.endswith(".")


def test_a_user_without_the_tag_is_refused_with_what_to_do(broker: Rabbit) -> None:
    put(broker, "/api/users/untagged", {"password": "hunter2", "tags": ""})
    put(broker, "/api/permissions/%2F/untagged", {"configure": "^$", "write": "^$", "read": "^$"})
    url = broker.management_url.replace("guest:guest", "untagged:hunter2")
    told = channels_of(url, broker.metrics_url, "/")
    assert told.problem.startswith("The management API does not let its user list channels (40")
    assert told.problem.endswith("give it the tag monitoring.")
    assert not told.is_passing


def test_a_user_who_may_see_nothing_but_its_own_is_told_so_and_not_that_nobody_consumes(broker: Rabbit) -> None:
    put(broker, "/api/users/manager", {"password": "hunter2", "tags": "management"})
    put(broker, "/api/permissions/%2F/manager", {"configure": "^$", "write": "^$", "read": "^$"})
    url = broker.management_url.replace("guest:guest", "manager:hunter2")
    assert channels_of(url, broker.metrics_url, "/").problem.endswith("give it the tag monitoring.")


def test_how_often_a_real_broker_renews_its_statistics_is_learned(broker: Rabbit) -> None:
    async def learned() -> float | None:
        own = Settings("default", (), management_url=broker.management_url, request_timeout_seconds=60.0)
        async with aiohttp.ClientSession() as session:
            reader = Broker(own, session)
            for _ in range(30):
                reading = await reader.read([], asleep=[], with_acks=False, channels_of=["/"])
                if reading.channels["/"].interval_seconds is not None:
                    return reading.channels["/"].interval_seconds
                await asyncio.sleep(0.5)
        return None

    assert asyncio.run(learned()) == pytest.approx(5.0, abs=2.0), "never taken for more often than by default"


def test_more_channels_than_are_read_are_said_to_be_and_not_asked_for_again_at_once(
    broker: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagemill_operator.broker.LARGEST_CHANNELS_BYTES", 1)
    told = channels_of(broker.management_url, broker.metrics_url, "/")
    assert told.problem == (
        "There are more channels in the virtual host than are read (the answer is longer than 1 bytes)."
    )
    assert not told.is_passing


def test_a_management_api_that_is_away_may_come_back_and_one_that_is_not_there_will_not(broker: Rabbit) -> None:
    (port,) = free_ports(1)
    away = channels_of(f"http://me:hunter2@127.0.0.1:{port}", broker.metrics_url)
    assert away.is_passing
    assert away.problem.startswith("The management API does not list the channels: ")
    assert "hunter2" not in away.problem
    assert str(port) not in away.problem, "where a broker is stands in no status"
    assert channels_of(None, broker.metrics_url) == ChannelList(problem=NO_MANAGEMENT)
