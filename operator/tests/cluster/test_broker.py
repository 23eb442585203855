"""Reads a real RabbitMQ."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pika
import pytest
from tests.cluster.operator_process import eventually
from tests.cluster.rabbit import Rabbit, free_ports
from tests.cluster.test_rights_of_amqp import put

from imagemill_operator.broker import Broker, addresses, without_password
from imagemill_operator.depth import BrokerReading, LiveReading, QueueKind, QueueName, acked_of, backlog_of
from imagemill_operator.live import LiveDepth
from imagemill_operator.policy import Backlog
from imagemill_operator.settings import Settings


@pytest.fixture
def channel(broker: Rabbit) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.amqp_url))
    yield connection.channel()
    connection.close()


@pytest.fixture(params=["quorum", "classic"])
def queue(request: pytest.FixtureRequest, channel: Any) -> Iterator[QueueName]:
    name = f"depth.{request.param}"
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": request.param})
    channel.confirm_delivery()
    for _ in range(10):
        channel.basic_publish("", name, b"x")
    yield ("/", name)
    channel.queue_delete(name)


def read(settings: Settings, queue: QueueName, *, asleep: bool = False) -> BrokerReading:
    async def once() -> BrokerReading:
        async with aiohttp.ClientSession() as session:
            broker = Broker(settings, session)
            try:
                looked_at = [queue] if asleep else []
                return await broker.read([queue], asleep=looked_at, with_acks=True)
            finally:
                await broker.close()

    return asyncio.run(once())


def settings(**urls: Any) -> Settings:
    return Settings(namespace="default", request_timeout_seconds=60.0, **urls)


def test_one_scrape_tells_ready_and_unacked(broker: Rabbit, channel: Any, queue: QueueName) -> None:
    channel.basic_qos(prefetch_count=4)
    channel.basic_consume(queue[1], lambda *_: None)
    own = settings(broker_metrics_urls=(broker.metrics_url,))
    expected = Backlog(6, 4)
    eventually(lambda: backlog_of([queue], read(own, queue)) == expected, what=f"{expected} in the metrics")


def test_other_virtual_hosts_are_not_asked_for(broker: Rabbit, channel: Any, queue: QueueName) -> None:
    put(broker, "/api/vhosts/elsewhere", {})
    put(broker, "/api/permissions/elsewhere/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    other = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", urlsplit(broker.amqp_url).port, "elsewhere"))
    other.channel().queue_declare("there", durable=True)
    own = settings(broker_metrics_urls=(broker.metrics_url,))
    there = ("elsewhere", "there")
    eventually(lambda: read(own, there).queues.keys() == {there}, what="the queue of the other virtual host alone")
    eventually(lambda: queue in read(own, queue).queues, what="the queue of ours")
    assert there not in read(own, queue).queues
    other.close()


def test_a_queue_that_is_not_there_is_unknown(broker: Rabbit) -> None:
    own = settings(
        broker_metrics_urls=(broker.metrics_url,), amqp_url=broker.amqp_url, management_url=broker.management_url
    )
    reading = read(own, ("/", "no.such.queue"), asleep=True)
    assert backlog_of([("/", "no.such.queue")], reading) is None
    assert reading.errors == []


def test_the_live_look_sees_messages_at_once(broker: Rabbit, queue: QueueName) -> None:
    """A quorum queue whose leader is held up for a quarter of a second counts as empty: it is asked again."""
    live = LiveDepth(broker.amqp_url, 60.0)
    seen = ({queue: LiveReading(10)}, [])
    try:
        eventually(lambda: live.look([("/", "no.such.queue"), queue]) == seen, what="the queue that is there")
        eventually(lambda: live.look([queue]) == seen, what="the queue over the same connection")
    finally:
        live.close()


def test_management_is_the_fallback(broker: Rabbit, queue: QueueName) -> None:
    own = settings(management_url=broker.management_url)
    expected = Backlog(10, 0)
    eventually(lambda: backlog_of([queue], read(own, queue)) == expected, what="10 messages")


def test_acknowledgements_are_counted_by_channel_before_rabbitmq_4(
    broker: Rabbit, channel: Any, queue: QueueName
) -> None:
    def handle(got: Any, method: Any, *_: Any) -> None:
        got.basic_ack(method.delivery_tag)

    channel.basic_consume(queue[1], handle)

    async def acked() -> float:
        async with aiohttp.ClientSession() as session:
            reader = Broker(settings(broker_metrics_urls=(broker.metrics_url,)), session)
            for _ in range(600):
                reading = await reader.read([queue], asleep=[], with_acks=True)
                if counted := sum(acked_of([queue], reading).values()):
                    return counted
                await asyncio.to_thread(channel.connection.process_data_events, 0.1)
        return 0.0

    assert asyncio.run(acked()) > 0


def test_a_broker_that_is_away_leaves_everything_unknown_and_is_named_without_its_password() -> None:
    http, amqp = free_ports(2)
    own = settings(
        broker_metrics_urls=(f"http://me:secret@127.0.0.1:{http}",),
        amqp_url=f"amqp://me:secret@127.0.0.1:{amqp}/",
        management_url=f"http://me:secret@127.0.0.1:{http}",
    )
    reading = read(own, ("/", "work.a"), asleep=True)
    assert reading.queues == {}
    assert len(reading.errors) == 3
    assert not any("secret" in error for error in reading.errors)


def test_a_name_with_several_addresses_is_read_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", (host, 15692)) for host in ("10.0.0.2", "10.0.0.1", "10.0.0.1")]

    async def found() -> list[str]:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        return await addresses("http://u:p@mq.local:15692")

    assert asyncio.run(found()) == ["http://u:p@10.0.0.1:15692", "http://u:p@10.0.0.2:15692"]
    assert without_password("http://u:p@mq.local:15692") == "http://mq.local:15692"


def any_waiting(settings: Settings, queue: QueueName) -> bool:
    async def once() -> bool:
        async with aiohttp.ClientSession() as session:
            broker = Broker(settings, session)
            try:
                return await broker.any_waiting([queue])
            finally:
                await broker.close()

    return asyncio.run(once())


def test_messages_that_wait_are_seen_at_once(broker: Rabbit, channel: Any, queue: QueueName) -> None:
    own = settings(amqp_url=broker.amqp_url)
    eventually(lambda: any_waiting(own, queue), what="the messages")
    channel.queue_purge(queue[1])
    eventually(lambda: not any_waiting(own, queue), what="an empty queue")


def test_a_broker_that_is_away_tells_of_no_message() -> None:
    (port,) = free_ports(1)
    assert not any_waiting(settings(amqp_url=f"amqp://127.0.0.1:{port}/"), ("/", "work.a"))


def test_a_virtual_host_that_is_not_there_blinds_no_other_and_is_left_alone_for_a_while(
    broker: Rabbit, queue: QueueName
) -> None:
    now = 0.0
    live = LiveDepth(broker.amqp_url, 60.0, lambda: now)
    typo = ("no-such-vhost", "work.a")
    try:
        eventually(lambda: live.look([typo, queue])[0] == {queue: LiveReading(10)}, what="the queue that is there")
        errors = live.look([typo, queue])[1]
        assert [error.partition(": ")[0] for error in errors] == [
            "The broker does not answer over AMQP for virtual host no-such-vhost"
        ]
        assert connections_made(live, typo, queue, seconds=60) <= 9, "after 1, 2, 4, 8 s, and then every 10"
    finally:
        live.close()


def connections_made(live: LiveDepth, *queues: QueueName, seconds: int) -> int:
    """Look every second of a clock that a test moves."""
    made = 0
    parameters = live._parameters

    def counted(vhost: str) -> Any:
        nonlocal made
        made += 1
        return parameters(vhost)

    live._parameters = counted  # type: ignore[method-assign]
    for second in range(seconds):
        live._clock = lambda at=second: 100.0 + at  # type: ignore[misc]
        live.look(queues)
    return made


def test_over_amqp_alone_an_awake_pool_is_seen_and_its_empty_queue_believed(
    broker: Rabbit, channel: Any, queue: QueueName
) -> None:
    own = settings(amqp_url=broker.amqp_url)
    eventually(lambda: backlog_of([queue], read(own, queue)) == Backlog(10), what="10 messages")
    channel.queue_purge(queue[1])
    channel.basic_consume(queue[1], lambda *_: None)
    eventually(lambda: backlog_of([queue], read(own, queue)) == Backlog(0), what="an empty queue that is consumed")


def test_streams_and_single_active_consumers_are_told_by_the_management_api(broker: Rabbit, channel: Any) -> None:
    channel.queue_declare("kind.log", durable=True, arguments={"x-queue-type": "stream"})
    channel.queue_declare("kind.one", durable=True, arguments={"x-single-active-consumer": True})
    own = settings(broker_metrics_urls=(broker.metrics_url,), management_url=broker.management_url)
    wanted = {("/", "kind.log"): QueueKind(is_stream=True), ("/", "kind.one"): QueueKind(has_single_consumer=True)}
    eventually(lambda: wanted.items() <= read(own, ("/", "kind.log")).kinds.items(), what="both kinds")
    for name in ("kind.log", "kind.one"):
        channel.queue_delete(name)
