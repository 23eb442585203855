"""Flask and pika alone."""

import threading
from typing import Any

import pika

from imagemill_peers.front import main
from imagemill_peers.photos import QUEUE, amqp_url, make_gray

_local = threading.local()


def _channel() -> Any:
    """One a thread, in confirm mode."""
    if not hasattr(_local, "channel"):
        _local.channel = pika.BlockingConnection(pika.URLParameters(amqp_url())).channel()
        _local.channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        _local.channel.confirm_delivery()
    return _local.channel


def publish(photo_id: str, revision: str, data: bytes) -> None:
    """Publish and wait for the confirm."""
    headers = {"revision": revision}
    properties = pika.BasicProperties(message_id=photo_id, headers=headers, delivery_mode=pika.DeliveryMode.Persistent)
    _channel().basic_publish("", QUEUE, data, properties, mandatory=True)


def _on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    make_gray(properties.message_id, properties.headers["revision"], body)
    channel.basic_ack(method.delivery_tag)


def work() -> None:
    """Consume for ever."""
    channel = _channel()
    channel.basic_qos(prefetch_count=2)
    channel.basic_consume(QUEUE, _on_message)
    channel.start_consuming()


if __name__ == "__main__":
    main(publish, work)
