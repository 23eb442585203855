"""A broker's queues, and faults which its own tools can make."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pika

from imagemill.local.rabbit import RabbitServer, rabbitmq_executable

_USUAL_WATERMARK = "0.4"
_USUAL_DISK = "50MB"


def waiting_messages(amqp_url: str, queue: str) -> int:
    """How many messages are ready in a queue."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    try:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)
    finally:
        connection.close()


@contextmanager
def memory_alarm(server: RabbitServer) -> Iterator[None]:
    """While it lasts the broker reads nothing of connections which publish."""
    with _changed(server, "set_vm_memory_high_watermark", "0", _USUAL_WATERMARK):
        yield


@contextmanager
def disk_alarm(server: RabbitServer) -> Iterator[None]:
    """The same, for want of free disk."""
    with _changed(server, "set_disk_free_limit", "1000000GB", _USUAL_DISK):
        yield


@contextmanager
def _changed(server: RabbitServer, setting: str, to: str, usual: str) -> Iterator[None]:
    _control(server, setting, to)
    try:
        yield
    finally:
        _control(server, setting, usual)


def _control(server: RabbitServer, *words: str) -> None:
    # The one beside the server: Debian's on the PATH becomes the user rabbitmq.
    control = Path(rabbitmq_executable()).with_name("rabbitmqctl")
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(server.folder),
        "ERL_EPMD_PORT": str(server.ports.epmd),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": "imagemill@localhost",
    }
    subprocess.run([control, *words], env=environment, check=True, timeout=60, capture_output=True)
