"""What is around every page: its sections and counts, its headers, and errors as pages."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from imagemill.api.access.permissions import may
from imagemill.api.web import problems
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.api.web.sections import SECTIONS
from imagemill.domain.errors import DomainError
from imagemill.domain.images import Counts
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.broker import BrokerUnavailable

_POLICY = (
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'",
    "base-uri 'none'", "frame-ancestors 'none'",
)  # fmt: skip
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
# Of what is not found: what is near it. The first beginning counts.
_WAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "/alerts/rules": (("/alerts/rules", "All rules"), ("/alerts/new-rule", "Add a rule")),
    "/alerts/events": (("/alerts/events", "All events"), ("/alerts", "All alerts")),
    "/alerts": (("/alerts", "All alerts"), ("/alerts/held-back", "What was held back")),
    "/cameras": (("/cameras", "All cameras"), ("/cameras/new", "Add a camera")),
    "/batches": (("/batches", "All batches"), ("/pictures", "See the pictures")),
    "/failures": (("/failures", "All failures"), ("/pictures", "See the pictures")),
    "/webhooks": (("/webhooks", "All deliveries"), ("/alerts/rules", "Rules and channels")),
    "/access": (("/access", "Access"), ("/access/changes", "What was changed")),
    "": (("/", "Upload pictures"), ("/pictures", "See the pictures")),
}
_PROGRAMS_PATHS = ("/api/", "/image")


def add_to(blueprint: Blueprint) -> None:
    """Put it around the pages of a blueprint."""
    blueprint.app_context_processor(_frame)
    blueprint.after_request(_harden)
    blueprint.register_error_handler(Problem, _show)
    blueprint.register_error_handler(DomainError, _show_error)
    blueprint.register_error_handler(StoreUnavailable, _server_away)
    blueprint.register_error_handler(BrokerUnavailable, _server_away)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)


def _frame() -> dict[str, Any]:
    settings = services().settings
    return {
        "sections": [section for section in SECTIONS if may(section.permission)],
        "counts": _counts() if may("view") else None, "unseen_alerts": _unseen_alerts() if may("view") else None,
        "address_of": address_of, "address_with": _address_with, "default_recipe": settings.default_recipe,
        "max_image_bytes": settings.max_image_bytes,
    }  # fmt: skip


def address_of(path: str, **query: str | None) -> str:
    """A path with those parts of a query which have a value."""
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path


def _address_with(**changes: str | None) -> str:
    return address_of(request.path, **{**request.args.to_dict(), **changes})


def _counts() -> Counts | None:
    try:
        return services().counters.now()
    except StoreUnavailable:
        return None


def _unseen_alerts() -> int | None:
    try:
        return services().unseen.now()
    except StoreUnavailable:
        return None


def _harden(response: Response) -> Response:
    for name, value in _headers().items():
        response.headers.setdefault(name, value)
    return response


def _headers() -> dict[str, str]:
    """What no page goes out without; pictures may also come from where clients are sent for them."""
    pictures = ("img-src 'self' blob:", services().settings.s3_public_endpoint_url or "")
    return {**_HEADERS, "Content-Security-Policy": "; ".join((*_POLICY, " ".join(pictures).strip()))}


def _show(problem: Problem) -> Response:
    title, ways = HTTPStatus(problem.status).phrase, _ways_on(request.path)
    page = render_template("problem.html", problem=problem, title=title, ways=ways)
    return Response(page, problem.status, {**problem.headers, **_headers()}, mimetype="text/html")


def _ways_on(path: str) -> tuple[tuple[str, str], ...]:
    """Where somebody may have wanted to go: address and word, by the beginning of the path."""
    return next((ways for start, ways in _WAYS.items() if path.startswith(start)), _WAYS[""])


def _show_error(error: DomainError) -> Response:
    return _show(problems.problem_of(error))


def _server_away(error: StoreUnavailable | BrokerUnavailable) -> Response:
    return _show(problems.not_taken(error))


def _too_large(_error: RequestEntityTooLarge) -> Response:
    detail = "The upload is larger than the limit, or has too many parts; send fewer or smaller pictures at a time."
    return _show(Problem(413, "request-too-large", detail))


def not_found(error: HTTPException) -> Response:
    """A person gets a page, a program gets a problem."""
    if request.path.startswith(_PROGRAMS_PATHS) or not request.accept_mimetypes.accept_html:
        return Problem(404, "not-found", error.description or "There is nothing here.").response()
    return _show(Problem(404, "not-found", f"There is no page at {request.path}."))
