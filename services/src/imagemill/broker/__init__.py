"""RabbitMQ for all programs: one connection with its own thread, windowed confirms, consumers that work in threads."""

from imagemill.broker.connection import Broker, parameters_of
from imagemill.broker.consumer import Consumer, Delivery
from imagemill.broker.publisher import BrokerUnavailable, Outgoing, Refused, Unroutable

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "Consumer",
    "Delivery",
    "Outgoing",
    "Refused",
    "Unroutable",
    "parameters_of",
]
