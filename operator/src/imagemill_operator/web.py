"""What the operator tells over HTTP: ``/pools``, ``/pools/{name}``, ``/metrics``, ``/healthz``."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from imagemill_operator.actor import Actor
from imagemill_operator.controller import Controller
from imagemill_operator.exposition import PoolCollector

POOLS_WITH_HISTORY = 50
"""With more pools the list leaves their histories out: they would be megabytes. Each pool's own page has it."""


@dataclass(slots=True)
class Health:
    """When the loop last came round, by a clock that only goes forward."""

    clock: Callable[[], float]
    stale_after_seconds: float
    last_tick_at: float
    holds_lease: bool = False
    ticks: int = 0
    failed_ticks: int = 0
    tick_seconds: float = 0.0

    @property
    def age_seconds(self) -> float:
        """Time since the last tick that went through, standing by included."""
        return self.clock() - self.last_tick_at


def make_app(
    controller: Controller, health: Health, registry: CollectorRegistry, pools_token: str | None = None
) -> web.Application:
    """Build the application; with a token, pools are told to those who send it (``Authorization: Bearer``)."""

    def refusal(request: web.Request) -> web.Response | None:
        sent = request.headers.get("Authorization", "").encode()
        if pools_token is None or hmac.compare_digest(sent, f"Bearer {pools_token}".encode()):
            return None
        detail = "Pools are told to those who send the token of IMAGEMILL_POOLS_TOKEN: Authorization: Bearer …"
        return web.json_response({"detail": detail}, status=401, headers={"WWW-Authenticate": "Bearer"})

    def told(name: str, *, history: bool) -> dict[str, object]:
        state = {key: value for key, value in controller.states[name].items() if key != "uid"}
        return {**state, "history": controller.history(name)} if history else state

    async def pools(request: web.Request) -> web.Response:
        if (refused := refusal(request)) is not None:
            return refused
        states = controller.states
        with_history = len(states) <= POOLS_WITH_HISTORY
        return web.json_response({"pools": [told(name, history=with_history) for name in states]})

    async def pool(request: web.Request) -> web.Response:
        if (refused := refusal(request)) is not None:
            return refused
        name = request.match_info["name"]
        if name not in controller.states:
            return web.json_response({"detail": f"There is no pool {name}."}, status=404)
        return web.json_response(told(name, history=True))

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        alive = health.age_seconds <= health.stale_after_seconds
        body = {"alive": alive, "last_tick_seconds_ago": round(health.age_seconds, 1), "acting": health.holds_lease}
        return web.json_response(body, status=200 if alive else 503)

    app = web.Application()
    paths = (("/pools", pools), ("/pools/{name}", pool), ("/metrics", metrics), ("/healthz", healthz))
    app.add_routes([web.get(path, handler) for path, handler in paths])
    return app


def make_registry(controller: Controller, health: Health, actor: Actor) -> CollectorRegistry:
    """Register the pools' metrics and the process's own."""
    registry = CollectorRegistry()

    def totals() -> dict[str, float]:
        return {
            "ticks": health.ticks,
            "failed_ticks": health.failed_ticks,
            "tick_seconds": health.tick_seconds,
            "last_tick_seconds_ago": health.age_seconds,
            "holds_lease": float(health.holds_lease),
        }

    collector = PoolCollector(
        lambda: controller.states, totals, lambda: actor.scale_changes, lambda: actor.write_errors
    )
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
