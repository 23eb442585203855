"""The loop: keeps the lease, ticks, serves HTTP, and puts everything away at the end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from aiohttp import web

from imagemill_operator.actor import Actor
from imagemill_operator.broker import Broker
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.kube import Kube
from imagemill_operator.lean import kopf
from imagemill_operator.lease import Lease
from imagemill_operator.settings import Settings
from imagemill_operator.web import Health, make_app, make_registry
from imagemill_operator.workers import Workers

LOG = logging.getLogger(__name__)
STALE_AFTER_SECONDS = 60.0
BETWEEN_TICKS_SECONDS = 0.5
"""So often it looks between two ticks whether a pool that sleeps has something to do."""


class Runtime:
    """Everything that lives as long as the operator does."""

    def __init__(
        self, settings: Settings, log_in: Callable[[], kopf.ConnectionInfo], cluster: Callable[[], ClusterState]
    ) -> None:
        self._settings, self._log_in, self._cluster = settings, log_in, cluster
        self.health = Health(time.monotonic, STALE_AFTER_SECONDS, time.monotonic())

    async def run(self, watched: asyncio.Event) -> None:
        """Tick until cancelled; begin when the watches have brought everything there is."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            kube = Kube(self._log_in, settings.namespace, settings.request_timeout_seconds, settings.identity)
            stack.push_async_callback(kube.close)
            broker = Broker(settings, session)
            stack.push_async_callback(broker.close)
            actor = Actor(kube, time.time)
            controller = Controller(broker, Workers(session), actor, settings.tick_seconds)
            registry = make_registry(controller, self.health, actor)
            app = make_app(controller, self.health, registry)
            await stack.enter_async_context(serving(app, settings.listen_host, settings.listen_port))
            lease = Lease(kube, settings.lease_name, settings.identity, settings.lease_seconds, time.monotonic)
            stack.push_async_callback(lease.release)
            await self._loop(controller, lease, watched)

    async def _loop(self, controller: Controller, lease: Lease, watched: asyncio.Event) -> None:
        while True:
            begin = time.monotonic()
            try:
                await self._turn(controller, lease, watched)
                self.health.last_tick_at = time.monotonic()
            except Exception:
                self.health.failed_ticks += 1
                LOG.exception("A tick failed; the next one starts anew.")
            self.health.tick_seconds = time.monotonic() - begin
            await self._rest(controller, begin + self._settings.tick_seconds)

    async def _rest(self, controller: Controller, end: float) -> None:
        """Until the next tick is due, or a pool that sleeps has something to do."""
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, BETWEEN_TICKS_SECONDS))
            if left > BETWEEN_TICKS_SECONDS and self.health.holds_lease and await controller.has_new_messages():
                return

    async def _turn(self, controller: Controller, lease: Lease, watched: asyncio.Event) -> None:
        """Stand by while another operator holds the lease, or there is no pool yet."""
        held = await lease.keep()
        if held != self.health.holds_lease:
            LOG.info("This operator acts." if held else "Another operator acts (%s); standing by.", *_who(lease, held))
        self.health.holds_lease = held
        if held and watched.is_set():
            await controller.tick(self._cluster())
            self.health.ticks += 1


def _who(lease: Lease, held: bool) -> tuple[str, ...]:
    return () if held else (lease.holder or "nobody yet",)


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    """Serve an application for a while."""
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
