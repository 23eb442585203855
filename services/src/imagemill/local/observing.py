"""What the scaler sees: each pool's queue and its workers' own metrics, put together for the policy."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pika
from imagemill_operator.policy import Backlog
from pika.exceptions import AMQPError
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from imagemill.local.probe import get
from imagemill.wire import topology

_BUSY = "imagemill_worker_busy"
_THREADS = "imagemill_worker_threads"
_IMAGES = "imagemill_worker_image_seconds_count"
_SECONDS = "imagemill_worker_image_seconds_sum"
_WANTED = frozenset({_BUSY, _THREADS, _IMAGES, _SECONDS})
_HELD = "imagemill_held_jobs"
_UNACKED = "rabbitmq_detailed_queue_messages_unacked"


@dataclass(frozen=True)
class WorkerReading:
    """One worker's answer: pictures in work, threads, pictures finished, seconds worked."""

    busy: int
    threads: float
    images: float
    seconds: float


def samples(text: str | None, names: frozenset[str]) -> Iterator[Sample]:
    """The samples of these names; none when the text is not what it should be."""
    try:
        for family in text_string_to_metric_families(text or ""):
            yield from (sample for sample in family.samples if sample.name in names)
    except ValueError:
        return


def read_worker(text: str | None) -> WorkerReading | None:
    """None when it does not say whether it is busy."""
    totals: dict[str, float] = {}
    for sample in samples(text, _WANTED):
        totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    if _BUSY not in totals:
        return None
    return WorkerReading(
        int(totals[_BUSY]), totals.get(_THREADS) or 1.0, totals.get(_IMAGES, 0.0), totals.get(_SECONDS, 0.0)
    )


def backlog(ready: int | None, told_unacked: int | None, workers: Iterable[WorkerReading]) -> Backlog | None:
    """Live from the broker what waits; in work is what the workers or the broker's statistics say, the larger."""
    if ready is None:
        return None
    busy = sum(reading.busy for reading in workers)
    return Backlog(ready, max(busy, told_unacked or 0))


def read_held(text: str | None) -> Mapping[str, int]:
    """By pool what the API holds back, out of its metrics; empty when it does not answer."""
    return {row.labels.get("pool", ""): int(row.value) for row in samples(text, frozenset({_HELD}))}


class BrokerEyes:
    """One connection for passive declares, opened again when it broke."""

    def __init__(self, amqp_url: str, metrics_url: str | None) -> None:
        options = "heartbeat=30&socket_timeout=3&stack_timeout=5&blocked_connection_timeout=5&connection_attempts=1"
        self._parameters = pika.URLParameters(f"{amqp_url}{'&' if '?' in amqp_url else '?'}{options}")
        self._metrics_url = metrics_url
        self._connection: pika.BlockingConnection | None = None

    def ready(self, pool: str) -> int | None:
        """Messages that wait in the pool's queue; None when the broker does not answer, or has no such queue yet."""
        try:
            if self._connection is None or not self._connection.is_open:
                self._connection = pika.BlockingConnection(self._parameters)
            channel = self._connection.channel()
            waiting = channel.queue_declare(topology.work_queue(pool), passive=True).method.message_count
            channel.close()
        except (AMQPError, OSError):
            self.close()
            return None
        return int(waiting)

    def unacked(self) -> Mapping[str, int]:
        """By queue, at most five seconds old; empty when there is nobody to ask."""
        if self._metrics_url is None:
            return {}
        host = self._parameters.virtual_host
        text = get(f"{self._metrics_url}/detailed?family=queue_coarse_metrics")
        rows = samples(text, frozenset({_UNACKED}))
        return {row.labels.get("queue", ""): int(row.value) for row in rows if row.labels.get("vhost") == host}

    def close(self) -> None:
        """Also after a failure, whatever state the connection is in."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except (AMQPError, OSError):
                return
