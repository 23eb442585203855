"""What RabbitMQ refuses is told with what to do."""

from collections.abc import Callable

import pika
import pytest
import structlog

from imagemill.wire.broker import Broker, parameters_of
from imagemill.wire.broker.advice import advice
from mill import wait_for

Channel = pika.adapters.blocking_connection.BlockingChannel


def with_password(url: str, password: str) -> str:
    user, _, rest = url.removeprefix("amqp://").partition(":")
    return f"amqp://{user}:{password}@{rest.partition('@')[2]}"


def refusal(url: str, ask: Callable[[Channel], object]) -> str:
    with pytest.raises(pika.exceptions.AMQPError) as refused, pika.BlockingConnection(pika.URLParameters(url)) as there:
        ask(there.channel())
    return str(advice(repr(refused.value)))


def test_a_missing_exchange_or_queue_leads_to_who_declares_it(amqp_url: str) -> None:
    assert "the writer declares" in refusal(amqp_url, lambda channel: channel.exchange_declare("images", passive=True))
    assert "the writer declares" in refusal(amqp_url, lambda channel: channel.queue_declare("work.a", passive=True))


def test_a_wrong_password_and_a_wrong_virtual_host_lead_to_the_address(amqp_url: str) -> None:
    assert "the password" in refusal(with_password(amqp_url, "wrong"), lambda channel: None)
    assert "the virtual host" in refusal(amqp_url + "-not", lambda channel: None)


def test_other_words_have_no_advice() -> None:
    assert advice("ConnectionRefusedError(111)") is None
    assert "consistent_hash" in str(advice("PRECONDITION_FAILED - unknown exchange type 'x-consistent-hash'"))


def test_programs_log_the_advice(amqp_url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        broker = Broker(parameters_of(with_password(amqp_url, "wrong"), "test")).start()
        try:
            wait_for(lambda: any("the password" in entry.get("advice", "") for entry in logs), "the advice")
        finally:
            broker.close()
