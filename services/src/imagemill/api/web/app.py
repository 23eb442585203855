"""The Flask application."""

from flask import Flask, Response, jsonify, request
from prometheus_client import Counter

from imagemill.api.access import routes as access_routes
from imagemill.api.access.permissions import check_routes, needs
from imagemill.api.alerts import event_routes
from imagemill.api.alerts import routes as alert_routes
from imagemill.api.cameras import routes as camera_routes
from imagemill.api.images import (
    archive,
    erasure_routes,
    failure_routes,
    known,
    pages,
    previews,
    reads,
    selection_routes,
    uploads,
)
from imagemill.api.pools import routes as pool_routes
from imagemill.api.rules import routes as rule_routes
from imagemill.api.services import Services, build
from imagemill.api.web import compression, problems, spool
from imagemill.api.web.described import described
from imagemill.api.web.static_files import StaticFiles
from imagemill.api.webhooks import routes as webhook_routes
from imagemill.domain.access import Permission
from imagemill.settings import Settings

REQUESTS = Counter("imagemill_http_requests", "Requests answered", ["method", "route", "status"])
_COUNTED_PARTS = 10_000
_FORM_FIELDS = 100
_FORM_MEMORY_BYTES = 500_000


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """The app; its services are started by whoever runs it. Raises RecipeError."""
    mill = services or build(settings)
    app = Flask("imagemill.api", static_folder=None)
    compression.install(app)
    StaticFiles().install(app)
    app.extensions["imagemill"] = mill
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = _FORM_MEMORY_BYTES
    # Enough parts to count the files, each with its key, and say what is wrong, within a bound.
    app.config["MAX_FORM_PARTS"] = max(_COUNTED_PARTS, 2 * settings.max_request_files) + _FORM_FIELDS
    spool.install(app, settings)
    problems.install(app)
    app.register_blueprint(uploads.blueprint)
    app.register_blueprint(reads.blueprint)
    for routes in (
        archive,
        known,
        previews,
        erasure_routes,
        failure_routes,
        selection_routes,
        camera_routes,
        alert_routes,
        event_routes,
        rule_routes,
        webhook_routes,
        pool_routes,
        access_routes,
    ):
        app.register_blueprint(routes.blueprint)
    pages.install(app)
    app.add_url_rule("/api/v1/openapi.json", "openapi", needs(Permission.VIEW)(lambda: jsonify(described(app))))
    app.before_request(_notice_broken_uploads)
    mill.guard.install(app)
    app.after_request(_count)
    check_routes(app)
    return app


def _notice_broken_uploads() -> None:
    # gunicorn ends a body early when the client is gone, and says that its end can be trusted: then half a picture
    # would look like a whole, bad one. Without that word Werkzeug counts, and answers 400.
    if request.content_length is not None:
        request.environ.pop("wsgi.input_terminated", None)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(request.method, route, response.status_code).inc()
    return response
