"""Flask and taskiq."""

import base64
import os

from taskiq_aio_pika import AioPikaBroker, Exchange, Queue, QueueType

from imagemill_peers.front import Background, main
from imagemill_peers.photos import QUEUE, amqp_url, make_gray

broker = AioPikaBroker(
    amqp_url(),
    qos=2,
    exchange=Exchange(name=QUEUE),
    task_queues=[Queue(name=QUEUE, type=QueueType.QUORUM, routing_key=QUEUE)],
    dead_letter_queue=Queue(name=f"{QUEUE}.dead"),
)
background = Background(broker.startup)


@broker.task(task_name="gray", queue_name=QUEUE)
def gray(photo_id: str, revision: str, data: str) -> None:
    """Text, because taskiq makes JSON of its arguments before any serializer sees them."""
    make_gray(photo_id, revision, base64.b64decode(data))


def publish(photo_id: str, revision: str, data: bytes) -> None:
    """Enqueue."""
    background.run(gray.kiq(photo_id, revision, base64.b64encode(data).decode()))


def work() -> None:
    """One process; a task is acknowledged when it ended."""
    options = ["--workers", "1", "--no-parse", "--max-async-tasks", "2", "--log-level", "WARNING"]
    command = ["taskiq", "worker", *options, "--ack-type", "when_executed", "imagemill_peers.with_taskiq:broker"]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(publish, work)
