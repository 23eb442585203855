"""Flask and Celery."""

import os

from celery import Celery

from imagemill_peers.front import main
from imagemill_peers.photos import QUEUE, amqp_url, make_gray

app = Celery("photos", broker=amqp_url())
app.conf.update(
    accept_content=["pickle"],  # JSON would make the bytes a third larger
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_default_queue=QUEUE,
    task_default_queue_type="quorum",
    task_ignore_result=True,
    task_serializer="pickle",
    worker_prefetch_multiplier=2,
)
gray = app.task(make_gray, name="gray")


def publish(photo_id: str, revision: str, data: bytes) -> None:
    """Enqueue."""
    gray.delay(photo_id, revision, data)


def work() -> None:
    """A process without children: the bytes are not copied to another one once more."""
    os.environ.setdefault("C_FORCE_ROOT", "1")  # pickle is refused to root otherwise; who benchmarks may be root
    options = ["--pool=solo", "--concurrency=1", "--loglevel=error", "--without-gossip", "--without-mingle"]
    app.worker_main(["worker", *options, f"--hostname=gray-{os.getpid()}"])


if __name__ == "__main__":
    main(publish, work)
