"""Declares the topology at the broker, and asks what is there; each over a connection of its own."""

import contextlib
from collections.abc import Callable, Iterable
from typing import TypeVar

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, ConnectionWrongStateError

from imagemill.wire import topology

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
_ACCESS_REFUSED, _NOT_FOUND, _PRECONDITION_FAILED = 403, 404, 406


def declare(connection: pika.BlockingConnection, wanted: topology.Topology) -> None:
    """Makes it so; raises pika's ChannelClosedByBroker when an exchange of another kind has the name."""
    channel = connection.channel()
    for name, exchange in wanted.exchanges.items():
        channel.exchange_declare(name, exchange_type=exchange.kind, durable=True, arguments=dict(exchange.arguments))
    for queue in wanted.queues:
        _declare_queue(connection, queue)
        for source, key in queue.bindings:
            channel.queue_bind(queue.name, source, key)
    for name, exchange in wanted.exchanges.items():
        for source in exchange.sources:
            channel.exchange_bind(name, source, "#")
    # Last: until then every message has a queue.
    for queue in wanted.queues:
        for source, key in queue.unbindings:
            channel.queue_unbind(queue.name, source, key)


def _declare_queue(connection: pika.BlockingConnection, queue: topology.Queue) -> None:
    """A queue which exists with other arguments is used as it is: a changed setting must not stop everything."""
    channel = connection.channel()
    try:
        channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
        channel.close()
    except ChannelClosedByBroker as error:
        if error.reply_code != _PRECONDITION_FAILED:
            raise
        hint = "delete the queue to let it be made anew; pictures in it are published again from the ledger"
        log.warning("queue has other arguments than the settings say", queue=queue.name, hint=hint)


def check_at(parameters: pika.ConnectionParameters) -> None:
    """Raise pika's ChannelClosedByBroker until the program that may has declared what others publish to.

    Who has no right to it does not publish to it: RabbitMQ 4.3 does not tell them whether it is there.
    """
    try:
        at(parameters, lambda channel: channel.exchange_declare(topology.REPLIES, passive=True))
    except ChannelClosedByBroker as closed:
        if closed.reply_code != _ACCESS_REFUSED:
            raise


def ready_messages(channel: BlockingChannel, queue: str) -> int:
    """Messages which wait in a queue; raises when it does not exist."""
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def declare_at(parameters: pika.ConnectionParameters, wanted: topology.Topology) -> None:
    """Declare over a connection of its own."""
    connection = pika.BlockingConnection(parameters)
    try:
        declare(connection, wanted)
    finally:
        with contextlib.suppress(ConnectionWrongStateError):  # the broker closed it, and said why
            connection.close()


def at(parameters: pika.ConnectionParameters, use: Callable[[BlockingChannel], Answer]) -> Answer:
    """Use a channel of a connection of its own."""
    connection = pika.BlockingConnection(parameters)
    try:
        return use(connection.channel())
    finally:
        with contextlib.suppress(ConnectionWrongStateError):
            connection.close()


def ready_at(parameters: pika.ConnectionParameters, queues: Iterable[str]) -> int:
    """Messages which wait in some queues, read over a connection of its own."""
    return at(parameters, lambda channel: sum(ready_messages(channel, queue) for queue in queues))


def absent_at(parameters: pika.ConnectionParameters, queues: Iterable[str]) -> set[str]:
    """Which of these queues do not exist, asked over a connection of its own."""
    connection = pika.BlockingConnection(parameters)
    try:
        return {queue for queue in queues if not _exists(connection, queue)}
    finally:
        connection.close()


def _exists(connection: pika.BlockingConnection, queue: str) -> bool:
    channel = connection.channel()  # one each: the broker closes it with the answer that there is none
    try:
        channel.queue_declare(queue, passive=True)
        channel.close()
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return False
    return True
