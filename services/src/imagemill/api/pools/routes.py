"""Pools over the API."""

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.pools.service import DAY_SECONDS, HOUR_SECONDS, PoolService
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission

blueprint = Blueprint("pools", __name__)


@blueprint.get("/api/v1/pools")
@needs(Permission.VIEW)
def list_pools() -> Response:
    """The worker pools, as their scaler sees them."""
    return jsonify({"pools": PoolService(services().settings).pools(_history_seconds())})


def _history_seconds() -> int:
    text = request.args.get("history_seconds", str(HOUR_SECONDS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= DAY_SECONDS):
        detail = f"history_seconds={text[:50]} is not possible; use 0 to {DAY_SECONDS}."
        raise Problem(400, "bad-history", detail)
    return int(text)
