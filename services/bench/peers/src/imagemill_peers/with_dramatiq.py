"""Flask and Dramatiq."""

import os
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from imagemill_peers.front import main
from imagemill_peers.photos import QUEUE, amqp_url, make_gray


class _QuorumBroker(RabbitmqBroker):
    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {**super()._build_queue_arguments(queue_name), "x-queue-type": "quorum"}


dramatiq.set_encoder(dramatiq.PickleEncoder())  # JSON does not take bytes
dramatiq.set_broker(_QuorumBroker(url=amqp_url(), confirm_delivery=True))
gray = dramatiq.actor(make_gray, queue_name=QUEUE)


def publish(photo_id: str, revision: str, data: bytes) -> None:
    """Enqueue."""
    gray.send(photo_id, revision, data)


def work() -> None:
    """One process with one thread."""
    os.environ["dramatiq_queue_prefetch"] = "2"  # noqa: SIM112 (its name)
    command = ["dramatiq", "--processes", "1", "--threads", "1", "--skip-logging", "imagemill_peers.with_dramatiq"]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(publish, work)
