"""What a route needs stands where the route is made; one that does not say so keeps the program from starting."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, g

from imagemill.domain.access import Permission, Principal, Role

View = TypeVar("View", bound=Callable[..., Any])
EVERYBODY = Principal("everybody on this machine", Role.ADMIN)


class MissingPermission(Exception):
    """A route does not say what it needs."""


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare what a route needs; stands directly below the route."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def add_pages(blueprint: Blueprint, *pages: tuple[str, View, Permission] | tuple[str, View, Permission, str]) -> None:
    """Add routes of a page: path, view, what it needs, and the method where it is not GET."""
    for path, view, permission, *method in pages:
        blueprint.add_url_rule(path, view_func=needs(permission)(view), methods=method or ["GET"])


def permission_of(app: Flask, endpoint: str) -> Permission:
    """What a route declares; raises MissingPermission."""
    if endpoint == "static":
        return Permission.PUBLIC
    found = getattr(app.view_functions[endpoint], "permission", None)
    if found is None:
        raise MissingPermission(f"the route {endpoint!r} does not say what it needs: add @needs(Permission.…) to it")
    return cast(Permission, found)


def check_routes(app: Flask) -> None:
    """Raises MissingPermission for a route which does not say what it needs."""
    for rule in app.url_map.iter_rules():
        permission_of(app, rule.endpoint)


def principal() -> Principal:
    """Who asks; only where something is needed of them."""
    return cast(Principal, g.principal)


def owner() -> str | None:
    """Whose the jobs of this request are; None where everybody is the same to us."""
    known = principal()
    return None if known is EVERYBODY else known.owner


def may(name: str) -> bool:
    """For templates: may whoever asks do this?"""
    known: Principal | None = g.get("principal")
    return known is not None and known.may(Permission(name))
