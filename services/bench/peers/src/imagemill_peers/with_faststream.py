"""Flask and FastStream."""

import asyncio

from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue

from imagemill_peers.front import Background, main
from imagemill_peers.photos import QUEUE, amqp_url, make_gray

broker = RabbitBroker(amqp_url(), default_channel=Channel(prefetch_count=2), log_level=30)
queue = RabbitQueue(QUEUE, queue_type=QueueType.QUORUM, durable=True)
background = Background(broker.connect)


def publish(photo_id: str, revision: str, data: bytes) -> None:
    """Publish; the channel confirms by default."""
    headers = {"photo": photo_id, "revision": revision}
    background.run(broker.publish(data, queue=QUEUE, headers=headers, persist=True))


@broker.subscriber(queue)
async def gray(data: bytes, message: RabbitMessage) -> None:
    """Acknowledged when it returns. In a thread: two at a time, so that one works while the other is stored."""
    await asyncio.to_thread(make_gray, message.headers["photo"], message.headers["revision"], data)


def work() -> None:
    """One process."""
    asyncio.run(FastStream(broker).run())


if __name__ == "__main__":
    main(publish, work)
