"""A real RabbitMQ behind TLS that asks for a certificate, named by a Secret."""

import asyncio
import base64
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pika
import pytest
import trustme
from tests.cluster.rabbit import Rabbit
from tests.cluster.relay import tls_front

from imagemill_operator.broker import Broker
from imagemill_operator.broker_secret import read_broker_secret
from imagemill_operator.depth import BrokerReading

QUEUE = ("/", "secured")
Texts = dict[str, str]


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def pem(*blobs: trustme.Blob) -> str:
    return "".join(blob.bytes().decode() for blob in blobs)


@pytest.fixture
def queue(broker: Rabbit) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.amqp_url))
    channel = connection.channel()
    channel.queue_declare(QUEUE[1], durable=True)
    channel.confirm_delivery()
    channel.basic_publish("", QUEUE[1], b"x")
    yield channel
    channel.queue_delete(QUEUE[1])
    connection.close()


@pytest.fixture
def secret(broker: Rabbit) -> Iterator[Texts]:
    """All of what a Secret says to reach the broker through TLS."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    own = authority.issue_cert("operator.example")
    with ExitStack() as stack:
        amqp, management = (
            stack.enter_context(tls_front(port_of(url), context)) for url in (broker.amqp_url, broker.management_url)
        )
        yield {
            "amqp-url": f"amqps://guest:guest@localhost:{amqp}/",
            "management-url": f"https://guest:guest@localhost:{management}",
            "ca.crt": pem(authority.cert_pem),
            "tls.crt": pem(*own.cert_chain_pems),
            "tls.key": pem(own.private_key_pem),
        }


def read(texts: Texts) -> BrokerReading:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    addresses = read_broker_secret({"data": data}, "rabbit", 60.0)

    async def once() -> BrokerReading:
        async with aiohttp.ClientSession() as session:
            broker = Broker(addresses, session, addresses.tls)
            try:
                return await broker.read([QUEUE], asleep=[QUEUE], with_acks=False)
            finally:
                await broker.close()

    return asyncio.run(once())


def test_both_ways_lead_through_tls_with_the_certificate_of_the_secret(queue: Any, secret: Texts) -> None:
    reading = read(secret)
    assert reading.errors == []
    assert reading.live[QUEUE].ready == 1
    assert QUEUE in reading.queues


def test_who_shows_no_certificate_is_told_nothing(queue: Any, secret: Texts) -> None:
    reading = read({key: text for key, text in secret.items() if not key.startswith("tls.")})
    assert (reading.live, reading.queues) == ({}, {})
    assert len(reading.errors) >= 2


def test_a_server_of_another_authority_is_not_believed(queue: Any, secret: Texts) -> None:
    reading = read({**secret, "ca.crt": pem(trustme.CA().cert_pem)})
    assert (reading.live, reading.queues) == ({}, {})
    assert any("CERTIFICATE_VERIFY_FAILED" in error for error in reading.errors)


def test_a_password_that_is_refused_is_not_repeated(broker: Rabbit, queue: Any) -> None:
    management = broker.management_url.replace("guest:guest", "guest:hunter2")
    reading = read({"management-url": management, "amqp-url": broker.amqp_url.replace("guest:guest", "guest:hunter2")})
    assert len(reading.errors) >= 2
    assert "hunter2" not in str(reading.errors)
