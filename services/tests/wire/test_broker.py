"""The broker core against a real RabbitMQ."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import pika
import pytest
import structlog
from pika.adapters.utils.io_services_utils import _AsyncTransportBase
from pika.exceptions import ChannelClosedByBroker

from broker_faults import memory_alarm
from imagemill.local.rabbit import RabbitServer
from imagemill.wire.broker import (
    Broker,
    BrokerUnavailable,
    Delivery,
    Outgoing,
    OwnQueue,
    Refused,
    Unroutable,
    parameters_of,
)
from mill import wait_for


def declare(url: str, queue: str, **arguments: object) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum", **arguments})
    connection.close()


def started(
    url: str, on_delivery: Callable[[Delivery], object] | None = None, prefetch: int = 10, **options: object
) -> Broker:
    """Connected, and if told so consuming from the queue `q`."""
    broker = Broker(parameters_of(url, "test"), **options)  # type: ignore[arg-type]
    if on_delivery:
        broker.consume("q", on_delivery, prefetch)
    broker.start()
    wait_for(lambda: broker.ready, "the connection")
    return broker


def test_a_window_of_messages_is_confirmed_one_by_one(amqp_url: str) -> None:
    declare(amqp_url, "q")
    broker = started(amqp_url, confirm_window=10)
    errors = broker.publish_all(Outgoing("", "q", str(n).encode()) for n in range(100))
    assert errors == [None] * 100
    broker.close()


def test_a_message_which_no_queue_takes_is_an_error_of_its_own(amqp_url: str) -> None:
    declare(amqp_url, "q")
    broker = started(amqp_url)
    errors = broker.publish_all([Outgoing("", "q"), Outgoing("", "nowhere"), Outgoing("", "q")])
    assert [type(error) for error in errors] == [type(None), Unroutable, type(None)]
    broker.close()


def test_a_full_queue_refuses(amqp_url: str) -> None:
    declare(amqp_url, "q", **{"x-max-length": 3, "x-overflow": "reject-publish"})
    broker = started(amqp_url)
    assert broker.publish_all([Outgoing("", "q")]) == [None]

    def is_refused() -> bool:
        (error,) = broker.publish_all([Outgoing("", "q")])
        return isinstance(error, Refused)

    # The limit of a quorum queue takes hold a moment after it is reached.
    wait_for(is_refused, "a refusal")
    broker.close()


def test_pika_still_has_what_is_patched_in_it() -> None:
    """Renamed, or with another default, the patch in connection.py would do nothing, or nothing good."""
    read = (
        "from pika.adapters.utils.io_services_utils import _AsyncTransportBase as transport\n"
        "before = transport._MAX_RECV_BYTES\n"
        "import imagemill.wire.broker\n"
        "print(before, transport._MAX_RECV_BYTES)"
    )
    found = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["4096", "131072"]


def test_a_picture_is_taken_in_with_a_few_reads(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(amqp_url, "q")
    limits: list[int] = []
    read = _AsyncTransportBase._sigint_safe_recv

    def counted(connection: socket.socket, most: int) -> bytes:
        limits.append(most)
        return read(connection, most)

    monkeypatch.setattr(_AsyncTransportBase, "_sigint_safe_recv", staticmethod(counted))
    seen: list[bytes] = []
    broker = started(amqp_url, lambda delivery: seen.append(delivery.body))
    broker.publish_all([Outgoing("", "q", b"x" * 220_000)])
    wait_for(lambda: seen, "the picture")
    broker.close()
    assert len(seen[0]) == 220_000
    assert min(limits) >= 65_536


def test_deliveries_are_settled_from_other_threads(amqp_url: str) -> None:
    declare(amqp_url, "q")
    seen: list[bytes] = []

    def on_delivery(delivery: Delivery) -> None:
        threading.Thread(target=lambda: (seen.append(delivery.body), delivery.ack())).start()

    broker = started(amqp_url, on_delivery, prefetch=2)
    broker.publish_all(Outgoing("", "q", str(n).encode()) for n in range(20))
    wait_for(lambda: len(seen) == 20, "all deliveries")
    broker.close()
    assert sorted(seen, key=int) == [str(n).encode() for n in range(20)]


def test_what_was_given_back_comes_again_and_is_known_by_it(amqp_url: str) -> None:
    declare(amqp_url, "q")
    failed: list[int] = []

    def on_delivery(delivery: Delivery) -> None:
        failed.append(delivery.failed_deliveries)
        if len(failed) < 3:
            delivery.requeue()
        else:
            delivery.ack()

    broker = started(amqp_url, on_delivery)
    broker.publish(Outgoing("", "q"))
    wait_for(lambda: len(failed) == 3, "three deliveries")
    broker.close()
    # How often is counted by some versions only (to 4.2), that it was given out before by all.
    assert failed in ([0, 1, 2], [0, 1, 1])


def test_it_comes_back_after_the_broker_was_killed_and_goes_on_consuming(own_rabbit: RabbitServer) -> None:
    seen: list[bytes] = []

    def on_delivery(delivery: Delivery) -> None:
        seen.append(delivery.body)
        delivery.ack()

    broker = started(own_rabbit.amqp_url, on_delivery, prepare=lambda: declare(own_rabbit.amqp_url, "q"))
    # RabbitMQ 3.10 writes down a new quorum queue's members seconds later; killed before, it finds no leader again.
    own_rabbit.restart()
    wait_for(lambda: broker.ready, "the first return")
    own_rabbit.kill()
    wait_for(lambda: not broker.ready, "the loss to be noticed")
    with pytest.raises(BrokerUnavailable):
        broker.publish(Outgoing("", "q"))
    own_rabbit.start()
    wait_for(lambda: broker.ready, "the connection to come back")
    wait_for(lambda: broker.publish_all([Outgoing("", "q", b"after")]) == [None], "a confirm after the return")
    wait_for(lambda: set(seen) == {b"after"}, "a delivery after the return")
    broker.close()


def test_a_queue_that_was_deleted_is_declared_anew_and_consumed(amqp_url: str) -> None:
    seen: list[bytes] = []
    declared: list[str] = []

    def prepare() -> None:
        declare(amqp_url, "q")
        declared.append("q")

    broker = started(amqp_url, lambda delivery: (seen.append(delivery.body), delivery.ack()), prepare=prepare)
    before = len(declared)
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().queue_delete("q")
    wait_for(lambda: len(declared) == before + 1 and broker.ready, "the cancelled consumer to be noticed")
    assert broker.publish_all([Outgoing("", "q", b"after")]) == [None]
    wait_for(lambda: seen == [b"after"], "the message")
    broker.close()


def test_no_future_is_left_open_when_the_broker_dies_under_load(own_rabbit: RabbitServer) -> None:
    declare(own_rabbit.amqp_url, "q")
    broker = started(own_rabbit.amqp_url, confirm_timeout_seconds=20)
    answers: list[list[BaseException | None]] = []
    publisher = threading.Thread(
        target=lambda: answers.append(broker.publish_all([Outgoing("", "q", bytes(50_000))] * 2000))
    )
    publisher.start()
    own_rabbit.kill()
    publisher.join(120)
    assert len(answers[0]) == 2000
    assert any(isinstance(error, BrokerUnavailable) for error in answers[0])
    broker.close()


def test_a_consumer_that_comes_too_late_is_refused(amqp_url: str) -> None:
    declare(amqp_url, "q")
    broker = started(amqp_url)
    with pytest.raises(RuntimeError, match="before the broker is started"):
        broker.consume("q", print)
    broker.close()


def test_nothing_comes_after_consuming_was_stopped(amqp_url: str) -> None:
    declare(amqp_url, "q")
    seen: list[Delivery] = []
    broker = started(amqp_url, seen.append)
    broker.publish(Outgoing("", "q"))
    wait_for(lambda: len(seen) == 1, "the first delivery")
    broker.stop_consuming()
    broker.publish(Outgoing("", "q"))
    broker.publish(Outgoing("", "q"))
    seen[0].ack()
    broker.close()
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    wait_for(lambda: connection.channel().queue_declare("q", passive=True).method.message_count == 2, "both to stay")
    connection.close()
    assert len(seen) == 1


def test_deliveries_are_settled_while_the_broker_blocks_publishers(own_rabbit: RabbitServer) -> None:
    declare(own_rabbit.amqp_url, "q")
    publisher = started(own_rabbit.amqp_url)
    assert publisher.publish_all([Outgoing("", "q")] * 40) == [None] * 40
    publisher.close()
    held: list[Delivery] = []
    settling = threading.Event()

    def on_delivery(delivery: Delivery) -> None:
        held.append(delivery)
        if settling.is_set():
            delivery.ack()

    # One at a time: the second comes only when the broker has read the acknowledgement of the first.
    broker = started(own_rabbit.amqp_url, on_delivery, prefetch=1, confirm_timeout_seconds=1)
    wait_for(lambda: len(held) == 1, "the first delivery")
    with memory_alarm(own_rabbit):
        # After this the broker reads nothing any more of the connection which published.
        broker.publish_all([Outgoing("", "q")])
        wait_for(lambda: not broker.ready, "the broker to block publishers")
        settling.set()
        held[0].ack()
        wait_for(lambda: len(held) >= 40, "what waited")
    wait_for(lambda: broker.ready, "the end of the alarm")
    broker.close()


def test_an_own_queue_is_bound_and_goes_with_its_connection(amqp_url: str) -> None:
    seen: list[bytes] = []
    broker = Broker(parameters_of(amqp_url, "owner"))
    own = OwnQueue({"x-max-length": 10}, (("amq.topic", "one"), ("amq.topic", "two")))
    broker.consume("mine", lambda delivery: seen.append(delivery.body), auto_ack=True, own=own)
    broker.start()
    wait_for(lambda: broker.ready, "the connection")
    assert broker.publish_all([Outgoing("amq.topic", key, key.encode()) for key in ("one", "two")]) == [None, None]
    wait_for(lambda: sorted(seen) == [b"one", b"two"], "both messages")
    broker.close()
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection, pytest.raises(ChannelClosedByBroker):
        connection.channel().queue_declare("mine", passive=True)


def test_an_own_queue_which_another_connection_still_has_is_waited_for(amqp_url: str) -> None:
    predecessor = pika.BlockingConnection(pika.URLParameters(amqp_url))
    predecessor.channel().queue_declare("mine", exclusive=True)
    broker = Broker(parameters_of(amqp_url, "owner"))
    broker.consume("mine", print, auto_ack=True, own=OwnQueue({}, ()))
    with structlog.testing.capture_logs() as logs:
        broker.start()
        wait_for(lambda: any("RESOURCE_LOCKED" in str(entry) for entry in logs), "the broker's refusal")
        assert not broker.ready
        predecessor.close()
        wait_for(lambda: broker.ready, "the queue")
    broker.close()
