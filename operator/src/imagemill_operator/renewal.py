"""How often a broker renews its statistics, which it tells nobody: learned from its nodes' uptimes. No I/O.

A node's uptime in the management API is as old as all its statistics: it moves by ``collect_statistics_interval``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from imagemill_operator.channels import INTERVAL_SECONDS


class Renewal:
    """Learns from look to look the interval of each node."""

    def __init__(self) -> None:
        self._uptimes: Mapping[str, float] = {}
        self._intervals: dict[str, float] = {}
        self._looked_at = 0.0

    def take(self, uptimes: Mapping[str, float], now: float) -> None:
        """Take in the uptimes of the nodes, in seconds."""
        since = now - self._looked_at
        self._intervals = {
            node: known
            for node, uptime in uptimes.items()
            if (known := self._interval(node, uptime, since)) is not None
        }
        self._uptimes, self._looked_at = uptimes, now

    def _interval(self, node: str, uptime: float, since: float) -> float | None:
        """The shortest move counts: between two looks the statistics may have been renewed more than once.

        Nothing is known of a node that was restarted since the last look: it may have other settings.
        """
        before, known = self._uptimes.get(node), self._intervals.get(node)
        if before is None or uptime < max(before, since):
            return None
        if uptime == before:
            return known
        return uptime - before if known is None else min(known, uptime - before)

    @property
    def interval_seconds(self) -> float | None:
        """The interval of the slowest node, the default at least; None while one of them is not known."""
        if self._uptimes.keys() - self._intervals.keys():
            return None
        return max((INTERVAL_SECONDS, *self._intervals.values()))


def read_uptimes(nodes: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Read the uptimes in seconds by node; one that is away has none."""
    return {node["name"]: node["uptime"] / 1000 for node in nodes if node.get("uptime") is not None}
