"""Changes what a person may change of a WorkerPool: the object itself, so that it outlives the operator."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.policy import Change, changed, steered
from imagemill_operator.pools import PAUSE_ANNOTATION

Patch = Callable[[str, Mapping[str, Any]], Awaitable[None]]
Steered = tuple[dict[str, bool | int], dict[str, bool | int]]


class Steering:
    """Pauses pools and sets their bounds; ``most_replicas`` is the largest maximum that may be asked for."""

    def __init__(self, patch: Patch, cluster: Callable[[], ClusterState], most_replicas: int) -> None:
        self._patch, self._cluster, self._most = patch, cluster, most_replicas

    async def change(self, name: str, change: Change) -> Steered | None:
        """Change a pool; return what it was and is, None without such a pool. Raises ValueError and KubeError."""
        pool = self._cluster().pools.get(name)
        if pool is None or pool.spec is None:
            return None
        after = changed(pool.spec, change, self._most)
        await self._patch(name, patch_of(change))
        return steered(pool.spec), steered(after)


def patch_of(change: Change) -> dict[str, Any]:
    """Return the merge patch of a WorkerPool that makes a change, and touches nothing else."""
    asked = change.to_dict()
    bounds = {"minReplicas": asked.get("min_replicas"), "maxReplicas": asked.get("max_replicas")}
    patch: dict[str, Any] = {"spec": {name: value for name, value in bounds.items() if value is not None}}
    if change.paused is not None:
        patch["metadata"] = {"annotations": {PAUSE_ANNOTATION: "true" if change.paused else None}}
    return {name: part for name, part in patch.items() if part}
