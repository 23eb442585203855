"""RabbitMQ for all programs: connections with threads of their own, windowed confirms, consumers that hand over."""

from imagemill.wire.broker.broker import Broker
from imagemill.wire.broker.connection import parameters_of
from imagemill.wire.broker.consumer import Delivery, OwnQueue
from imagemill.wire.broker.publisher import BrokerUnavailable, Outgoing, Refused, Unroutable

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "Delivery",
    "Outgoing",
    "OwnQueue",
    "Refused",
    "Unroutable",
    "parameters_of",
]
