"""Prometheus metrics, made from the pools' states when they are asked for: nothing is kept for each pool."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

GAUGES = (
    ("desired_replicas", "Replicas decided", ("desired_replicas",)),
    ("needed_replicas", "Replicas the objective asks for, before limits", ("needed_replicas",)),
    ("current_replicas", "Replicas the Deployment is set to", ("current_replicas",)),
    ("ready_replicas", "Replicas that work", ("ready_replicas",)),
    ("busy_replicas", "Replicas at work, as they tell", ("busy_replicas",)),
    ("min_replicas", "Smallest number of replicas", ("min_replicas",)),
    ("max_replicas", "Largest number of replicas", ("max_replicas",)),
    ("backlog_ready_messages", "Messages that wait", ("backlog", "ready")),
    ("backlog_unacked_messages", "Messages in work", ("backlog", "unacked")),
    ("arrival_rate", "Messages that arrive in a second", ("arrival_rate",)),
    ("service_rate", "Messages the ready replicas finish in a second", ("service_rate",)),
    ("busy_seconds", "Seconds of work a message takes", ("busy_seconds",)),
    ("start_seconds", "Seconds a replica takes to start", ("start_seconds",)),
    ("predicted_wait_seconds", "Seconds a message that arrives now will wait", ("predicted_wait_seconds",)),
)


class PoolCollector(Collector):
    """Turns ``/pools`` into metrics with the label ``pool``; what is unknown is left out."""

    def __init__(
        self,
        states: Callable[[], Mapping[str, Mapping[str, Any]]],
        totals: Callable[[], Mapping[str, float]],
        scale_changes: Callable[[], Mapping[tuple[str, str], int]],
        write_errors: Callable[[], Mapping[tuple[str, str], int]],
    ) -> None:
        self._states, self._totals = states, totals
        self._scale_changes, self._write_errors = scale_changes, write_errors

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        states = self._states()
        for name, text, path in GAUGES:
            yield _gauge(name, text, path, states)
        yield _conditions(states)
        changes, errors = self._scale_changes(), self._write_errors()
        yield _counts("imagemill_pool_scale_changes", "Changes of the replicas", ("pool", "direction"), changes)
        yield _counts("imagemill_operator_write_errors", "Writes the API server refused", ("verb", "code"), errors)
        for name, value in self._totals().items():
            yield GaugeMetricFamily(f"imagemill_operator_{name}", name.replace("_", " "), value=value)


def _counts(name: str, text: str, labels: tuple[str, str], counts: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        family.add_metric(values, count)
    return family


def _gauge(name: str, text: str, path: tuple[str, ...], states: Mapping[str, Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily(f"imagemill_pool_{name}", text, labels=["pool"])
    for pool, value in _values(path, states):
        family.add_metric([pool], value)
    return family


def _values(path: tuple[str, ...], states: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for pool, state in states.items():
        value: Any = state
        for key in path:
            value = (value or {}).get(key)
        if value is not None:
            yield pool, float(value)


def _conditions(states: Mapping[str, Mapping[str, Any]]) -> Metric:
    """1 is true, 0 false; unknown is left out."""
    family = GaugeMetricFamily("imagemill_pool_condition", "Conditions of the pool", labels=["pool", "type"])
    for pool, state in states.items():
        for condition in state["conditions"]:
            if condition["status"] != "Unknown":
                family.add_metric([pool, condition["type"]], float(condition["status"] == "True"))
    return family
