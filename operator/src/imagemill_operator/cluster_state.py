"""What kopf's watches know of the cluster, as plain dictionaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill_operator.facts import DeploymentFacts, PodFacts
from imagemill_operator.pools import PoolResource


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One moment. ``pods`` are by Deployment, ``autoscaled`` maps Deployments to their HorizontalPodAutoscaler."""

    pools: Mapping[str, PoolResource] = field(default_factory=dict)
    deployments: Mapping[str, DeploymentFacts] = field(default_factory=dict)
    pods: Mapping[str, tuple[PodFacts, ...]] = field(default_factory=dict)
    autoscaled: Mapping[str, str] = field(default_factory=dict)
