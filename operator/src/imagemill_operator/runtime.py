"""The loop: keeps the lease, ticks, serves HTTP, and puts everything away at the end."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
from aiohttp import web

from imagemill_operator.actor import Actor
from imagemill_operator.backlog_reader import BacklogReader
from imagemill_operator.brokers import Brokers
from imagemill_operator.clock import SteadyClock
from imagemill_operator.cluster_state import ClusterState
from imagemill_operator.controller import Controller
from imagemill_operator.kube import Kube
from imagemill_operator.lean import kopf
from imagemill_operator.lease import Lease
from imagemill_operator.pace import Pace
from imagemill_operator.settings import Settings
from imagemill_operator.steering import Steering
from imagemill_operator.takeover import Takeovers
from imagemill_operator.web import Health, make_app, make_registry
from imagemill_operator.workers import Workers

LOG = logging.getLogger(__name__)
STALE_AFTER_SECONDS = 60.0
LAST_REPORTS_SECONDS = 3.0
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
            kube = Kube(self._log_in, settings.namespace, write_seconds(settings), settings.identity)
            stack.push_async_callback(kube.close)
            brokers = Brokers(settings, session, kube.get_secret, time.monotonic)
            stack.push_async_callback(brokers.close)
            lease = Lease(kube, settings.lease_name, settings.identity, settings.lease_seconds, time.monotonic)
            stack.push_async_callback(lease.release)
            clock = SteadyClock()
            actor = Actor(kube, clock, Pace(time.monotonic), lambda: lease.held)
            stack.push_async_callback(send_the_rest, actor)
            controller = Controller(
                brokers,
                Workers(session, settings.tick_seconds),
                BacklogReader(session, settings.tick_seconds),
                actor,
                settings.tick_seconds,
                clock,
                Takeovers(kube, time.monotonic, lambda: lease.held),
            )
            registry = make_registry(controller, self.health, actor)
            steering = Steering(kube.change_pool, self._cluster, settings.pools_most_replicas)
            app = make_app(
                controller, self.health, registry, settings.pools_token, steering, settings.pools_steer_token
            )
            await stack.enter_async_context(serving(app, settings.listen_host, settings.listen_port))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_lease(lease), name="lease")
                tasks.create_task(actor.outbox.run(), name="reports")
                await self._loop(controller, watched)

    async def _keep_lease(self, lease: Lease) -> None:
        """Renew the lease however long a tick takes."""
        while True:
            held = await lease.keep()
            if held != self.health.holds_lease:
                LOG.info("%s", acting_text(lease, held=held))
            self.health.holds_lease = held
            await asyncio.sleep(lease.retry_seconds)

    async def _loop(self, controller: Controller, watched: asyncio.Event) -> None:
        while True:
            begin = time.monotonic()
            try:
                await self._turn(controller, watched)
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

    async def _turn(self, controller: Controller, watched: asyncio.Event) -> None:
        """Stand by while another operator holds the lease, or there is no pool yet."""
        if not self.health.holds_lease:
            controller.stand_by()
        elif watched.is_set():
            await controller.tick(self._cluster())
            self.health.ticks += 1


def write_seconds(settings: Settings) -> float:
    """How long a write may take: one that begins just before the lease is lost ends before another may take it."""
    return min(settings.request_timeout_seconds, settings.lease_seconds / 3)


def acting_text(lease: Lease, *, held: bool) -> str:
    """Say who acts."""
    return "This operator acts." if held else f"Another operator acts ({lease.holder or 'nobody yet'}); standing by."


async def send_the_rest(actor: Actor) -> None:
    """Write what still waits before the next operator takes over, if that is a matter of moments."""
    with suppress(TimeoutError):
        await asyncio.wait_for(actor.outbox.drain(), LAST_REPORTS_SECONDS)


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
