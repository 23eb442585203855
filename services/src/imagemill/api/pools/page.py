"""The page of the pools: what waits, who works, and why there are so many workers."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.pools.routes import pools_now, steer
from imagemill.api.pools.service import Pool, PoolService
from imagemill.api.web.forms import again, text
from imagemill.api.web.layout import address_of
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.errors import Invalid

RANGES = {"15m": ("15 min", 900), "1h": ("1 hour", 3600), "1d": ("1 day", 86_400)}
_USUAL = "1h"
_MOST_DIGITS = 6


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/pools", pools_page, Permission.VIEW),
        ("/pools/<name>/pause", pause_form, Permission.OPERATE, "POST"),
        ("/pools/<name>/bounds", bounds_form, Permission.OPERATE, "POST"),
    )


def pause_form(name: str) -> AnyResponse:
    """Pause a pool, or let it go on."""
    steer(name, {"paused": text("paused") == "true"})
    return redirect(address_of("/pools", range=request.args.get("range")), HTTPStatus.SEE_OTHER)


def bounds_form(name: str) -> AnyResponse | str:
    """Change a pool's bounds; the page again with what is wrong when they cannot be.

    What is as it was shown is left alone: a schedule may have raised it, or somebody else has changed it meanwhile.
    """
    try:
        typed = {bound: _whole(bound) for bound in ("min_replicas", "max_replicas")}
        if change := {bound: count for bound, count in typed.items() if str(count) != text(f"shown_{bound}")}:
            steer(name, change)
    except Invalid as error:
        return again(pools_page(Wrong(name, str(error), text("min_replicas"), text("max_replicas"))), error)
    return redirect(address_of("/pools", range=request.args.get("range")), HTTPStatus.SEE_OTHER)


def _whole(name: str) -> int:
    typed = text(name)
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS):
        raise Invalid("bad-value", f"{typed[:50]!r} is no number of workers; use digits.", name)
    return int(typed)


@dataclass(frozen=True)
class Wrong:
    """Bounds which were not taken, and why."""

    pool: str
    sentence: str
    low: str
    high: str


def pools_page(wrong: Wrong | None = None) -> str:
    """The worker pools as their scaler sees them, or what to do when none is known."""
    service = PoolService(services().settings)
    span = range_of(request.args.get("range"))
    try:
        pools, problem = pools_now(RANGES[span][1]), None
    except Problem as error:
        pools, problem = [], error
    return render_template(
        "pools.html", pools=pools, problem=problem, ranges=RANGES, span=span, seconds=RANGES[span][1],
        can_steer=service.can_steer, wrong=wrong, unused=[pool["name"] for pool in pools if is_unused(pool)],
    )  # fmt: skip


def range_of(text: str | None) -> str:
    """The range that an address names, an hour without one."""
    return text if text in RANGES else _USUAL


def is_unused(pool: Pool) -> bool:
    """Did nothing come, and were there always as many workers? Its chart has nothing to tell then."""
    history = pool.get("history") or []
    idle = not any(point.get(of) for point in history for of in ("backlog", "arrival_rate", "done_rate"))
    return idle and len({point.get("replicas") for point in history}) <= 1
