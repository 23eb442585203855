"""Pools over the API."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.pools.service import DAY_SECONDS, HOUR_SECONDS, Pool, PoolService
from imagemill.api.web.bodies import json_body
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.wire import topology

blueprint = Blueprint("pools", __name__)
_BODY = "The body must be a JSON object with `paused`, `min_replicas` or `max_replicas`."


@blueprint.get("/api/v1/pools")
@needs(Permission.VIEW)
def list_pools() -> Response:
    """The worker pools, as their scaler sees them."""
    return jsonify({"pools": pools_now(_history_seconds())})


def pools_now(history_seconds: int) -> list[Pool]:
    """The pools, each with its workers as far as this process has heard of them; raises Problem."""
    mill = services()
    pools = PoolService(mill.settings).pools(history_seconds)
    workers = mill.hub.workers(lambda recipe: topology.pool_of(recipe, mill.settings.pools))
    return [{**pool, "workers": workers.get(str(pool.get("name")), [])} for pool in pools]


@blueprint.patch("/api/v1/pools/<name>")
@needs(Permission.OPERATE)
def change_pool(name: str) -> Response:
    """Pause a pool, let it go on, or change its bounds; what it was goes into the audit."""
    return jsonify(steer(name, json_body(_BODY)))


def steer(name: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """Have the scaler change a pool, and write down who did."""
    mill = services()
    done = PoolService(mill.settings).steer(name, change)
    mill.record("pool.change", name, before=done.before, after=done.after)
    return done.after


def _history_seconds() -> int:
    text = request.args.get("history_seconds", str(HOUR_SECONDS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= DAY_SECONDS):
        detail = f"history_seconds={text[:50]} is not possible; use 0 to {DAY_SECONDS}."
        raise Problem(400, "bad-history", detail)
    return int(text)
