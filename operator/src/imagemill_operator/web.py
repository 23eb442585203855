"""What the operator tells over HTTP: ``/pools``, ``/pools/{name}``, ``/metrics``, ``/healthz``."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from imagemill_operator.actor import Actor
from imagemill_operator.controller import Controller
from imagemill_operator.exposition import PoolCollector
from imagemill_operator.kube import KubeError
from imagemill_operator.policy import DAY_SECONDS, HOUR_SECONDS, parse_change
from imagemill_operator.steering import Steering

MOST_BODY_BYTES = 4096
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


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers. With a token, pools are told to those who send it (``Authorization: Bearer``)."""

    controller: Controller
    health: Health
    registry: CollectorRegistry
    pools_token: str | None
    steering: Steering | None = None
    steer_token: str | None = None

    async def pools(self, request: web.Request) -> web.Response:
        """All pools."""
        if (refused := self._refusal(request)) is not None:
            return refused
        states = self.controller.states
        span = history_seconds(request.query.get("history_seconds")) if len(states) <= POOLS_WITH_HISTORY else 0.0
        return web.json_response({"pools": [self._told(name, span) for name in states]})

    async def pool(self, request: web.Request) -> web.Response:
        """One pool with its history."""
        if (refused := self._refusal(request)) is not None:
            return refused
        name = request.match_info["name"]
        if name not in self.controller.states:
            return web.json_response({"detail": f"There is no pool {name}."}, status=404)
        return web.json_response(self._told(name, history_seconds(request.query.get("history_seconds"))))

    async def change(self, request: web.Request) -> web.Response:
        """Pause a pool, or set its bounds, for who sends the token of it."""
        if self.steering is None or not self.steer_token or not _sends(request, self.steer_token):
            detail = "Pools are changed by who sends the token of IMAGEMILL_POOLS_STEER_TOKEN: Authorization: Bearer …"
            return web.json_response({"detail": detail}, status=401, headers={"WWW-Authenticate": "Bearer"})
        name = request.match_info["name"]
        try:
            done = await self.steering.change(name, parse_change(await _json(request)))
        except ValueError as error:
            return web.json_response({"detail": str(error)}, status=422)
        except KubeError as error:
            return web.json_response({"detail": f"The API server did not take it: {error}"}, status=503)
        if done is None:
            return web.json_response({"detail": f"There is no pool {name}."}, status=404)
        return web.json_response({"before": done[0], "after": done[1]})

    async def metrics(self, _: web.Request) -> web.Response:
        """For Prometheus."""
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(self, _: web.Request) -> web.Response:
        """For the kubelet."""
        health = self.health
        alive = health.age_seconds <= health.stale_after_seconds
        body = {"alive": alive, "last_tick_seconds_ago": round(health.age_seconds, 1), "acting": health.holds_lease}
        return web.json_response(body, status=200 if alive else 503)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self.pools_token is None or _sends(request, self.pools_token):
            return None
        detail = "Pools are told to those who send the token of IMAGEMILL_POOLS_TOKEN: Authorization: Bearer …"
        return web.json_response({"detail": detail}, status=401, headers={"WWW-Authenticate": "Bearer"})

    def _told(self, name: str, span_seconds: float) -> dict[str, object]:
        state = {key: value for key, value in self.controller.states[name].items() if key != "uid"}
        return {**state, "history": self.controller.history(name, span_seconds)} if span_seconds > 0 else state


def _sends(request: web.Request, token: str) -> bool:
    """Whether a request comes with the token; bytes that are no text are not it."""
    sent = request.headers.get("Authorization", "").encode(errors="surrogateescape")
    return hmac.compare_digest(sent, f"Bearer {token}".encode())


async def _json(request: web.Request) -> object:
    try:
        return json.loads(await request.text())
    except (ValueError, RecursionError):
        raise ValueError("The body must be JSON.") from None


def history_seconds(text: str | None) -> float:
    """Return how much history a query asks for: 0 to a day, an hour unless it says so in digits."""
    is_number = text is not None and text.isascii() and text.isdecimal()
    return min(float(str(text)[:9]), DAY_SECONDS) if is_number else HOUR_SECONDS


def make_app(
    controller: Controller,
    health: Health,
    registry: CollectorRegistry,
    pools_token: str | None = None,
    steering: Steering | None = None,
    steer_token: str | None = None,
) -> web.Application:
    """Build the application."""
    pages = Pages(controller, health, registry, pools_token, steering, steer_token)
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    handlers = {
        "/pools": pages.pools,
        "/pools/{name}": pages.pool,
        "/metrics": pages.metrics,
        "/healthz": pages.healthz,
    }
    app.add_routes([web.get(path, handler) for path, handler in handlers.items()])
    app.router.add_patch("/pools/{name}", pages.change)
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
