"""The page of the pools: what waits, who works, and why there are so many workers."""

from flask import Blueprint, render_template, request

from imagemill.api.access.permissions import add_pages
from imagemill.api.pools.service import Pool, PoolService
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission

RANGES = {"15m": ("15 min", 900), "1h": ("1 hour", 3600), "1d": ("1 day", 86_400)}
_USUAL = "1h"


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(blueprint, ("/pools", pools_page, Permission.VIEW))


def pools_page() -> str:
    """The worker pools as their scaler sees them, or what to do when none is known."""
    span = range_of(request.args.get("range"))
    try:
        pools, problem = PoolService(services().settings).pools(RANGES[span][1]), None
    except Problem as error:
        pools, problem = [], error
    return render_template(
        "pools.html", pools=pools, problem=problem, ranges=RANGES, span=span, seconds=RANGES[span][1],
        unused=[pool["name"] for pool in pools if is_unused(pool)],
    )  # fmt: skip


def range_of(text: str | None) -> str:
    """The range that an address names, an hour without one."""
    return text if text in RANGES else _USUAL


def is_unused(pool: Pool) -> bool:
    """Was there nothing to do, and always the same number of workers? Its chart has nothing to tell then."""
    history = pool.get("history") or []
    return all(not point.get("backlog") and point.get("replicas") == history[0].get("replicas") for point in history)
