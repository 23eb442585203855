"""kopf's part: one shared list and watch of each kind of object, and the loop that begins and ends with it.

The watches fill indices and nothing else: no handler changes an object, so kopf puts no finalizer and no annotation on
anything. Decisions are made by one loop for all pools instead of a timer for each: one look at the broker then serves
all of them, a budget is shared between pools that were seen at the same moment, and 500 pools are one task.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.facts import (
    DeploymentFacts,
    PodFacts,
    autoscaled_deployment,
    deployment_facts,
    pods_by_deployment,
)
from imagemill_operator.lean import kopf
from imagemill_operator.pools import PoolResource, parse_pool
from imagemill_operator.runtime import Runtime
from imagemill_operator.settings import Settings

LOG = logging.getLogger(__name__)
POOLS = ("imagemill.dev", "v1alpha1", "workerpools")
Login = Callable[..., kopf.ConnectionInfo | None]


def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in with the pod's service account, or with kubeconfig (every kind of it) on a developer's machine."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_via_client(**kwargs)


def build_registry(settings: Settings, log_in: Login = login) -> kopf.OperatorRegistry:
    """Register everything with kopf."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(log_in)
    _register_indices(registry)
    _register_loop(registry, settings, log_in)
    return registry


def _register_indices(registry: kopf.OperatorRegistry) -> None:
    @kopf.index(*POOLS, id="pools", registry=registry)
    async def index_pool(body: kopf.Body, **_: Any) -> dict[str, PoolResource]:
        pool = parse_pool(body)
        return {pool.name: pool}

    @kopf.index("apps", "v1", "deployments", id="deployments", registry=registry)
    async def index_deployment(body: kopf.Body, **_: Any) -> dict[str, DeploymentFacts]:
        facts = deployment_facts(body)
        return {facts.name: facts}

    @kopf.index("", "v1", "pods", id="pods", registry=registry)
    async def index_pod(body: kopf.Body, **_: Any) -> dict[str, PodFacts]:
        # Not None for a pod that has ended: kopf would keep what it told before.
        return pods_by_deployment(body)

    @kopf.index("autoscaling", "v2", "horizontalpodautoscalers", id="autoscalers", registry=registry)
    async def index_autoscaler(body: kopf.Body, **_: Any) -> dict[str, str]:
        target = autoscaled_deployment(body)
        return {} if target is None else {target: str(body["metadata"]["name"])}


def _register_loop(registry: kopf.OperatorRegistry, own: Settings, log_in: Login) -> None:
    watched = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    @kopf.on.startup(id="begin", registry=registry)
    async def begin(settings: kopf.OperatorSettings, **kwargs: Any) -> None:
        configure(settings)
        indices = {name: kwargs[name] for name in ("pools", "deployments", "pods", "autoscalers")}
        runtime = Runtime(own, lambda: _logged_in(log_in, settings), lambda: snapshot(indices))
        tasks.append(asyncio.create_task(runtime.run(watched), name="ticks"))

    @kopf.on.event(*POOLS, id="watched", registry=registry)
    async def note_that_indices_are_full(**_: Any) -> None:
        watched.set()

    @kopf.on.cleanup(id="end", registry=registry)
    async def end(**_: Any) -> None:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _logged_in(log_in: Login, settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    info = log_in(settings=settings, logger=LOG)
    if info is None:
        raise kopf.LoginError("There is neither a service account nor a kubeconfig: the API server cannot be reached.")
    return info


def configure(settings: kopf.OperatorSettings) -> None:
    """Settings for a small operator with rights in one namespace."""
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.networking.request_timeout = 10
    settings.networking.connect_timeout = 5
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 5
    settings.watching.chunk_size = 100
    settings.queueing.idle_timeout = 1
    settings.queueing.error_delays = (1, 2, 5, 10)
    settings.persistence.finalizer = "imagemill.dev/unused"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="imagemill.dev")
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="imagemill.dev")
    settings.process.ultimate_exiting_timeout = 20


def snapshot(indices: Mapping[str, kopf.Index[str, Any]]) -> ClusterState:
    """Copy the indices: each holds, by name, what the watch told last."""
    return ClusterState(
        pools=_single(indices["pools"]),
        deployments=_single(indices["deployments"]),
        pods={name: tuple(store) for name, store in indices["pods"].items()},
        autoscaled=_single(indices["autoscalers"]),
    )


def _single(index: kopf.Index[str, Any]) -> dict[str, Any]:
    return {name: value for name, store in index.items() for value in store}
