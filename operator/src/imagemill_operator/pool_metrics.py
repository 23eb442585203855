"""Where a pool's metrics are, and what they are called: what its spec says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_operator.promtext import Sample


@dataclass(frozen=True, slots=True)
class MetricNames:
    """What the metrics of workers are called: two gauges, and a histogram or summary of the time of work.

    Workers that do not tell how many messages they work on at a time are assumed to have so many threads.
    """

    busy: str = "imagemill_worker_busy"
    threads: str = "imagemill_worker_threads"
    seconds: str = "imagemill_worker_image_seconds"
    seconds_a_unit: float = 1.0
    assumed_threads: float = 1.0

    @property
    def seconds_sum(self) -> str:
        """Name of the time that all work took."""
        return f"{self.seconds}_sum"

    @property
    def seconds_count(self) -> str:
        """Name of the number of messages done."""
        return f"{self.seconds}_count"

    @property
    def all(self) -> frozenset[str]:
        """Names of all that is read."""
        return frozenset({self.busy, self.threads, self.seconds_sum, self.seconds_count})


@dataclass(frozen=True, slots=True)
class WorkerMetrics:
    """Where it is told how busy the pods of a pool are: at a port of each, or at one address for all of them."""

    port: int | None = None
    path: str = "/metrics"
    url: str = ""
    pod_label: str = ""
    names: MetricNames = MetricNames()


@dataclass(frozen=True, slots=True)
class BacklogMetrics:
    """Where it is told how many messages of a pool wait outside of its queues."""

    url: str
    metric: str
    labels: tuple[tuple[str, str], ...] = ()

    def means(self, sample: Sample) -> bool:
        """Whether a sample is one of the numbers."""
        return sample.name == self.metric and all(sample.labels.get(name) == value for name, value in self.labels)


def worker_metrics_of(raw: Mapping[str, Any] | None) -> WorkerMetrics | None:
    """Read ``workerMetrics``."""
    if raw is None:
        return None
    usual = MetricNames()
    names = MetricNames(
        busy=str(raw.get("busyMetric", usual.busy)),
        threads=str(raw.get("threadsMetric", usual.threads)),
        seconds=str(raw.get("secondsMetric", usual.seconds)),
        seconds_a_unit=0.001 if raw.get("unit") == "milliseconds" else 1.0,
        assumed_threads=float(raw.get("threads", 1)),
    )
    port = raw.get("port")
    return WorkerMetrics(
        None if port is None else int(port),
        str(raw.get("path", "/metrics")),
        str(raw.get("url", "")),
        str(raw.get("podLabel", "hostname")) if raw.get("url") else "",
        names,
    )


def backlog_metrics_of(raw: Mapping[str, Any] | None) -> BacklogMetrics | None:
    """Read ``backlogMetrics``."""
    if raw is None:
        return None
    labels = sorted((str(name), str(value)) for name, value in (raw.get("labels") or {}).items())
    return BacklogMetrics(str(raw["url"]), str(raw["metric"]), tuple(labels))
