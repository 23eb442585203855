"""A consumer that knows nothing of the operator: prefetch 1, some work for each message, orderly on SIGTERM.

On SIGTERM it finishes the message it has, acknowledges it and ends. For each message done it sends one to the queue
named by DONE_QUEUE, which tells whether the message was delivered before. Runs from a single file with pika alone.
"""

import os
import signal
import threading
import time
from types import FrameType

import pika
from pika.adapters.blocking_connection import BlockingChannel

WORK_QUEUE = os.environ.get("WORK_QUEUE", "rig.work")
DONE_QUEUE = os.environ.get("DONE_QUEUE", "rig.done")
WORK_SECONDS = float(os.environ.get("WORK_SECONDS", "1"))


def work(channel: BlockingChannel, stopping: threading.Event) -> None:
    """Take one message after the other until told to stop."""
    for method, properties, _ in channel.consume(WORK_QUEUE, inactivity_timeout=0.2):
        if method is not None:
            time.sleep(WORK_SECONDS)
            told = pika.BasicProperties(headers={"redelivered": method.redelivered, "id": properties.message_id})
            channel.basic_publish("", DONE_QUEUE, b"", told)
            channel.basic_ack(method.delivery_tag)
        if stopping.is_set():
            channel.cancel()
            return


def main() -> None:
    """Connect, work, end."""
    stopping = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.connection_attempts, parameters.retry_delay = 10, 1.0
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    work(channel, stopping)
    connection.close()


if __name__ == "__main__":
    main()
