"""RabbitMQ for all programs: one connection with its own thread, windowed confirms, consumers that work in threads."""

from imagemill.wire.broker.connection import Broker, parameters_of
from imagemill.wire.broker.consumer import Delivery
from imagemill.wire.broker.publisher import BrokerUnavailable, Outgoing, Refused, Unroutable

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "Delivery",
    "Outgoing",
    "Refused",
    "Unroutable",
    "parameters_of",
]
