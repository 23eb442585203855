"""The lease is kept whatever a tick does."""

import asyncio
from typing import Any

import pytest
from tests.cluster.fake_kube import FakeKube
from tests.cluster.rabbit import free_ports

from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.lean import kopf
from imagemill_operator.runtime import Runtime
from imagemill_operator.settings import Settings


def test_a_tick_that_hangs_does_not_cost_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking = asyncio.Event()

    async def hang(*_: Any) -> None:
        ticking.set()
        await asyncio.sleep(3600)

    async def renewals(kube: FakeKube, settings: Settings) -> set[str]:
        runtime = Runtime(settings, lambda: kopf.ConnectionInfo(server=kube.url), ClusterState)
        watched = asyncio.Event()
        watched.set()
        running = asyncio.create_task(runtime.run(watched))
        await ticking.wait()
        seen: set[str] = set()
        while len(seen) < 3 and not running.done():
            lease = await asyncio.to_thread(kube.get, "leases", settings.lease_name)
            seen.add((lease or {})["spec"]["renewTime"])
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return seen

    monkeypatch.setattr(Controller, "tick", hang)
    with FakeKube().running() as kube:
        settings = Settings(
            "default",
            broker_metrics_urls=("http://127.0.0.1:9",),
            listen_host="127.0.0.1",
            listen_port=free_ports(1)[0],
            lease_seconds=3.0,
        )
        assert len(asyncio.run(asyncio.wait_for(renewals(kube, settings), 90))) == 3
